package com.datanadhi.echopost.replay;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.echopost.buffer.Appended;
import com.datanadhi.echopost.upstream.DeliveryRequest;
import com.datanadhi.echopost.upstream.ServerResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ReplayTest extends ReplayFixture {
  private static final ServerResponse OK = ScriptedClient.OK;

  private final List<DeliveryRequest> deliveries = client.deliveries;
  private final List<Duration> pauses = new ArrayList<>();

  /// The pauses that replay has asked the probe for so far.
  private List<Duration> pauses() {
    Duration pause = server.takePause();
    if (!pause.isZero()) {
      pauses.add(pause);
    }
    return pauses;
  }

  private void comeUp() {
    List<Duration> _ = pauses();
    server.comeUp();
  }

  private List<String> delivered() {
    return deliveries.stream().map(delivery -> new String(delivery.jsonData(), UTF_8)).toList();
  }

  /// Turns until there is nothing left to do, each pause passing at once.
  private void drain() throws Exception {
    for (int turns = 0; !buffer.isDrained(); turns++) {
      assertThat(turns).isLessThan(10_000);
      clock.advance(replay.turn());
    }
  }

  @Test
  void records_are_delivered_in_order_and_deleted() throws Exception {
    String[] payloads =
        IntStream.range(0, 2 * Replay.READ_RECORDS + 1)
            .mapToObj(Integer::toString)
            .toArray(String[]::new);
    Appended.store(buffer, payloads);
    for (int turn = 0; turn < 3; turn++) {
      assertThat(replay.turn()).isEqualTo(Duration.ZERO);
    }
    assertThat(delivered()).containsExactly(payloads);
    assertThat(buffer.totals().delivered()).isEqualTo(payloads.length);
    assertThat(buffer.isDrained()).isTrue();
    assertThat(sql("SELECT count(*) FROM records")).isEqualTo("0");
  }

  @Test
  void a_record_is_delivered_unchanged_with_its_api_key_and_idempotency_key() throws Exception {
    var _ = Appended.to(buffer, Appended.record("{\"é\": 1.0}", "own-key", "client-key")).outcome();
    var _ = Appended.to(buffer, Appended.record("2", "", null)).outcome();
    String given = sql("SELECT origin FROM records WHERE id=2");
    Duration _ = replay.turn();
    DeliveryRequest first = deliveries.get(0);
    assertThat(first.jsonData()).asString(UTF_8).isEqualTo("{\"é\": 1.0}");
    assertThat(first.pipelines()).asString(UTF_8).isEqualTo("[\"p\"]");
    assertThat(first.apiKey()).asString(UTF_8).isEqualTo("own-key");
    assertThat(first.idempotencyKey()).isEqualTo("client-key");
    assertThat(deliveries.get(1).apiKey()).isEmpty();
    assertThat(deliveries.get(1).idempotencyKey()).isEqualTo(given).endsWith("-1");
  }

  @Test
  void a_record_is_deleted_only_after_the_response() throws Exception {
    Appended.store(buffer, "1", "2");
    List<String> pendingDuringDelivery = new ArrayList<>();
    client.answers =
        payload -> {
          try {
            pendingDuringDelivery.add(
                sql("SELECT count(*) FROM records WHERE json_data=" + payload));
          } catch (Exception failed) {
            throw new AssertionError(failed);
          }
          return OK;
        };
    Duration _ = replay.turn();
    assertThat(pendingDuringDelivery).containsExactly("1", "1");
    assertThat(sql("SELECT count(*) FROM records")).isEqualTo("0");
  }

  @Test
  void nothing_is_sent_while_the_server_is_down_or_nothing_is_pending() throws Exception {
    assertThat(replay.turn()).isEqualTo(Duration.ofMinutes(1));
    Appended.store(buffer, "1");
    server.goDown();
    assertThat(replay.turn()).isEqualTo(Duration.ofMinutes(1));
    assertThat(deliveries).isEmpty();
  }

  @Test
  void at_the_first_unavailable_response_the_delivered_prefix_is_acknowledged_and_replay_stops()
      throws Exception {
    Appended.store(buffer, "1", "2", "3", "4");
    client.answers = payload -> payload.equals("3") ? status(503) : OK;
    Duration _ = replay.turn();
    assertThat(delivered()).containsExactly("1", "2", "3");
    assertThat(buffer.totals().settledThrough()).isEqualTo(2);
    assertThat(sql("SELECT group_concat(id) FROM records")).isEqualTo("3,4");
    assertThat(pauses()).hasSize(1).allMatch(pause -> pause.compareTo(Backoff.FIRST) <= 0);
    assertThat(replay.turn()).isEqualTo(Duration.ofMinutes(1));
    assertThat(deliveries).hasSize(3);
  }

  @Test
  void a_record_has_the_same_idempotency_key_at_each_attempt() throws Exception {
    Appended.store(buffer, "1");
    String key = sql("SELECT origin FROM records");
    List<ServerResponse> script =
        new ArrayList<>(
            List.of(
                new ServerResponse.NoAnswer("timed out"),
                status(500),
                status(429),
                status(500),
                OK));
    client.answers = payload -> script.removeFirst();
    while (!buffer.isDrained()) {
      comeUp();
      clock.advance(replay.turn());
    }
    assertThat(deliveries).hasSize(5);
    assertThat(deliveries).extracting(DeliveryRequest::idempotencyKey).containsOnly(key);
  }

  @Test
  void no_record_is_rejected_while_the_server_is_unavailable() throws Exception {
    Appended.store(buffer, "1");
    client.answers = payload -> status(503);
    for (int attempt = 0; attempt < 200; attempt++) {
      comeUp();
      Duration _ = replay.turn();
      clock.advance(Duration.ofMinutes(5));
    }
    assertThat(buffer.totals().pending()).isEqualTo(1);
    assertThat(pauses()).hasSize(200).allMatch(pause -> pause.compareTo(Backoff.CAP) <= 0);
  }

  @Test
  void retry_after_reaches_the_probe_as_its_pause() throws Exception {
    Appended.store(buffer, "1");
    client.answers = payload -> new ServerResponse.Answered(429, Duration.ofSeconds(90), "");
    Duration _ = replay.turn();
    assertThat(pauses()).containsExactly(Duration.ofSeconds(90));
  }

  @Test
  void a_record_that_the_server_rejects_is_moved_and_replay_continues() throws Exception {
    Appended.store(buffer, "1", "2", "3");
    client.answers = payload -> payload.equals("2") ? status(422) : OK;
    Duration _ = replay.turn();
    assertThat(delivered()).containsExactly("1", "2", "3");
    assertThat(buffer.totals().rejected()).isEqualTo(1);
    assertThat(buffer.totals().delivered()).isEqualTo(2);
    assertThat(
            sql(
                "SELECT id||' '||json_data||' '||status||' '||response||' '||attempts||'"
                    + " '||rejected_at FROM rejected"))
        .isEqualTo("2 2 422 body of 422 1 " + clock.millis());
  }

  @Test
  void at_most_the_first_kibibyte_of_a_response_is_stored() throws Exception {
    Appended.store(buffer, "1");
    client.answers = payload -> new ServerResponse.Answered(400, null, "x".repeat(5_000));
    Duration _ = replay.turn();
    assertThat(sql("SELECT response FROM rejected")).isEqualTo("x".repeat(1_024));
  }

  @Test
  void a_doubtful_record_after_an_accepted_one_is_rejected_after_five_attempts() throws Exception {
    Appended.store(buffer, "1", "2", "3");
    client.answers = payload -> payload.equals("2") ? status(500) : OK;
    drain();
    assertThat(delivered()).containsExactly("1", "2", "2", "2", "2", "2", "3");
    assertThat(sql("SELECT status||' '||attempts||' '||response FROM rejected"))
        .isEqualTo("500 5 body of 500");
  }

  @Test
  void after_a_doubtful_response_the_next_attempt_waits_for_the_back_off() throws Exception {
    Appended.store(buffer, "1", "2");
    client.answers = payload -> payload.equals("2") ? status(404) : OK;
    assertThat(replay.turn()).isEqualTo(Duration.ZERO);
    assertThat(buffer.totals().delivered()).isEqualTo(1);
    Duration pause = replay.turn();
    assertThat(pause).isPositive().isLessThanOrEqualTo(Backoff.FIRST);
    clock.advance(pause.minusNanos(1));
    assertThat(replay.turn()).isEqualTo(Duration.ofNanos(1));
    assertThat(deliveries).hasSize(2);
    clock.advance(Duration.ofNanos(1));
    Duration _ = replay.turn();
    assertThat(delivered()).containsExactly("1", "2", "2");
    assertThat(pauses()).isEmpty();
  }

  @Test
  void while_the_server_is_in_doubt_nothing_is_rejected_for_two_minutes_then_the_bad_run_drains()
      throws Exception {
    Appended.store(buffer, "1", "2", "3", "4");
    client.answers = payload -> payload.equals("4") ? OK : status(404);
    long start = clock.nanos();
    while (buffer.totals().rejected() == 0) {
      clock.advance(replay.turn());
    }
    assertThat(clock.nanos() - start).isGreaterThanOrEqualTo(PoisonPolicy.MIN_STREAK.toNanos());
    int attemptsAtFirst = (int) delivered().stream().filter("1"::equals).count();
    assertThat(attemptsAtFirst).isGreaterThanOrEqualTo(PoisonPolicy.ATTEMPTS);
    drain();
    assertThat(delivered().subList(attemptsAtFirst, deliveries.size()))
        .containsExactly("2", "3", "4");
    assertThat(sql("SELECT group_concat(id||':'||attempts) FROM rejected"))
        .isEqualTo("1:" + attemptsAtFirst + ",2:1,3:1");
    assertThat(buffer.totals().delivered()).isEqualTo(1);
  }

  @Test
  void an_unavailable_response_ends_the_doubtful_run() throws Exception {
    Appended.store(buffer, "1");
    long start = clock.nanos();
    long interruption = Duration.ofSeconds(110).toNanos();
    AtomicLong resumed = new AtomicLong();
    client.answers =
        payload -> {
          if (clock.nanos() - start > interruption && resumed.compareAndSet(0, clock.nanos())) {
            return status(503);
          }
          return status(404);
        };
    while (buffer.totals().rejected() == 0) {
      comeUp();
      clock.advance(replay.turn());
    }
    assertThat(clock.nanos() - resumed.get())
        .isGreaterThanOrEqualTo(PoisonPolicy.MIN_STREAK.toNanos());
  }

  @Test
  void a_rejected_record_ends_the_doubtful_run() throws Exception {
    Appended.store(buffer, "1", "2", "3");
    client.answers = payload -> status(payload.equals("2") ? 422 : 404);
    while (buffer.totals().rejected() < 2) {
      clock.advance(replay.turn());
    }
    long refused = clock.nanos();
    drain();
    assertThat(clock.nanos() - refused).isGreaterThanOrEqualTo(PoisonPolicy.MIN_STREAK.toNanos());
    assertThat(delivered().stream().filter("3"::equals).count())
        .isGreaterThanOrEqualTo(PoisonPolicy.ATTEMPTS);
  }

  @Test
  void a_server_that_recovers_from_doubtful_responses_gets_everything() throws Exception {
    Appended.store(buffer, "1", "2");
    long start = clock.nanos();
    client.answers =
        payload -> clock.nanos() - start < Duration.ofSeconds(110).toNanos() ? status(404) : OK;
    drain();
    assertThat(buffer.totals().delivered()).isEqualTo(2);
    assertThat(buffer.totals().rejected()).isZero();
  }

  @Test
  void a_damaged_record_is_never_sent_but_rejected_with_status_0() throws Exception {
    Appended.store(buffer, "1", "2", "3", "4", "5");
    change("UPDATE records SET json_data='22' WHERE id=2");
    change("UPDATE records SET received_at=received_at+1 WHERE id=3");
    change("UPDATE records SET origin='forged' WHERE id=5");
    Duration _ = replay.turn();
    assertThat(delivered()).containsExactly("1", "4");
    assertThat(sql("SELECT group_concat(id||':'||status||':'||attempts) FROM rejected"))
        .isEqualTo("2:0:0,3:0:0,5:0:0");
    assertThat(buffer.isDrained()).isTrue();
  }

  @Test
  void a_row_under_another_id_is_damaged() throws Exception {
    Appended.store(buffer, "1", "2");
    change(
        "UPDATE records SET json_data='1', crc32c=(SELECT crc32c FROM records WHERE id=1) WHERE"
            + " id=2");
    Duration _ = replay.turn();
    assertThat(delivered()).containsExactly("1");
    assertThat(buffer.totals().rejected()).isEqualTo(1);
  }

  @Test
  void a_deleted_row_does_not_block_the_following_ones() throws Exception {
    Appended.store(buffer, "1", "2", "3");
    change("DELETE FROM records WHERE id=2");
    Duration _ = replay.turn();
    assertThat(delivered()).containsExactly("1", "3");
    assertThat(buffer.isDrained()).isTrue();
    assertThat(buffer.wasDamaged()).isTrue();
  }

  @Test
  void an_emptied_table_settles_the_ledger() throws Exception {
    Appended.store(buffer, "1", "2");
    change("DELETE FROM records");
    drain();
    assertThat(deliveries).isEmpty();
    assertThat(buffer.wasDamaged()).isTrue();
  }

  @Test
  void an_interrupted_batch_keeps_its_delivered_prefix_acknowledged() throws Exception {
    Appended.store(buffer, "1", "2", "3");
    client.interruptedAt = "3";
    assertThatThrownBy(replay::turn).isInstanceOf(InterruptedException.class);
    assertThat(buffer.totals().settledThrough()).isEqualTo(2);
    assertThat(sql("SELECT group_concat(id) FROM records")).isEqualTo("3");
  }
}
