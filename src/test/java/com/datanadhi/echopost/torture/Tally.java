package com.datanadhi.echopost.torture;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// What came of a campaign: figures, and each promise that was broken. Thread-safe.
final class Tally {
  /// A figure of every campaign.
  enum Count {
    KILLS,
    ACKNOWLEDGED,
    DELIVERED,
    LOST,
    REORDERED,
    REPEATS
  }

  /// The time that every campaign tells: from a record's sending to its acknowledgement.
  static final String LATENCY = "latency";

  private static final int NAMED = 20;

  private final Map<Count, Long> counts = new LinkedHashMap<>();
  private final Map<String, Long> others = new LinkedHashMap<>();
  private final Map<String, Double> worst = new LinkedHashMap<>();
  private final Map<String, Long> peaks = new LinkedHashMap<>();
  private final List<String> broken = new ArrayList<>();
  private long brokenInAll;

  Tally() {
    for (Count count : Count.values()) {
      counts.put(count, 0L);
    }
    worst.put(LATENCY, 0.0);
  }

  synchronized void add(Count what, long more) {
    counts.merge(what, more, Long::sum);
  }

  /// A figure that only this campaign has.
  synchronized void add(String what, long more) {
    others.merge(what, more, Long::sum);
  }

  /// A time of which the longest is told.
  synchronized void took(String what, long nanos) {
    worst.merge(what, nanos / (double) TimeUnit.MILLISECONDS.toNanos(1), Math::max);
  }

  /// A figure of which the highest is told.
  synchronized void peak(String what, long value) {
    peaks.merge(what, value, Math::max);
  }

  /// A promise was broken.
  ///
  /// @param how in a line, with what is needed to look into it
  synchronized void broken(String how) {
    brokenInAll++;
    if (broken.size() < NAMED) {
      broken.add(how);
    }
  }

  /// Adds what a part of this campaign came to.
  ///
  /// @param where names the part behind each promise that it broke
  synchronized void take(Tally part, String where) {
    part.counts.forEach(this::add);
    part.broken().forEach(how -> broken(how + " [" + where + "]"));
  }

  synchronized boolean isSound() {
    return brokenInAll == 0;
  }

  synchronized long count(Count what) {
    return counts.getOrDefault(what, 0L);
  }

  /// The promises that were broken, a line each, the first ones only.
  synchronized List<String> broken() {
    List<String> named = new ArrayList<>(broken);
    if (brokenInAll > broken.size()) {
      named.add("… and " + (brokenInAll - broken.size()) + " more");
    }
    return named;
  }

  /// All figures, in a line.
  @Override
  public synchronized String toString() {
    List<String> figures = new ArrayList<>();
    counts.forEach((count, n) ->
        figures.add(
            String.format(Locale.ROOT, "%s %,d", count.name().toLowerCase(Locale.ROOT), n)));
    worst.forEach((name, millis) ->
        figures.add(String.format(Locale.ROOT, "worst %s %,.1f ms", name, millis)));
    others.forEach((name, n) -> figures.add(String.format(Locale.ROOT, "%s %,d", name, n)));
    peaks.forEach((what, n) -> figures.add(String.format(Locale.ROOT, "at most %,d %s", n, what)));
    return String.join(", ", figures);
  }
}
