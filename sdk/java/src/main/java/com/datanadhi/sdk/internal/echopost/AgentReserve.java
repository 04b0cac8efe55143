package com.datanadhi.sdk.internal.echopost;

import com.datanadhi.sdk.internal.files.DroppedFiles;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
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
  public long bytes(Path directory) throws IOException {
    FileStore store = Files.getFileStore(directory);
    long reserve = Math.max(SMALLEST, Math.min(LARGEST, store.getTotalSpace() / SHARE));
    long needed = 0;
    try (DirectoryStream<Path> homes = Files.newDirectoryStream(sdkDirectory, "echopost*")) {
      for (Path home : homes) {
        if (isUsed(home) && Files.getFileStore(home).equals(store)) {
          Path file = home.resolve("reserve");
          long held = Files.exists(file) ? Files.size(file) : 0;
          needed += Math.max(0, 2 * reserve - held);
        }
      }
    }
    return needed;
  }

  /** Whether an agent has a buffer there, or can start there. */
  private static boolean isUsed(Path home) {
    return Files.exists(home.resolve("buffer.db")) || Files.exists(home.resolve("echopost"));
  }
}
