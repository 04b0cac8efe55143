package com.datanadhi.hub.health;

import java.util.List;
import java.util.Map;

/// What `GET /health` says.
///
/// @param components the state of each: `ok` or `connected`, or what is wrong
/// @param applierLagMillis the age of the oldest record that is durable and not applied
/// @param reasons why it is not healthy
public record HealthReport(
    Status status, Map<String, String> components, long applierLagMillis, List<String> reasons) {
  public HealthReport {
    reasons = List.copyOf(reasons);
  }

  /// How the hub is.
  public enum Status {
    /// Everything works.
    HEALTHY,
    /// Records are accepted; something else needs a person.
    DEGRADED,
    /// Records are not accepted.
    UNHEALTHY
  }
}
