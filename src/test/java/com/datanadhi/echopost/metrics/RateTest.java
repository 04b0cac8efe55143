package com.datanadhi.echopost.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.time.ManualClock;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class RateTest {
  private final ManualClock clock = new ManualClock();
  private long count;
  private final Rate rate = new Rate(() -> count, clock);

  private void pass(int seconds, long perSecond) {
    for (int i = 0; i < 10 * seconds; i++) {
      clock.advance(Duration.ofMillis(100));
      count += perSecond / 10;
      rate.sample();
    }
  }

  @Test
  void at_first_it_is_the_mean_since_the_start() {
    pass(10, 100);
    assertThat(rate.perSecond()).isEqualTo(100);
    pass(10, 0);
    assertThat(rate.perSecond()).isEqualTo(50);
  }

  @Test
  void a_count_in_the_first_moment_is_divided_by_a_whole_second() {
    clock.advance(Duration.ofMillis(1));
    count = 1;
    assertThat(rate.perSecond()).isEqualTo(1);
  }

  @Test
  void later_it_is_the_mean_of_the_last_minute() {
    pass(300, 1_000);
    assertThat(rate.perSecond()).isEqualTo(1_000);
    pass(30, 0);
    assertThat(rate.perSecond()).isBetween(480.0, 520.0);
    pass(31, 0);
    assertThat(rate.perSecond()).isZero();
  }

  @Test
  void after_a_long_time_without_samples_it_is_the_mean_of_that_time() {
    pass(60, 0);
    clock.advance(Duration.ofMinutes(9));
    count += 60_000;
    assertThat(rate.perSecond()).isBetween(100.0, 112.0);
  }
}
