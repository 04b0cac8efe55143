package com.datanadhi.echopost.torture;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/// A Linux control group with a memory limit: the kernel kills a process that exceeds it. Uses
/// cgroup version 1 if the machine has its memory controller, else version 2.
final class MemoryCgroup implements AutoCloseable {
  private static final Path VERSION_1 = Path.of("/sys/fs/cgroup/memory");
  private static final Path VERSION_2 = Path.of("/sys/fs/cgroup");

  private static final long POLL_NANOS = 1_000_000;

  private final Path group;

  private MemoryCgroup(Path group) {
    this.group = group;
  }

  /// Whether this user can create one on this machine.
  static boolean isAvailable() {
    try (MemoryCgroup _ = of(1 << 30)) {
      return true;
    } catch (IOException unavailable) {
      return false;
    }
  }

  /// Creates a group without processes.
  ///
  /// @param bytes the limit for all processes of the group together
  /// @throws IOException if this user cannot create one
  static MemoryCgroup of(long bytes) throws IOException {
    boolean version1 = Files.isDirectory(VERSION_1);
    Path group = Files.createTempDirectory(version1 ? VERSION_1 : VERSION_2, "echopost-torture");
    MemoryCgroup limit = new MemoryCgroup(group);
    try {
      Files.writeString(
          group.resolve(version1 ? "memory.limit_in_bytes" : "memory.max"), Long.toString(bytes));
      return limit;
    } catch (IOException refused) {
      limit.close();
      throw refused;
    }
  }

  /// A command that starts `program` in this group.
  List<String> command(Path program) {
    return List.of(
        "sh",
        "-c",
        "echo $$ > \"$0\" && exec \"$@\"",
        group.resolve("cgroup.procs").toString(),
        program.toString());
  }

  /// Waits for the last process of the group, which must be about to end, and deletes the group.
  @Override
  public void close() throws IOException {
    while (!Files.readString(group.resolve("cgroup.procs")).isEmpty()) {
      LockSupport.parkNanos(POLL_NANOS);
    }
    Files.delete(group);
  }
}
