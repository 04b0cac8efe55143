package com.datanadhi.echopost.replay;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Random;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BackoffTest {
  private static final long[] CEILINGS = {
    250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000
  };

  /// Draws always the largest value, or always the smallest.
  private static RandomGenerator extreme(boolean largest) {
    return new RandomGenerator() {
      @Override
      public long nextLong() {
        throw new UnsupportedOperationException("only bounded draws are expected");
      }

      @Override
      public long nextLong(long origin, long bound) {
        return largest ? bound - 1 : origin;
      }
    };
  }

  @Test
  void the_ceiling_doubles_up_to_thirty_seconds() {
    Backoff longest = new Backoff(extreme(true));
    Backoff shortest = new Backoff(extreme(false));
    for (long ceiling : CEILINGS) {
      assertThat(longest.next(null)).isEqualTo(Duration.ofMillis(ceiling));
      assertThat(shortest.next(null)).isEqualTo(Duration.ofMillis(1));
    }
  }

  @Test
  void the_jitter_is_full() {
    Random random = new Random(1);
    for (int attempt = 0; attempt < CEILINGS.length; attempt++) {
      long ceiling = CEILINGS[attempt];
      long sum = 0;
      for (int round = 0; round < 2_000; round++) {
        Backoff backoff = new Backoff(random);
        for (int before = 0; before < attempt; before++) {
          Duration _ = backoff.next(null);
        }
        Duration pause = backoff.next(null);
        assertThat(pause).isBetween(Duration.ofMillis(1), Duration.ofMillis(ceiling));
        sum += pause.toMillis();
      }
      assertThat((double) sum / 2_000).isBetween(0.45 * ceiling, 0.55 * ceiling);
    }
  }

  @Test
  void it_stays_at_the_cap_during_a_long_outage() {
    Backoff backoff = new Backoff(extreme(true));
    for (int attempt = 0; attempt < 1_000; attempt++) {
      assertThat(backoff.next(null)).isBetween(Duration.ofMillis(250), Duration.ofSeconds(30));
    }
    assertThat(backoff.next(null)).isEqualTo(Duration.ofSeconds(30));
  }

  @Test
  void a_success_resets_the_pause() {
    Backoff backoff = new Backoff(extreme(true));
    Duration _ = backoff.next(null);
    Duration _ = backoff.next(null);
    backoff.reset();
    assertThat(backoff.next(null)).isEqualTo(Duration.ofMillis(250));
  }

  @ParameterizedTest
  @CsvSource({"0, 250", "249, 250", "251, 251", "60000, 60000", "300000, 300000", "300001, 300000"})
  void retry_after_is_a_lower_bound_up_to_five_minutes(long asked, long pause) {
    assertThat(new Backoff(extreme(true)).next(Duration.ofMillis(asked)))
        .isEqualTo(Duration.ofMillis(pause));
  }
}
