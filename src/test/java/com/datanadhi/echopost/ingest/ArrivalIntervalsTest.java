package com.datanadhi.echopost.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class ArrivalIntervalsTest {
  private static final long START = Long.MAX_VALUE - 5; // nanoTime may wrap
  private final ArrivalIntervals intervals = new ArrivalIntervals(START);
  private long now = START;

  private void recordAfter(Duration interval) {
    now += interval.toNanos();
    intervals.recordAt(now);
  }

  @Test
  void before_the_first_record_the_last_time_is_the_start() {
    assertThat(intervals.lastNanos()).isEqualTo(START);
    assertThat(intervals.longestNanos()).isZero();
  }

  @Test
  void the_wait_for_the_first_record_is_no_interval() {
    recordAfter(Duration.ofSeconds(9));
    assertThat(intervals.lastNanos()).isEqualTo(now);
    assertThat(intervals.longestNanos()).isZero();
  }

  @Test
  void the_longest_recent_interval_is_remembered() {
    recordAfter(Duration.ZERO);
    recordAfter(Duration.ofSeconds(1));
    recordAfter(Duration.ofSeconds(3));
    recordAfter(Duration.ofSeconds(2));
    assertThat(intervals.longestNanos()).isEqualTo(Duration.ofSeconds(3).toNanos());
    assertThat(intervals.lastNanos()).isEqualTo(now);
  }

  @Test
  void an_interval_is_forgotten_after_eight_later_ones() {
    recordAfter(Duration.ZERO);
    recordAfter(Duration.ofSeconds(5));
    for (int i = 0; i < 7; i++) {
      recordAfter(Duration.ofSeconds(1));
    }
    assertThat(intervals.longestNanos()).isEqualTo(Duration.ofSeconds(5).toNanos());
    recordAfter(Duration.ofSeconds(1));
    assertThat(intervals.longestNanos()).isEqualTo(Duration.ofSeconds(1).toNanos());
  }

  @Test
  void a_burst_does_not_displace_the_intervals_between_bursts() {
    recordAfter(Duration.ZERO);
    recordAfter(Duration.ofSeconds(2));
    for (int i = 0; i < 100; i++) {
      recordAfter(Duration.ofMillis(99));
    }
    assertThat(intervals.longestNanos()).isEqualTo(Duration.ofSeconds(2).toNanos());
    for (int i = 0; i < 8; i++) {
      recordAfter(Duration.ofMillis(100));
    }
    assertThat(intervals.longestNanos()).isEqualTo(Duration.ofMillis(100).toNanos());
  }
}
