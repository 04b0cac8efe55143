package com.datanadhi.hub.admin;

import java.io.IOException;

/// The administration of a data directory on which no hub runs.
public interface OfflineHub extends Administration, AutoCloseable {
  @Override
  void close() throws IOException;

  /// Opens them.
  @FunctionalInterface
  interface Factory {
    /// Opens the data directory. The caller holds its lock until the result is closed.
    ///
    /// @param settings of the last `serve` on it
    /// @param version of the program
    /// @throws AdministrationException the directory cannot be used as it is
    OfflineHub open(HubSettings settings, String version)
        throws AdministrationException, IOException, InterruptedException;
  }
}
