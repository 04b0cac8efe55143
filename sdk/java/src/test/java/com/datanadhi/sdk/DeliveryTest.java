package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.sdk.testkit.Agents;
import com.datanadhi.sdk.testkit.LogServer.Delivery;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DeliveryTest extends AbstractSdkTest {
  @Test
  void the_main_server_gets_each_record_in_order_while_it_is_up() throws Exception {
    DataNadhi client = open(configuration().echoPostDisabled(true));
    submit(client, 0, 200);
    assertThat(client.flush(TIME_LIMIT)).isTrue();

    assertThat(seqs(main.deliveries())).isEqualTo(range(0, 200));
    Delivery first = main.deliveries().get(0);
    assertThat(first.path()).isEqualTo("/log");
    assertThat(first.apiKey()).isEqualTo("test-key");
    assertThat(first.type()).isEqualTo("application/json");
    assertThat(first.body())
        .hasToString("{\"pipelines\":[\"orders\",\"audit\"],\"log_data\":{\"seq\":0}}");
    assertThat(main.keys()).hasSize(200);
    assertThat(client.counters().deliveredToMainServer()).isEqualTo(200);
    assertThat(client.counters().submitted()).isEqualTo(200);
  }

  @Test
  void a_record_is_delivered_when_the_status_says_so_even_if_the_body_is_cut() throws Exception {
    main.cutAnswers();
    DataNadhi client = open(configuration().echoPostDisabled(true));
    submit(client, 0, 20);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(main.deliveries().stream().map(Delivery::seq)).isEqualTo(range(0, 20));
    assertThat(client.counters().deliveredToMainServer()).isEqualTo(20);
  }

  @Test
  void the_fallback_server_gets_batches_when_the_main_server_is_down_and_echopost_is_disabled()
      throws Exception {
    main.goDown();
    DataNadhi client = open(configuration().echoPostDisabled(true));
    submit(client, 0, 250);
    assertThat(client.flush(TIME_LIMIT)).isTrue();

    assertThat(seqs(fallback.deliveries())).isEqualTo(range(0, 250));
    Delivery first = fallback.deliveries().get(0);
    assertThat(first.path()).isEqualTo("/upload");
    assertThat(first.apiKey()).isEqualTo("test-key");
    assertThat(first.type()).isEqualTo("application/octet-stream");
    assertThat(first.body().keySet()).containsExactly("pipelines", "log_data");
    assertThat(fallback.keys()).hasSize(250);
    assertThat(client.counters().deliveredToFallback()).isEqualTo(250);
  }

  @Test
  void undeliverable_records_are_kept_in_a_file_and_redelivered_under_the_same_keys()
      throws Exception {
    main.goDown();
    fallback.goDown();
    DataNadhi client = open(configuration().echoPostDisabled(true).redeliverAutomatically(false));
    submit(client, 0, 120);
    assertThat(client.flush(TIME_LIMIT)).isTrue();

    assertThat(dropped()).hasSize(120);
    assertThat(client.counters().dropped()).containsEntry("undeliverable", 120L);
    assertThat(client.redeliver()).isEqualTo(new Redelivery(0, 120, 0));
    for (Path file : droppedFiles()) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
          .isEqualTo("rw-------");
    }
    List<String> keys =
        dropped().stream().map(r -> r.get("idempotency_key").getAsString()).toList();

    main.comeUp();
    await().atMost(TIME_LIMIT).until(() -> client.redeliver().delivered() == 120);
    assertThat(seqs(main.deliveries())).isEqualTo(range(0, 120));
    assertThat(main.keys()).containsExactlyElementsOf(keys);
    assertThat(droppedFiles()).isEmpty();
  }

  @Test
  void a_record_that_the_main_server_rejects_is_kept_in_a_file() throws Exception {
    for (int status : new int[] {400, 410, 413, 422}) {
      main.answer(status);
      DataNadhi client = open(configuration().echoPostDisabled(true));
      submit(client, 0, 3);
      assertThat(client.flush(TIME_LIMIT)).isTrue();
      assertThat(client.counters().dropped()).as("%s", status).containsEntry("primary_failed", 3L);
    }
    assertThat(main.delivered()).isZero();
    assertThat(fallback.delivered()).isZero();
    assertThat(dropped()).hasSize(12);
    // One file per client, not one per record.
    assertThat(droppedFiles()).hasSize(4);
  }

  @ParameterizedTest
  @ValueSource(ints = {302, 401, 403, 404, 405, 408, 429, 500, 503})
  void a_record_is_sent_again_if_the_main_server_does_not_accept_it_now(int status)
      throws Exception {
    main.answer(status);
    fallback.goDown();
    DataNadhi client = open(configuration().echoPostDisabled(true));
    submit(client, 0, 20);
    int seen = main.requests();
    // The server is asked again, with pauses, although GET / is answered with 200.
    await().atMost(TIME_LIMIT).until(() -> main.requests() > seen + 3);
    main.answer(200);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(seqs(main.deliveries())).isEqualTo(range(0, 20));
    assertThat(client.counters().dropped()).isEmpty();
  }

  @Test
  void a_record_that_the_main_server_does_not_accept_now_goes_through_echopost() throws Exception {
    main.answer(401);
    DataNadhi client = openWithEchoPost(configuration());
    submit(client, 0, 20);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(client.counters().deliveredToEchoPost()).isEqualTo(20);
    assertThat(client.counters().dropped()).isEmpty();
    main.answer(200);
    await().atMost(TIME_LIMIT).until(() -> main.keys().size() == 20);
    assertThat(seqs(main.deliveries())).isEqualTo(range(0, 20));
  }

  @Test
  void a_main_server_that_answers_probes_with_404_is_used_again() throws Exception {
    main.answerProbes(404);
    main.goDown();
    DataNadhi client = open(configuration().echoPostDisabled(true));
    submit(client, 0, 10);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(client.counters().deliveredToFallback()).isEqualTo(10);

    main.comeUp();
    await()
        .atMost(TIME_LIMIT)
        .untilAsserted(() -> {
          int next = (int) client.counters().submitted();
          submit(client, next, next + 1);
          assertThat(client.flush(TIME_LIMIT)).isTrue();
          assertThat(main.delivered()).isPositive();
        });
  }

  @Test
  void a_batch_that_the_fallback_server_rejects_is_kept_in_a_file() throws Exception {
    main.goDown();
    fallback.answer(413);
    DataNadhi client = open(configuration().echoPostDisabled(true));
    submit(client, 0, 5);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(client.counters().dropped()).containsEntry("fallback_failed", 5L);
  }

  @Test
  void a_server_that_answers_above_500_is_down_until_a_probe_succeeds() throws Exception {
    main.answer(503);
    DataNadhi client = open(configuration().echoPostDisabled(true));
    submit(client, 0, 10);
    await().atMost(TIME_LIMIT).until(() -> fallback.delivered() == 10);
    assertThat(main.delivered()).isZero();

    main.answer(200);
    int seen = main.requests();
    await().atMost(TIME_LIMIT).until(() -> main.requests() > seen);
    await()
        .atMost(TIME_LIMIT)
        .untilAsserted(() -> {
          submit(client, 10, 11);
          assertThat(client.flush(TIME_LIMIT)).isTrue();
          assertThat(main.delivered()).isPositive();
        });
  }

  @Test
  void a_record_goes_to_the_next_destination_if_the_main_server_does_not_answer_in_10_s()
      throws Exception {
    main.hang();
    DataNadhi client = open(configuration().echoPostDisabled(true));
    submit(client, 0, 10);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(seqs(fallback.deliveries())).isEqualTo(range(0, 10));
    assertThat(main.delivered()).isZero();
  }

  @Test
  void an_agent_is_started_and_stores_records_until_the_main_server_is_up() throws Exception {
    main.goDown();
    DataNadhi client = openWithEchoPost(configuration());
    submit(client, 0, 500);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(client.counters().deliveredToEchoPost()).isEqualTo(500);
    assertThat(Agents.starts(directory)).isEqualTo(1);

    main.comeUp();
    await().atMost(TIME_LIMIT).until(() -> main.keys().size() == 500);
    assertThat(seqs(main.deliveries())).isEqualTo(range(0, 500));
    assertThat(main.deliveries().get(0).apiKey()).isEqualTo("test-key");
    assertThat(fallback.delivered()).isZero();
  }

  @Test
  void close_writes_the_records_that_it_cannot_deliver_to_a_file() throws Exception {
    main.hang();
    fallback.goDown();
    DataNadhi client =
        open(configuration().echoPostDisabled(true).exitTimeout(Duration.ofMillis(100)));
    submit(client, 0, 30);
    client.close();
    assertThat(client.submit(PIPELINES, Map.of("seq", 30))).isEqualTo(SubmitResult.CLOSED);
    Counters end = client.counters();
    assertThat(end.droppedTotal()).isEqualTo(30);
    assertThat(end.refused()).isEqualTo(1);
    assertThat(droppedSeqs()).isEqualTo(range(0, 30));
  }

  @Test
  void a_wait_can_have_any_length() throws Exception {
    DataNadhi client = open(configuration().echoPostDisabled(true));
    Duration forEver = ChronoUnit.FOREVER.getDuration();
    assertThat(client.submit(PIPELINES, Map.of("seq", 0), forEver))
        .isEqualTo(SubmitResult.ACCEPTED);
    assertThat(client.flush(forEver)).isTrue();
    assertThat(main.delivered()).isEqualTo(1);
  }

  @Test
  void flush_waits_only_for_the_records_that_were_submitted_before_it() throws Exception {
    main.slow(Duration.ofMillis(10));
    DataNadhi client = open(configuration().echoPostDisabled(true).exitTimeout(Duration.ZERO));
    submit(client, 0, 20);
    AtomicBoolean logs = new AtomicBoolean(true);
    Thread other =
        new Thread(() -> {
          for (int seq = 1000; logs.get(); LockSupport.parkNanos(1_000_000)) {
            if (client.counters().queueDepth() < 100) {
              client.submit(PIPELINES, Map.of("seq", seq++));
            }
          }
        });
    other.start();
    try {
      for (int i = 1; i <= 3; i++) {
        submit(client, 20 * i, 20 * i + 20);
        assertThat(client.flush(Duration.ofSeconds(20))).isTrue();
        assertThat(seqs(main.deliveries())).containsAll(range(0, 20 * i + 20));
        assertThat(client.counters().queueDepth()).isPositive();
      }
    } finally {
      logs.set(false);
      other.join();
    }
  }
}
