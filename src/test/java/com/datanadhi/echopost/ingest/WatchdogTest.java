package com.datanadhi.echopost.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.time.ManualClock;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class WatchdogTest {
  private static final Duration TURN = Duration.ofMillis(40);

  private final ManualClock clock = new ManualClock();
  private final Watchdog watchdog = new Watchdog(clock);

  private void checkFor(Duration time) {
    for (Duration left = time; left.isPositive(); left = left.minus(TURN)) {
      clock.advance(TURN);
      watchdog.check();
    }
  }

  @Test
  void no_progress_for_more_than_30_seconds_means_stuck() {
    checkFor(Duration.ofSeconds(32));

    assertThat(watchdog.isStuck(Duration.ofSeconds(31).toNanos())).isTrue();
    assertThat(watchdog.isStuck(Duration.ofSeconds(29).toNanos())).isFalse();
  }

  /// kill -STOP, `docker pause`, a debugger.
  @Test
  void time_in_which_the_process_was_suspended_does_not_count() {
    checkFor(Duration.ofSeconds(32));

    clock.advance(Duration.ofHours(1));
    watchdog.check();

    assertThat(watchdog.isStuck(Duration.ofHours(1).toNanos())).isFalse();
    checkFor(Duration.ofSeconds(31));
    assertThat(watchdog.isStuck(Duration.ofSeconds(3_631).toNanos())).isTrue();
  }
}
