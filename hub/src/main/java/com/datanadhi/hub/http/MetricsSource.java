package com.datanadhi.hub.http;

import com.datanadhi.hub.metrics.HubMetrics;

/// The metrics as text: `metrics::text`. Thread-safe.
@FunctionalInterface
public interface MetricsSource {
  /// Renders all metrics.
  ///
  /// @param accept the request's `Accept`, by which the format is chosen; empty if it has none
  HubMetrics.Text text(String accept);
}
