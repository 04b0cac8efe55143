package com.datanadhi.hub.http;

import com.datanadhi.hub.health.HealthReport;
import org.jspecify.annotations.Nullable;

/// How the hub is. Thread-safe; answers at once.
public interface HealthSource {
  /// Why an append would not be accepted now, or null if it would be.
  @Nullable String appendProblem();

  /// The report of `GET /health`.
  HealthReport report();
}
