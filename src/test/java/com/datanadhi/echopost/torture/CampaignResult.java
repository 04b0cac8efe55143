package com.datanadhi.echopost.torture;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// The result of a campaign: its counts, times and other figures, and each violation of a promise.
/// Thread-safe.
final class CampaignResult {
  /// The counts that every campaign has.
  enum Counter {
    KILLS,
    ACKNOWLEDGED,
    DELIVERED,
    LOST,
    REORDERED,
    REPEATS
  }

  /// The time that every campaign has: from sending a record to its acknowledgement.
  static final String LATENCY = "latency";

  private static final int MAX_LISTED_VIOLATIONS = 20;

  private final Map<Counter, Long> counters = new LinkedHashMap<>();
  private final Map<String, Long> ownCounters = new LinkedHashMap<>();
  private final Map<String, Double> longestMillis = new LinkedHashMap<>();
  private final Map<String, Long> maxima = new LinkedHashMap<>();
  private final List<String> listedViolations = new ArrayList<>();
  private long violations;

  CampaignResult() {
    for (Counter counter : Counter.values()) {
      counters.put(counter, 0L);
    }
    longestMillis.put(LATENCY, 0.0);
  }

  synchronized void add(Counter counter, long more) {
    counters.merge(counter, more, Long::sum);
  }

  /// Adds to a count that only this campaign has.
  synchronized void add(String counter, long more) {
    ownCounters.merge(counter, more, Long::sum);
  }

  /// Records a time; the longest of each name is printed.
  synchronized void recordTime(String name, long nanos) {
    longestMillis.merge(name, nanos / (double) TimeUnit.MILLISECONDS.toNanos(1), Math::max);
  }

  /// Records a value; the highest of each name is printed.
  synchronized void recordMaximum(String name, long value) {
    maxima.merge(name, value, Math::max);
  }

  /// Adds a violation of a promise.
  ///
  /// @param description one line, with what is needed to investigate
  synchronized void addViolation(String description) {
    violations++;
    if (listedViolations.size() < MAX_LISTED_VIOLATIONS) {
      listedViolations.add(description);
    }
  }

  /// Adds the common counts and the violations of a part of this campaign.
  ///
  /// @param part a result that no other thread changes meanwhile
  /// @param where identifies the part in the text of its violations
  synchronized void merge(CampaignResult part, String where) {
    part.counters.forEach(this::add);
    part.violations().forEach(violation -> addViolation(violation + " [" + where + "]"));
  }

  synchronized boolean hasViolations() {
    return violations > 0;
  }

  synchronized long count(Counter counter) {
    return counters.getOrDefault(counter, 0L);
  }

  /// The first violations, one line each, and how many more there were.
  synchronized List<String> violations() {
    List<String> lines = new ArrayList<>(listedViolations);
    if (violations > listedViolations.size()) {
      lines.add("… and " + (violations - listedViolations.size()) + " more");
    }
    return lines;
  }

  /// All figures, in one line.
  @Override
  public synchronized String toString() {
    List<String> figures = new ArrayList<>();
    counters.forEach((counter, count) ->
        figures.add(
            String.format(Locale.ROOT, "%s: %,d", counter.name().toLowerCase(Locale.ROOT), count)));
    longestMillis.forEach((name, millis) ->
        figures.add(String.format(Locale.ROOT, "longest %s: %,.1f ms", name, millis)));
    ownCounters.forEach(
        (name, count) -> figures.add(String.format(Locale.ROOT, "%s: %,d", name, count)));
    maxima.forEach(
        (name, value) -> figures.add(String.format(Locale.ROOT, "max %s: %,d", name, value)));
    return String.join(", ", figures);
  }
}
