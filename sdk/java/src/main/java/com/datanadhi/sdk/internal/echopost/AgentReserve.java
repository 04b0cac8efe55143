package com.datanadhi.sdk.internal.echopost;

import com.datanadhi.sdk.internal.files.DroppedFiles;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The free space that EchoPost's agents need on a full disk. An agent keeps a file as a reserve,
 * which it gives up in pieces for the deletes that follow a delivery; it accepts records again when
 * the reserve is whole and as much is free beyond it. If files of the SDK took that space, the
 * agent could deliver nothing. Thread-safe.
 */
public final class AgentReserve implements DroppedFiles.SpaceForOthers {
  /** The agent's own rule for the size of its reserve. */
  private static final int SHARE = 16;

  private static final long SMALLEST = 1L << 20;
  private static final long LARGEST = 16L << 20;

  private final Path sdkDirectory;

  /** For the agents of this directory. */
  public AgentReserve(Path sdkDirectory) {
    this.sdkDirectory = sdkDirectory;
  }

  @Override
  public long bytes(Path directory) {
    // Not by a FileStore: in a chroot and in some containers, none can be found.
    long total = directory.toFile().getTotalSpace();
    if (total == 0) {
      return 0;
    }
    long reserve = Math.max(SMALLEST, Math.min(LARGEST, total / SHARE));
    long needed = 0;
    try (DirectoryStream<Path> homes = Files.newDirectoryStream(sdkDirectory, "echopost*")) {
      for (Path home : homes) {
        if (isUsed(home) && device(home).equals(device(directory))) {
          needed += Math.max(0, 2 * reserve - home.resolve("reserve").toFile().length());
        }
      }
      return needed;
    } catch (IOException | DirectoryIteratorException | UnsupportedOperationException unknown) {
      // A record that is not written is lost for certain. On Windows, where files have no device,
      // there are no agents.
      return 0;
    }
  }

  private static Object device(Path path) throws IOException {
    return Files.getAttribute(path, "unix:dev");
  }

  /** Whether an agent has a buffer there, or can start there. */
  private static boolean isUsed(Path home) {
    return Files.exists(home.resolve("buffer.db")) || Files.exists(home.resolve("echopost"));
  }
}
