package com.datanadhi.echopost.time;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class AdaptiveSpinTest {
  private static final Duration SHORT = Duration.ofNanos(200_000);
  private static final Duration LONG = Duration.ofNanos(400_000);

  private final ManualClock clock = new ManualClock();
  private final AdaptiveSpin spin = new AdaptiveSpin(clock, 2);

  private void waited(boolean forOne, Duration howLong) {
    spin.beginWait(forOne);
    clock.advance(howLong);
    spin.endWait();
  }

  @Test
  void it_spins_after_a_short_wait_for_a_single_event() {
    waited(true, SHORT);
    spin.beginWait(true);
    assertThat(spin.shouldSpin()).isTrue();
    clock.advance(SHORT);
    assertThat(spin.shouldSpin()).isTrue();
    spin.endWait();
    assertThat(spin.shouldSpin()).isFalse();
  }

  @Test
  void the_first_wait_sleeps() {
    spin.endWait();
    spin.beginWait(true);
    assertThat(spin.shouldSpin()).isFalse();
  }

  @Test
  void it_stops_spinning_when_the_event_is_late() {
    waited(true, SHORT);
    spin.beginWait(true);
    clock.advance(LONG);
    assertThat(spin.shouldSpin()).isFalse();
  }

  @Test
  void after_a_long_wait_the_next_one_sleeps() {
    waited(true, SHORT);
    waited(true, LONG);
    spin.beginWait(true);
    assertThat(spin.shouldSpin()).isFalse();
    clock.advance(SHORT);
    spin.endWait();
    spin.beginWait(true);
    assertThat(spin.shouldSpin()).isTrue();
  }

  @Test
  void a_wait_for_several_events_sleeps() {
    waited(false, SHORT);
    spin.beginWait(false);
    assertThat(spin.shouldSpin()).isFalse();
  }

  @Test
  void a_clock_that_stands_still_does_not_keep_it_spinning() {
    waited(true, SHORT);
    spin.beginWait(true);
    int checks = 0;
    while (spin.shouldSpin()) {
      checks++;
    }
    assertThat(checks).isEqualTo(20_000);
  }

  @Test
  void on_a_single_processor_it_never_spins() {
    AdaptiveSpin alone = new AdaptiveSpin(clock, 1);
    alone.beginWait(true);
    clock.advance(SHORT);
    alone.endWait();
    alone.beginWait(true);
    assertThat(alone.shouldSpin()).isFalse();
  }
}
