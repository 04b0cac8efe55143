package com.datanadhi.hub.intake;

import java.util.List;
import java.util.TreeMap;

/// Counts transactions. One lock makes a snapshot exact; it is taken twice a call. Thread-safe.
final class Counting {
  /// The reasons of outcomes that are not refusals of the hub, or that have a class of their own.
  static final String UNKNOWN = "unknown";

  private final TreeMap<String, Long> refused = new TreeMap<>();
  private long received;
  private long appended;
  private long duplicates;
  private long conflicts;
  private long unknown;
  private long inProgress;

  synchronized void begin(int transactions) {
    received += transactions;
    inProgress += transactions;
  }

  synchronized void end(List<Outcome> outcomes) {
    inProgress -= outcomes.size();
    for (Outcome outcome : outcomes) {
      switch (outcome) {
        case Outcome.Stored stored -> {
          if (stored.replayed()) {
            duplicates++;
          } else {
            appended++;
          }
        }
        case Outcome.Conflict _ -> conflicts++;
        case Outcome.Invalid invalid ->
            refused.merge(invalid.status() == 413 ? "too_large" : "invalid", 1L, Long::sum);
        case Outcome.Unavailable unavailable -> {
          if (unavailable.reason().equals(UNKNOWN)) {
            unknown++;
          } else {
            refused.merge(unavailable.reason(), 1L, Long::sum);
          }
        }
      }
    }
  }

  /// The call ended without outcomes.
  synchronized void abandon(int transactions) {
    inProgress -= transactions;
    unknown += transactions;
  }

  synchronized IntakeCounts snapshot() {
    return new IntakeCounts(
        received, appended, duplicates, conflicts, refused, unknown, inProgress);
  }
}
