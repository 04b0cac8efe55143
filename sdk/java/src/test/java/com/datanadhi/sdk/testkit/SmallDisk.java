package com.datanadhi.sdk.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;

/** A file system of a few bytes of its own, in memory. Whoever may not mount one skips the test. */
public final class SmallDisk implements AutoCloseable {
  private final Path mountPoint;

  private SmallDisk(Path mountPoint) {
    this.mountPoint = mountPoint;
  }

  /** At {@code mountPoint}, which is made; {@code size} as mount has it: {@code 256k}. */
  public static SmallDisk mount(Path mountPoint, String size)
      throws IOException, InterruptedException {
    Optional<SmallDisk> mounted = tryMount(mountPoint, size);
    Assumptions.assumeTrue(
        mounted.isPresent(), "a small disk cannot be mounted here, which takes root on Linux");
    return mounted.orElseThrow();
  }

  /** As above; empty for whoever may not. */
  public static Optional<SmallDisk> tryMount(Path mountPoint, String size)
      throws IOException, InterruptedException {
    Files.createDirectories(mountPoint);
    return run("mount", "-t", "tmpfs", "-o", "size=" + size, "tmpfs", mountPoint.toString())
        ? Optional.of(new SmallDisk(mountPoint))
        : Optional.empty();
  }

  /** Lets nobody write any more. */
  public void becomeReadOnly() throws IOException, InterruptedException {
    if (!run("mount", "-o", "remount,ro", mountPoint.toString())) {
      throw new IOException(mountPoint + " cannot be mounted anew");
    }
  }

  /** Takes all the room there is, until the file is deleted. */
  public Path fill() throws IOException {
    Path filling = mountPoint.resolve("filling");
    try (var out = Files.newOutputStream(filling)) {
      while (true) {
        out.write(new byte[4096]);
      }
    } catch (IOException full) {
      return filling;
    }
  }

  private static boolean run(String... command) throws IOException, InterruptedException {
    return new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start()
            .waitFor()
        == 0;
  }

  /** Also while somebody has files open there. */
  @Override
  public void close() throws IOException, InterruptedException {
    run("umount", "-l", mountPoint.toString());
  }
}
