package com.datanadhi.hub.intake;

import org.jspecify.annotations.Nullable;

/// Bounds the bytes of requests and records in memory. An amount that does not fit is refused at
/// once; while others wait, one tenant cannot hold more than half. Thread-safe.
public final class Admission {
  /// @param bytes the bound
  public Admission(long bytes) {
    throw new UnsupportedOperationException();
  }

  /// A bound of so many bytes.
  ///
  /// @return null if it does not fit
  public @Nullable Lease tryAcquire(String tenant, long bytes) {
    throw new UnsupportedOperationException();
  }

  /// Bytes that a request holds. Not thread-safe.
  public interface Lease extends AutoCloseable {
    /// A bound of so many bytes.
    ///
    /// @return whether that many more fit
    boolean tryGrow(long bytes);

    /// Gives all back.
    @Override
    void close();
  }
}
