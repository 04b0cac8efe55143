package com.datanadhi.hub.admin;

/// Runs a hub, for the command `serve`.
@FunctionalInterface
public interface HubLauncher {
  /// Runs until a signal ends it in order, or it fails. The caller holds the lock of the data
  /// directory, which exists, until this returns.
  ///
  /// @param version of the program
  /// @param ownership of the data directory
  /// @return the exit status: 0 after a signal, 1 if it failed
  /// @throws InvalidSettingException a setting cannot work on this machine: exit status 2
  int run(HubSettings settings, String version, Ownership ownership)
      throws InvalidSettingException, InterruptedException;

  /// A setting is valid by its form, but cannot work here, such as an address that is in use or a
  /// certificate that cannot be read.
  final class InvalidSettingException extends Exception {
    private static final long serialVersionUID = 1;

    public InvalidSettingException(String message) {
      super(message);
    }
  }
}
