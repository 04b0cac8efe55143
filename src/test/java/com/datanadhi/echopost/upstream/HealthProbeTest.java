package com.datanadhi.echopost.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.time.ManualClock;
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
  private static final ServerResponse OK = answer(200, null);
  private static final ServerResponse UNAVAILABLE = answer(503, null);
  private static final ServerResponse NO_ANSWER = new ServerResponse.NoAnswer("connection refused");

  private final Deque<ServerResponse> answers = new ArrayDeque<>();
  private final AtomicInteger probes = new AtomicInteger();
  private final AtomicInteger ups = new AtomicInteger();
  private Runnable duringProbe = () -> {};
  private final ManualClock clock = new ManualClock();
  private final ServerState state =
      new ServerState(
          () -> {
            int _ = ups.incrementAndGet();
          },
          clock);
  private final HealthProbe probe =
      new HealthProbe(
          () -> {
            int _ = probes.incrementAndGet();
            duringProbe.run();
            return answers.remove();
          },
          state,
          clock);

  private static ServerResponse answer(int status, @Nullable Duration retryAfter) {
    return new ServerResponse.Answered(status, retryAfter, "");
  }

  private Duration turn(ServerResponse answer) throws InterruptedException {
    answers.add(answer);
    return probe.turn();
  }

  @Test
  void the_health_is_unknown_before_the_first_probe() {
    assertThat(state.health()).isEqualTo(ServerHealth.UNKNOWN);
  }

  @Test
  void the_first_probe_is_sent_at_once() throws InterruptedException {
    assertThat(turn(OK)).isEqualTo(Duration.ofSeconds(2));
    assertThat(probes).hasValue(1);
    assertThat(state.health()).isEqualTo(ServerHealth.UP);
  }

  @ParameterizedTest
  @ValueSource(ints = {200, 204, 299})
  void any_2xx_sets_the_server_up(int status) throws InterruptedException {
    Duration _ = turn(answer(status, null));
    assertThat(state.health()).isEqualTo(ServerHealth.UP);
  }

  @ParameterizedTest
  @ValueSource(ints = {100, 199, 300, 301, 404, 429, 500, 503, 599})
  void any_other_status_sets_the_server_down(int status) throws InterruptedException {
    Duration _ = turn(answer(status, null));
    assertThat(state.health()).isEqualTo(ServerHealth.DOWN);
  }

  @Test
  void the_period_grows_to_two_seconds_while_the_server_is_down() throws InterruptedException {
    for (int millis : new int[] {250, 500, 1_000, 2_000, 2_000, 2_000}) {
      assertThat(turn(millis == 500 ? UNAVAILABLE : NO_ANSWER))
          .isEqualTo(Duration.ofMillis(millis));
    }
    assertThat(state.health()).isEqualTo(ServerHealth.DOWN);
  }

  @Test
  void a_success_resets_the_period() throws InterruptedException {
    Duration _ = turn(NO_ANSWER);
    Duration _ = turn(NO_ANSWER);
    Duration _ = turn(OK);
    assertThat(turn(NO_ANSWER)).isEqualTo(Duration.ofMillis(250));
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
      Duration _ = turn(UNAVAILABLE);
    }
    assertThat(turn(answer(503, Duration.ofSeconds(1)))).isEqualTo(Duration.ofSeconds(2));
  }

  @Test
  void each_return_of_the_server_is_reported_once() throws InterruptedException {
    Duration _ = turn(OK);
    Duration _ = turn(OK);
    assertThat(ups).hasValue(1);
    Duration _ = turn(NO_ANSWER);
    assertThat(ups).hasValue(1);
    Duration _ = turn(OK);
    assertThat(ups).hasValue(2);
  }

  @Test
  void a_failed_delivery_sets_the_server_down_and_delays_the_next_probe()
      throws InterruptedException {
    Duration _ = turn(OK);
    state.reportUnavailable(Duration.ofSeconds(7), "HTTP 503");
    assertThat(state.health()).isEqualTo(ServerHealth.DOWN);
    assertThat(probe.turn()).isEqualTo(Duration.ofSeconds(7));
    assertThat(probes).hasValue(1);
    assertThat(turn(OK)).isEqualTo(Duration.ofSeconds(2));
    assertThat(state.health()).isEqualTo(ServerHealth.UP);
    assertThat(ups).hasValue(2);
  }

  /// The wake-up may come when the loop has taken the pause already.
  @Test
  void the_wake_up_for_a_pause_does_not_shorten_it() throws InterruptedException {
    state.reportUnavailable(Duration.ofDays(1), "HTTP 429");
    Duration pause = probe.turn();
    Thread waiting =
        Thread.ofPlatform()
            .start(() -> {
              try {
                state.probeWaiter().await(pause);
              } catch (InterruptedException ended) {
                Thread.currentThread().interrupt();
              }
            });
    org.awaitility.Awaitility.await().until(() -> waiting.getState() == Thread.State.TIMED_WAITING);
    waiting.interrupt();
    waiting.join();
  }

  @Test
  void after_a_failed_delivery_the_period_starts_again_at_its_shortest()
      throws InterruptedException {
    for (int i = 0; i < 4; i++) {
      Duration _ = turn(NO_ANSWER);
    }
    state.reportUnavailable(Duration.ofMillis(1), "HTTP 503");
    assertThat(probe.turn()).isEqualTo(Duration.ofMillis(1));
    assertThat(turn(NO_ANSWER)).isEqualTo(Duration.ofMillis(250));
  }

  @Test
  void of_two_failed_deliveries_the_pause_of_the_last_counts() throws InterruptedException {
    state.reportUnavailable(Duration.ofSeconds(3), "a");
    state.reportUnavailable(Duration.ofSeconds(5), "b");
    assertThat(probe.turn()).isEqualTo(Duration.ofSeconds(5));
    assertThat(turn(OK)).isEqualTo(Duration.ofSeconds(2));
  }

  @Test
  void the_result_of_a_probe_that_began_before_a_failed_delivery_is_ignored()
      throws InterruptedException {
    duringProbe = () -> state.reportUnavailable(Duration.ofSeconds(3), "HTTP 503");
    Duration _ = turn(OK);
    assertThat(state.health()).isEqualTo(ServerHealth.DOWN);
    assertThat(ups).hasValue(0);
    duringProbe = () -> {};
    assertThat(probe.turn()).isEqualTo(Duration.ofSeconds(3));
    assertThat(probes).hasValue(1);
    Duration _ = turn(OK);
    assertThat(state.health()).isEqualTo(ServerHealth.UP);
  }

  @Test
  void a_failed_delivery_wakes_the_probe_loop() throws InterruptedException {
    answers.add(OK);
    Thread loop =
        Thread.ofVirtual()
            .start(() -> {
              try {
                probe.run();
              } catch (InterruptedException ended) {
                Thread.currentThread().interrupt();
              }
            });
    org.awaitility.Awaitility.await().until(() -> state.health() == ServerHealth.UP);
    answers.add(OK);
    state.reportUnavailable(Duration.ofMillis(1), "HTTP 503");
    org.awaitility.Awaitility.await().until(() -> ups.get() == 2);
    loop.interrupt();
    loop.join();
    assertThat(probes).hasValue(2);
  }
}
