package com.datanadhi.hub.apply;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.hub.time.Clock;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClockGuardTest {
  @TempDir Path directory;

  private final TestClock clock = new TestClock();

  private ClockGuard guard(long lastStoredAt) throws Exception {
    return new ClockGuard(
        clock, directory.resolve("clock-stepped"), lastStoredAt, Duration.ofDays(30));
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
  void records_follow_a_step_of_up_to_a_day_and_each_step_back() throws Exception {
    ClockGuard guard = guard(0);
    Clock records = guard.forRecords();
    clock.step(Duration.ofDays(1).toMillis());
    assertThat(records.wallMillis()).isEqualTo(clock.wallMillis());
    clock.pass(5_000);
    clock.step(-Duration.ofDays(40).toMillis());
    assertThat(records.wallMillis()).isEqualTo(clock.wallMillis());
    assertThat(guard.isPaused()).isTrue();
  }

  @Test
  void after_a_larger_step_the_time_of_records_goes_on_until_the_clock_is_accepted()
      throws Exception {
    ClockGuard guard = guard(0);
    Clock records = guard.forRecords();
    long before = clock.wallMillis();
    clock.pass(1_000);
    clock.step(Duration.ofDays(40).toMillis());

    assertThat(records.wallMillis()).isEqualTo(before + 1_000);
    for (int i = 0; i < 10_000; i++) {
      clock.passNanos(500_000);
      long _ = records.wallMillis();
    }
    assertThat(records.wallMillis()).isEqualTo(before + 6_000);
    assertThat(guard.reason()).contains("3456000 s", "goes on");

    guard.accept();

    assertThat(records.wallMillis()).isEqualTo(clock.wallMillis());
    assertThat(guard.reason()).isNull();
  }

  @Test
  void after_a_larger_step_the_time_of_records_goes_on_until_the_clock_comes_back()
      throws Exception {
    ClockGuard guard = guard(0);
    Clock records = guard.forRecords();
    clock.step(Duration.ofDays(40).toMillis());
    long _ = records.wallMillis();
    clock.pass(10_000);
    clock.step(-Duration.ofDays(40).plusHours(2).toMillis());

    assertThat(records.wallMillis()).isEqualTo(clock.wallMillis());
    assertThat(guard.isPaused()).isTrue();
    assertThat(guard.reason()).doesNotContain("goes on");
    assertThat(guard(clock.wallMillis() - Duration.ofDays(9).toMillis()).forRecords().wallMillis())
        .isEqualTo(clock.wallMillis());
  }

  @Test
  void after_a_restart_the_time_of_records_goes_on_from_the_last_one() throws Exception {
    long last = clock.wallMillis();
    clock.step(1_000);
    ClockGuard guard = guard(last);
    clock.step(Duration.ofDays(40).toMillis());
    assertThat(guard.isPaused()).isTrue();
    clock.pass(60_000);

    Clock records = guard(last).forRecords();

    assertThat(records.wallMillis()).isEqualTo(last);
    clock.pass(5_000);
    assertThat(records.wallMillis()).isEqualTo(last + 5_000);
  }

  @Test
  void a_clock_far_before_the_last_stored_record_pauses_at_start() throws Exception {
    assertThat(guard(clock.wallMillis() + 3_601_000).isPaused()).isTrue();
  }
}
