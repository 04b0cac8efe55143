package com.datanadhi.hub.hub;

import com.datanadhi.hub.admin.AdminServer;
import com.datanadhi.hub.admin.Ownership;
import com.datanadhi.hub.logging.Events;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// Makes `hub.lock` and `hub.sock` again if somebody has deleted them: without both, a second hub
/// could start on the same directory.
final class DirectoryNames {
  private static final long PAUSE_MILLIS = 1_000;

  private final Ownership ownership;
  private final AdminServer admin;
  private @Nullable String lockProblem;
  private @Nullable String socketProblem;

  DirectoryNames(Ownership ownership, AdminServer admin) {
    this.ownership = ownership;
    this.admin = admin;
  }

  /// Works until it is interrupted, or ends the process.
  void run() throws InterruptedException {
    while (true) {
      Thread.sleep(PAUSE_MILLIS);
      turn();
    }
  }

  private void turn() {
    lockProblem = attempt(ownership::keep, lockProblem);
    socketProblem = attempt(admin::keep, socketProblem);
  }

  @FunctionalInterface
  private interface Attempt {
    void run() throws IOException;
  }

  /// Logs a problem once.
  ///
  /// @return what it is now; null if there is none
  private static @Nullable String attempt(Attempt attempt, @Nullable String before) {
    try {
      attempt.run();
      return null;
    } catch (IOException | RuntimeException failed) {
      String reason = failed.toString();
      if (!reason.equals(before)) {
        Events.warning("name_not_restored", "reason", reason);
      }
      return reason;
    }
  }
}
