package com.datanadhi.hub.http;

import com.datanadhi.hub.intake.Admission;
import org.jspecify.annotations.Nullable;

/// Bounds the bytes of requests in memory: `admission::tryAcquire`. Thread-safe.
@FunctionalInterface
public interface MemoryBound {
  /// See [Admission#tryAcquire].
  Admission.@Nullable Lease tryAcquire(String tenant, long bytes);
}
