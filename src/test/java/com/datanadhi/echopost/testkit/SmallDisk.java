package com.datanadhi.echopost.testkit;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// A real file system of a few megabytes, in memory. Only root can mount one. For one thread.
public final class SmallDisk implements AutoCloseable {
  private final Path directory;

  private SmallDisk(Path directory) {
    this.directory = directory;
  }

  /// Mounts one at `directory`, which is made.
  ///
  /// @throws IOException when that is not allowed
  public static SmallDisk mount(Path directory, int mebibytes)
      throws IOException, InterruptedException {
    return mount(directory, mebibytes, "exec");
  }

  /// As above, with another of mount(8)'s options.
  public static SmallDisk mount(Path directory, int mebibytes, String option)
      throws IOException, InterruptedException {
    Path _ = Files.createDirectories(directory);
    run(
        "mount",
        "-t",
        "tmpfs",
        "-o",
        "size=" + mebibytes + "m,mode=0700," + option,
        "none",
        directory.toString());
    return new SmallDisk(directory);
  }

  /// Why none can be mounted here, or nothing.
  public static String obstacle() {
    try {
      Path directory = Files.createTempDirectory("small-disk");
      try (SmallDisk _ = mount(directory, 1)) {
        return "";
      } finally {
        Files.delete(directory);
      }
    } catch (IOException refused) {
      return "no small file system can be mounted (" + refused.getMessage() + "): run it as root";
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return "interrupted";
    }
  }

  private static void run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(List.of(command)).redirectErrorStream(true).start();
    String said =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    if (process.waitFor() != 0) {
      throw new IOException(said);
    }
  }

  /// Bytes that can still be written.
  public long free() throws IOException {
    return Files.getFileStore(directory).getUsableSpace();
  }

  @Override
  public void close() throws IOException, InterruptedException {
    // At once, whoever still has a file open on it.
    run("umount", "-l", directory.toString());
  }
}
