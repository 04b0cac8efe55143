package com.datanadhi.hub.health;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What `GET /health` says.
///
/// @param components the state of each: `ok` or `connected`, or what is wrong
/// @param applierLagMillis the age of the oldest record that is durable and not applied
/// @param lastSnapshot when the newest snapshot was begun; null if there is none
/// @param reasons why it is not healthy
public record HealthReport(
    Status status,
    Map<String, String> components,
    long applierLagMillis,
    @Nullable Instant lastSnapshot,
    List<String> reasons) {
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
