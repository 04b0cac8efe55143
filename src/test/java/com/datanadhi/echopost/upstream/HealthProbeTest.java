package com.datanadhi.echopost.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.time.ManualClock;
import com.datanadhi.echopost.upstream.ServerState.Health;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HealthProbeTest {
  private static final ServerResponse WELL = answer(200, null);
  private static final ServerResponse ILL = answer(503, null);
  private static final ServerResponse GONE = new ServerResponse.NoAnswer("connection refused");

  private final Deque<ServerResponse> answers = new ArrayDeque<>();
  private final AtomicInteger probes = new AtomicInteger();
  private final AtomicInteger ups = new AtomicInteger();
  private Runnable whileAsking = () -> {};
  private final HealthProbe probe =
      new HealthProbe(
          () -> {
            int _ = probes.incrementAndGet();
            whileAsking.run();
            return answers.remove();
          },
          () -> {
            int _ = ups.incrementAndGet();
          },
          new ManualClock());
  private final ServerState state = probe.state();

  private static ServerResponse answer(int status, @Nullable Duration retryAfter) {
    return new ServerResponse.Answered(status, retryAfter, "");
  }

  private Duration turn(ServerResponse answer) throws InterruptedException {
    answers.add(answer);
    return probe.turn();
  }

  @Test
  void nobody_knows_the_server_before_the_first_probe() {
    assertThat(state.health()).isEqualTo(Health.UNKNOWN);
  }

  @Test
  void the_first_probe_is_made_at_once() throws InterruptedException {
    assertThat(turn(WELL)).isEqualTo(Duration.ofSeconds(2));
    assertThat(probes).hasValue(1);
    assertThat(state.health()).isEqualTo(Health.UP);
  }

  @ParameterizedTest
  @ValueSource(ints = {200, 204, 299})
  void any_2xx_is_well(int status) throws InterruptedException {
    Duration _ = turn(answer(status, null));
    assertThat(state.health()).isEqualTo(Health.UP);
  }

  @ParameterizedTest
  @ValueSource(ints = {100, 199, 300, 301, 404, 429, 500, 503, 599})
  void any_other_answer_is_not(int status) throws InterruptedException {
    Duration _ = turn(answer(status, null));
    assertThat(state.health()).isEqualTo(Health.DOWN);
  }

  @Test
  void the_period_grows_to_two_seconds_while_the_server_is_down() throws InterruptedException {
    for (int millis : new int[] {250, 500, 1_000, 2_000, 2_000, 2_000}) {
      assertThat(turn(millis == 500 ? ILL : GONE)).isEqualTo(Duration.ofMillis(millis));
    }
    assertThat(state.health()).isEqualTo(Health.DOWN);
  }

  @Test
  void a_success_resets_the_period() throws InterruptedException {
    Duration _ = turn(GONE);
    Duration _ = turn(GONE);
    Duration _ = turn(WELL);
    assertThat(turn(GONE)).isEqualTo(Duration.ofMillis(250));
  }

  @ParameterizedTest
  @CsvSource({"0, 250", "1, 1000", "60, 60000", "300, 300000", "301, 300000", "2147483647, 300000"})
  void retry_after_is_honoured_up_to_five_minutes(long seconds, long millis)
      throws InterruptedException {
    assertThat(turn(answer(503, Duration.ofSeconds(seconds)))).isEqualTo(Duration.ofMillis(millis));
  }

  @Test
  void retry_after_never_shortens_the_period() throws InterruptedException {
    for (int i = 0; i < 3; i++) {
      Duration _ = turn(ILL);
    }
    assertThat(turn(answer(503, Duration.ofSeconds(1)))).isEqualTo(Duration.ofSeconds(2));
  }

  @Test
  void each_return_of_the_server_is_told_once() throws InterruptedException {
    Duration _ = turn(WELL);
    Duration _ = turn(WELL);
    assertThat(ups).hasValue(1);
    Duration _ = turn(GONE);
    assertThat(ups).hasValue(1);
    Duration _ = turn(WELL);
    assertThat(ups).hasValue(2);
  }

  @Test
  void a_suspicion_puts_the_server_down_and_delays_the_next_probe_by_its_pause()
      throws InterruptedException {
    Duration _ = turn(WELL);
    state.suspect(Duration.ofSeconds(7), "HTTP 503");
    assertThat(state.health()).isEqualTo(Health.DOWN);
    assertThat(probe.turn()).isEqualTo(Duration.ofSeconds(7));
    assertThat(probes).hasValue(1);
    assertThat(turn(WELL)).isEqualTo(Duration.ofSeconds(2));
    assertThat(state.health()).isEqualTo(Health.UP);
    assertThat(ups).hasValue(2);
  }

  @Test
  void after_a_suspicion_the_period_begins_anew() throws InterruptedException {
    for (int i = 0; i < 4; i++) {
      Duration _ = turn(GONE);
    }
    state.suspect(Duration.ofMillis(1), "HTTP 503");
    assertThat(probe.turn()).isEqualTo(Duration.ofMillis(1));
    assertThat(turn(GONE)).isEqualTo(Duration.ofMillis(250));
  }

  @Test
  void of_two_suspicions_the_last_ones_pause_counts() throws InterruptedException {
    state.suspect(Duration.ofSeconds(3), "a");
    state.suspect(Duration.ofSeconds(5), "b");
    assertThat(probe.turn()).isEqualTo(Duration.ofSeconds(5));
    assertThat(turn(WELL)).isEqualTo(Duration.ofSeconds(2));
  }

  @Test
  void a_probe_that_a_suspicion_overtook_says_nothing() throws InterruptedException {
    whileAsking = () -> state.suspect(Duration.ofSeconds(3), "HTTP 503");
    Duration _ = turn(WELL);
    assertThat(state.health()).isEqualTo(Health.DOWN);
    assertThat(ups).hasValue(0);
    whileAsking = () -> {};
    assertThat(probe.turn()).isEqualTo(Duration.ofSeconds(3));
    assertThat(probes).hasValue(1);
    Duration _ = turn(WELL);
    assertThat(state.health()).isEqualTo(Health.UP);
  }

  @Test
  void a_suspicion_wakes_the_loop_out_of_its_wait() throws InterruptedException {
    answers.add(WELL);
    Thread loop =
        Thread.ofVirtual()
            .start(() -> {
              try {
                probe.run();
              } catch (InterruptedException ended) {
                Thread.currentThread().interrupt();
              }
            });
    org.awaitility.Awaitility.await().until(() -> state.health() == Health.UP);
    answers.add(WELL);
    state.suspect(Duration.ofMillis(1), "HTTP 503");
    org.awaitility.Awaitility.await().until(() -> ups.get() == 2);
    loop.interrupt();
    loop.join();
    assertThat(probes).hasValue(2);
  }
}
