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
    lookout.begin(forOne);
    clock.advance(howLong);
    lookout.end();
  }

  @Test
  void it_goes_on_while_one_thing_comes_soon_after_the_other() {
    waited(true, SHORT);
    lookout.begin(true);
    assertThat(lookout.goesOn()).isTrue();
    clock.advance(SHORT);
    assertThat(lookout.goesOn()).isTrue();
    lookout.end();
    assertThat(lookout.goesOn()).isFalse();
  }

  @Test
  void the_first_wait_of_all_is_slept_through() {
    lookout.end();
    lookout.begin(true);
    assertThat(lookout.goesOn()).isFalse();
  }

  @Test
  void it_ends_when_what_comes_is_late() {
    waited(true, SHORT);
    lookout.begin(true);
    clock.advance(LONG);
    assertThat(lookout.goesOn()).isFalse();
  }

  @Test
  void after_a_long_wait_the_next_is_slept_through() {
    waited(true, SHORT);
    waited(true, LONG);
    lookout.begin(true);
    assertThat(lookout.goesOn()).isFalse();
    clock.advance(SHORT);
    lookout.end();
    lookout.begin(true);
    assertThat(lookout.goesOn()).isTrue();
  }

  @Test
  void a_wait_for_many_is_slept_through() {
    waited(false, SHORT);
    lookout.begin(false);
    assertThat(lookout.goesOn()).isFalse();
  }

  @Test
  void a_clock_that_stands_still_does_not_keep_it_awake_for_ever() {
    waited(true, SHORT);
    lookout.begin(true);
    int looks = 0;
    while (lookout.goesOn()) {
      looks++;
    }
    assertThat(looks).isEqualTo(20_000);
  }

  @Test
  void a_single_processor_is_left_to_whoever_sends() {
    AdaptiveSpin alone = new AdaptiveSpin(clock, 1);
    alone.begin(true);
    clock.advance(SHORT);
    alone.end();
    alone.begin(true);
    assertThat(alone.goesOn()).isFalse();
  }
}
