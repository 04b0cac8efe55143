package com.datanadhi.hub.cli;

import com.datanadhi.hub.admin.AdminClient;
import com.datanadhi.hub.admin.Administration;
import com.datanadhi.hub.admin.AdministrationException;
import com.datanadhi.hub.admin.OfflineHub;
import com.datanadhi.hub.hub.DataDirectoryLock;
import com.datanadhi.hub.time.Clock;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

/// Gives commands the hub of a directory: the one that runs, or its files under their lock.
final class HubAccess {
  /// A hub that is starting holds the lock before it serves its socket.
  private static final Duration STARTING = Duration.ofSeconds(10);

  private static final Duration STEP = Duration.ofMillis(100);

  private final OfflineHub.Factory offline;
  private final String version;

  HubAccess(OfflineHub.Factory offline, String version) {
    this.offline = offline;
    this.version = version;
  }

  /// What a command does with a hub.
  @FunctionalInterface
  interface Work {
    /// Does it.
    ///
    /// @param running false if no hub runs, and this command works on its files
    /// @return the exit status
    int run(Administration hub, boolean running)
        throws AdministrationException, IOException, InterruptedException;
  }

  /// Runs `work` on the hub of `directory`.
  ///
  /// @throws FailedException no hub has ever run there
  /// @throws DataDirectoryLock.OwnedException a process holds the lock, but does not serve
  int on(Path directory, Work work)
      throws AdministrationException,
          DataDirectoryLock.OwnedException,
          IOException,
          InterruptedException {
    DataDirectory.checkKnown(directory);
    long deadline = Clock.system().nanoTime() + STARTING.toNanos();
    while (true) {
      try (AdminClient client = AdminClient.connect(directory)) {
        if (client != null) {
          return work.run(client, true);
        }
      }
      try (DataDirectoryLock _ = DataDirectoryLock.take(directory, STEP);
          OfflineHub hub = offline.open(HubNotes.settings(directory), version)) {
        return work.run(hub, false);
      } catch (DataDirectoryLock.OwnedException owned) {
        if (Clock.system().nanoTime() - deadline >= 0) {
          throw owned;
        }
      }
    }
  }
}
