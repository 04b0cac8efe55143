package com.datanadhi.echopost.torture;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/// A control group of Linux, in which the kernel kills what needs more memory than there is.
/// Version 1 or 2, whichever the machine has and lets us use.
final class MemoryLimit implements AutoCloseable {
  private static final Path VERSION_1 = Path.of("/sys/fs/cgroup/memory");
  private static final Path VERSION_2 = Path.of("/sys/fs/cgroup");

  private static final long LOOK_AGAIN_NANOS = 1_000_000;

  private final Path group;

  private MemoryLimit(Path group) {
    this.group = group;
  }

  /// Whether such groups can be made here.
  static boolean isPossible() {
    try (MemoryLimit _ = of(1 << 30)) {
      return true;
    } catch (IOException notHere) {
      return false;
    }
  }

  /// A group without processes.
  ///
  /// @param bytes what they may have in all
  /// @throws IOException when it cannot be made here
  static MemoryLimit of(long bytes) throws IOException {
    boolean first = Files.isDirectory(VERSION_1);
    Path group = Files.createTempDirectory(first ? VERSION_1 : VERSION_2, "echopost-torture");
    MemoryLimit limit = new MemoryLimit(group);
    try {
      Files.writeString(
          group.resolve(first ? "memory.limit_in_bytes" : "memory.max"), Long.toString(bytes));
      return limit;
    } catch (IOException refused) {
      limit.close();
      throw refused;
    }
  }

  /// What starts `program` in this group.
  List<String> command(Path program) {
    return List.of(
        "sh",
        "-c",
        "echo $$ > \"$0\" && exec \"$@\"",
        group.resolve("cgroup.procs").toString(),
        program.toString());
  }

  /// Ends the group with its last process, which must be about to end.
  @Override
  public void close() throws IOException {
    while (!Files.readString(group.resolve("cgroup.procs")).isEmpty()) {
      LockSupport.parkNanos(LOOK_AGAIN_NANOS);
    }
    Files.delete(group);
  }
}
