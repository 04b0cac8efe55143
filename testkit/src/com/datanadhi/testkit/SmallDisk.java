package com.datanadhi.testkit;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/// A small file system in memory. Only root can mount one. Confined to one thread.
public final class SmallDisk implements AutoCloseable {
  private final Path mountPoint;

  private SmallDisk(Path mountPoint) {
    this.mountPoint = mountPoint;
  }

  /// Mounts a file system at `mountPoint`, which is created if it is missing.
  ///
  /// @param size as in mount(8): `256k`, `8m`
  /// @param options more options of mount(8)
  /// @throws IOException if that is not allowed
  public static SmallDisk mount(Path mountPoint, String size, String... options)
      throws IOException, InterruptedException {
    Files.createDirectories(mountPoint);
    String all = "size=" + size + ",mode=0700";
    for (String option : options) {
      all += "," + option;
    }
    run("mount", "-t", "tmpfs", "-o", all, "none", mountPoint.toString());
    return new SmallDisk(mountPoint);
  }

  /// The same for a test, which is skipped if no file system can be mounted.
  public static SmallDisk mountOrSkip(Path mountPoint, String size, String... options)
      throws IOException, InterruptedException {
    String reason = skipReason();
    assumeTrue(reason.isEmpty(), reason);
    return mount(mountPoint, size, options);
  }

  /// Why no file system can be mounted on this machine; empty if one can.
  public static String skipReason() {
    try {
      Path directory = Files.createTempDirectory("small-disk");
      try {
        mount(directory, "1m").close();
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

  /// The number of bytes that can still be written.
  public long free() throws IOException {
    return Files.getFileStore(mountPoint).getUsableSpace();
  }

  /// Fills the disk to its last byte, until the returned file is deleted. Can be repeated.
  ///
  /// @throws IOException if no file can be opened
  public Path fill() throws IOException {
    Path file = mountPoint.resolve("filling");
    try (OutputStream out =
        Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
      for (int piece = 1 << 16; piece > 0; piece /= 16) {
        fill(out, piece);
      }
    }
    return file;
  }

  private static void fill(OutputStream out, int piece) {
    try {
      while (true) {
        out.write(new byte[piece]);
      }
    } catch (IOException full) {
      // A smaller piece may still fit.
    }
  }

  /// Makes the file system read-only.
  public void remountReadOnly() throws IOException, InterruptedException {
    run("mount", "-o", "remount,ro", mountPoint.toString());
  }

  /// Makes the file system writable again.
  public void remountWritable() throws IOException, InterruptedException {
    run("mount", "-o", "remount,rw", mountPoint.toString());
  }

  /// Unmounts the file system, even if files in it are open.
  @Override
  public void close() throws IOException, InterruptedException {
    run("umount", "-l", mountPoint.toString());
  }

  private static void run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(List.of(command)).redirectErrorStream(true).start();
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    if (process.waitFor() != 0) {
      throw new IOException(output);
    }
  }
}
