package com.datanadhi.hub.restore;

/// Is told how far a restore is. Called often, by the thread that restores.
@FunctionalInterface
public interface RestoreProgress {
  /// Tells how far it is.
  ///
  /// @param seq of the last record that is done
  /// @param total the seq at which it ends, as far as it is known
  void at(String tenant, long seq, long total);
}
