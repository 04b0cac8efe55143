package com.datanadhi.sdk.internal.echopost;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.sdk.internal.time.ManualTime;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class CooldownTest {
  private final ManualTime time = new ManualTime();
  private final Cooldown cooldown = new Cooldown(Duration.ofMinutes(1), Duration.ofHours(1), time);

  @Test
  void a_cooldown_doubles_from_a_minute_to_an_hour_until_a_success() {
    for (int minutes : new int[] {1, 2, 4, 8, 16, 32, 60, 60}) {
      assertThat(cooldown.begin()).isEqualTo(Duration.ofMinutes(minutes));
    }
    cooldown.reset();
    assertThat(cooldown.isRunning()).isFalse();
    assertThat(cooldown.begin()).isEqualTo(Duration.ofMinutes(1));
  }

  @Test
  void a_cooldown_runs_until_its_time_has_passed() {
    assertThat(cooldown.isRunning()).isFalse();
    cooldown.begin();
    time.advance(Duration.ofSeconds(60).minusNanos(1));
    assertThat(cooldown.isRunning()).isTrue();
    time.advance(Duration.ofNanos(1));
    assertThat(cooldown.isRunning()).isFalse();
  }
}
