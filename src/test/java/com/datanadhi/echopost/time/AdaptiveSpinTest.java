package com.datanadhi.echopost.time;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class AdaptiveSpinTest {
  private static final Duration SHORT = Duration.ofNanos(200_000);
  private static final Duration LONG = Duration.ofNanos(400_000);

  private final ManualClock clock = new ManualClock();
  private final AdaptiveSpin lookout = new AdaptiveSpin(clock, 2);

  private void waited(boolean forOne, Duration howLong) {
    lookout.beginWait(forOne);
    clock.advance(howLong);
    lookout.endWait();
  }

  @Test
  void it_goes_on_while_one_thing_comes_soon_after_the_other() {
    waited(true, SHORT);
    lookout.beginWait(true);
    assertThat(lookout.shouldSpin()).isTrue();
    clock.advance(SHORT);
    assertThat(lookout.shouldSpin()).isTrue();
    lookout.endWait();
    assertThat(lookout.shouldSpin()).isFalse();
  }

  @Test
  void the_first_wait_of_all_is_slept_through() {
    lookout.endWait();
    lookout.beginWait(true);
    assertThat(lookout.shouldSpin()).isFalse();
  }

  @Test
  void it_ends_when_what_comes_is_late() {
    waited(true, SHORT);
    lookout.beginWait(true);
    clock.advance(LONG);
    assertThat(lookout.shouldSpin()).isFalse();
  }

  @Test
  void after_a_long_wait_the_next_is_slept_through() {
    waited(true, SHORT);
    waited(true, LONG);
    lookout.beginWait(true);
    assertThat(lookout.shouldSpin()).isFalse();
    clock.advance(SHORT);
    lookout.endWait();
    lookout.beginWait(true);
    assertThat(lookout.shouldSpin()).isTrue();
  }

  @Test
  void a_wait_for_many_is_slept_through() {
    waited(false, SHORT);
    lookout.beginWait(false);
    assertThat(lookout.shouldSpin()).isFalse();
  }

  @Test
  void a_clock_that_stands_still_does_not_keep_it_awake_for_ever() {
    waited(true, SHORT);
    lookout.beginWait(true);
    int looks = 0;
    while (lookout.shouldSpin()) {
      looks++;
    }
    assertThat(looks).isEqualTo(20_000);
  }

  @Test
  void a_single_processor_is_left_to_whoever_sends() {
    AdaptiveSpin alone = new AdaptiveSpin(clock, 1);
    alone.beginWait(true);
    clock.advance(SHORT);
    alone.endWait();
    alone.beginWait(true);
    assertThat(alone.shouldSpin()).isFalse();
  }
}
