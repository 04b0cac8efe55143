package com.datanadhi.hub.apply;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClockGuardTest {
  @TempDir Path directory;

  private final TestClock clock = new TestClock();

  private ClockGuard guard(long lastStoredAt) throws Exception {
    return new ClockGuard(clock, directory.resolve("clock-stepped"), lastStoredAt);
  }

  @Test
  void a_clock_that_passes_is_trusted() throws Exception {
    ClockGuard guard = guard(clock.wallMillis() + 3_599_000);
    clock.pass(86_400_000);
    guard.turn();
    clock.step(59_000);
    guard.turn();

    assertThat(guard.isPaused()).isFalse();
  }

  @Test
  void a_step_pauses_until_it_is_accepted_also_across_a_restart() throws Exception {
    ClockGuard guard = guard(0);
    clock.step(-61_000);

    assertThat(guard.isPaused()).isTrue();
    assertThat(guard.reason()).contains("-61 s");
    ClockGuard restarted = guard(0);
    assertThat(restarted.isPaused()).isTrue();

    restarted.accept();
    restarted.turn();

    assertThat(restarted.isPaused()).isFalse();
    assertThat(guard(0).isPaused()).isFalse();
  }

  @Test
  void a_clock_far_before_the_last_stored_record_pauses_at_start() throws Exception {
    assertThat(guard(clock.wallMillis() + 3_601_000).isPaused()).isTrue();
  }
}
