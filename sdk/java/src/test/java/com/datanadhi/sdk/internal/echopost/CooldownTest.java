package com.datanadhi.sdk.internal.echopost;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class CooldownTest {
  private final AtomicLong now = new AtomicLong();
  private final Cooldown cooldown =
      new Cooldown(Duration.ofMinutes(1), Duration.ofHours(1), now::get);

  @Test
  void it_doubles_from_a_minute_to_an_hour_and_begins_anew_after_a_success() {
    for (int minutes : new int[] {1, 2, 4, 8, 16, 32, 60, 60}) {
      assertThat(cooldown.begin()).isEqualTo(Duration.ofMinutes(minutes));
    }
    cooldown.reset();
    assertThat(cooldown.isRunning()).isFalse();
    assertThat(cooldown.begin()).isEqualTo(Duration.ofMinutes(1));
  }

  @Test
  void it_runs_until_its_time_is_over() {
    assertThat(cooldown.isRunning()).isFalse();
    cooldown.begin();
    now.set(Duration.ofSeconds(60).toNanos() - 1);
    assertThat(cooldown.isRunning()).isTrue();
    now.set(Duration.ofSeconds(60).toNanos());
    assertThat(cooldown.isRunning()).isFalse();
  }
}
