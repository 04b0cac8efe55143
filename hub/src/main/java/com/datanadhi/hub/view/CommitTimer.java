package com.datanadhi.hub.view;

/// Is told how long each commit of a database took. Called by the threads that write: quick and
/// thread-safe.
@FunctionalInterface
public interface CommitTimer {
  /// Called after each commit of a transaction that wrote.
  void committed(long nanos);
}
