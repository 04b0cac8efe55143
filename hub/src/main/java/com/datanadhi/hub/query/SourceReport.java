package com.datanadhi.hub.query;

import com.datanadhi.hub.view.Interval;
import com.datanadhi.hub.view.SourceState;
import java.util.ArrayList;
import java.util.List;

/// What of a source is stored, and what is missing.
///
/// A gap is not always a loss: a record can have taken another way, such as a file that an operator
/// still has.
///
/// @param stored how many numbers
/// @param completeTo the largest m such that 1 to m are all stored, or 0
/// @param missing the first [#MAX_MISSING] ranges that are missing below the highest stored number
/// @param missingRanges how many there are in all
/// @param lastReceivedAt of its last stored record, in milliseconds since 1970
public record SourceReport(
    String source,
    long stored,
    long completeTo,
    List<Interval> missing,
    int missingRanges,
    long lastReceivedAt) {
  /// How many missing ranges are listed at most.
  public static final int MAX_MISSING = 1_000;

  public SourceReport {
    missing = List.copyOf(missing);
  }

  /// Whether there are more missing ranges than are listed.
  public boolean cut() {
    return missingRanges > missing.size();
  }

  /// The report of a source.
  public static SourceReport of(SourceState state) {
    long stored = 0;
    long end = 0;
    int ranges = 0;
    List<Interval> missing = new ArrayList<>();
    for (Interval interval : state.intervals()) {
      if (interval.first() > end + 1) {
        if (ranges++ < MAX_MISSING) {
          missing.add(new Interval(end + 1, interval.first() - 1));
        }
      }
      stored += interval.last() - interval.first() + 1;
      end = interval.last();
    }
    long completeTo =
        state.intervals().isEmpty() || state.intervals().getFirst().first() != 1
            ? 0
            : state.intervals().getFirst().last();
    return new SourceReport(
        state.source(), stored, completeTo, missing, ranges, state.lastReceivedAt());
  }
}
