package com.datanadhi.hub.intake;

/// Is told how long each append took. Called by the threads that append: quick and thread-safe.
@FunctionalInterface
public interface AppendTimer {
  /// Called after each append that is durable.
  ///
  /// @param logRecords of the append
  /// @param bytes of their payloads
  /// @param nanos from the append to durability
  void appended(int logRecords, long bytes, long nanos);
}
