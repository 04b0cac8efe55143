package com.datanadhi.hub.intake;

import java.util.Map;

/// What became of the transactions that came since the process started, at one moment. Always
/// `received = appended + duplicates + conflicts + refused + unknown + inProgress`.
///
/// @param received handed over by the doors
/// @param appended stored for the first time
/// @param duplicates stored before
/// @param conflicts their key is known with another payload
/// @param refused not stored, by reason: `invalid`, `too_large`, `upload_refused`, or the reason of
///   the [Outcome.Unavailable]
/// @param unknown the log failed, or the caller was interrupted: stored or not
/// @param inProgress not answered yet
public record IntakeCounts(
    long received,
    long appended,
    long duplicates,
    long conflicts,
    Map<String, Long> refused,
    long unknown,
    long inProgress) {
  public IntakeCounts {
    refused = Map.copyOf(refused);
  }

  /// Received minus everything that is accounted for: 0.
  public long difference() {
    return received
        - appended
        - duplicates
        - conflicts
        - refused.values().stream().mapToLong(Long::longValue).sum()
        - unknown
        - inProgress;
  }
}
