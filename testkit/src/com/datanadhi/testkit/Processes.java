package com.datanadhi.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;

/// Signals for processes.
public final class Processes {
  private Processes() {}

  /// Kills a process and its descendants with SIGKILL.
  public static void kill(Process process) {
    // A stopped launcher cannot start another agent after its descendants have been listed.
    signal(process.toHandle(), "STOP");
    List<ProcessHandle> descendants = process.descendants().toList();
    process.destroyForcibly();
    descendants.forEach(ProcessHandle::destroyForcibly);
  }

  /// Sends a signal, if the process still exists.
  ///
  /// @param name as in kill(1)
  public static void signal(ProcessHandle process, String name) {
    try {
      new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
          .redirectErrorStream(true)
          .start()
          .waitFor();
    } catch (IOException noKill) {
      throw new UncheckedIOException(noKill);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /// Whether the process is a JVM: the agent itself, and not its launcher.
  public static boolean isJvm(ProcessHandle process) {
    return process.info().command().orElse("").endsWith("/java");
  }
}
