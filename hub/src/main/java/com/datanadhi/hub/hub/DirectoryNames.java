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
  private @Nullable String problem;

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
    try {
      if (!ownership.keep()) {
        Events.severe(
            "directory_taken",
            null,
            "reason",
            "another process has taken the data directory after hub.lock was deleted");
        // An end in order would write to the log, which is the other's now.
        Runtime.getRuntime().halt(HubRun.FAILED);
      }
      admin.keep();
      problem = null;
    } catch (IOException failed) {
      String reason = failed.toString();
      if (!reason.equals(problem)) {
        Events.warning("name_not_restored", "reason", reason);
      }
      problem = reason;
    }
  }
}
