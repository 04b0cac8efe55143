package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.sdk.testkit.Agents;
import com.datanadhi.sdk.testkit.LogServer.Delivery;
import com.datanadhi.testkit.StubServer.Behaviour;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Batches to a main server that offers them. */
class BatchTest extends AbstractSdkTest {
  private static final String JSON = "application/json";
  private static final String NDJSON = "application/x-ndjson";
  private static final String OFFERING_OK =
      "HTTP/1.1 200 OK\r\nAccept-Post: application/json, application/x-ndjson\r\n";

  @BeforeEach
  void offerBatches() {
    main.offerBatches();
  }

  /** A client that has seen the offer in the answer to record 0. */
  private DataNadhi openAfterOffer(DataNadhiConfiguration.Builder configuration) throws Exception {
    DataNadhi client = open(configuration.echoPostDisabled(true));
    submit(client, 0, 1);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    return client;
  }

  private List<Integer> seqsAtMainServer() {
    return seqs(main.deliveries());
  }

  /** All deliveries, repeats included. */
  private List<Integer> allSeqsAtMainServer() {
    return main.deliveries().stream().map(Delivery::seq).toList();
  }

  private static void assertCountersAddUp(DataNadhi client) {
    Counters end = client.counters();
    assertThat(end.delivered() + end.droppedTotal() + end.lost()).isEqualTo(end.submitted());
  }

  @Test
  void records_go_in_batches_once_each_and_in_order_to_a_server_that_offers_them()
      throws Exception {
    DataNadhi client = openAfterOffer(configuration());
    submit(client, 1, 800);
    assertThat(client.flush(TIME_LIMIT)).isTrue();

    assertThat(allSeqsAtMainServer()).isEqualTo(range(0, 800));
    assertThat(main.keys()).hasSize(800);
    assertThat(main.batches()).isNotEmpty().allMatch(lines -> lines <= 500);
    assertThat(main.batches().size()).isLessThan(100);
    Delivery last = main.deliveries().get(799);
    assertThat(last.path()).isEqualTo("/log");
    assertThat(last.type()).isEqualTo(NDJSON);
    assertThat(last.apiKey()).isEqualTo("test-key");
    assertThat(last.body().keySet()).containsExactly("key", "pipelines", "log_data");
    assertThat(last.body().get("pipelines")).hasToString("[\"orders\",\"audit\"]");
    assertThat(client.counters().deliveredToMainServer()).isEqualTo(800);
  }

  @Test
  void batches_are_not_compressed_for_a_server_that_does_not_offer_that() throws Exception {
    main.offerPlainBatches();
    DataNadhi client = openAfterOffer(configuration());
    submit(client, 1, 100);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(allSeqsAtMainServer()).isEqualTo(range(0, 100));
    assertThat(main.batches()).isNotEmpty();
  }

  @Test
  void records_go_one_by_one_to_a_server_that_offers_no_batches_any_more() throws Exception {
    DataNadhi client = openAfterOffer(configuration());
    main.withdrawOffer();
    submit(client, 1, 50);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    submit(client, 50, 150);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(allSeqsAtMainServer()).isEqualTo(range(0, 150));
    assertThat(main.deliveries().subList(50, 150)).allMatch(d -> d.type().equals(JSON));
  }

  @Test
  void records_go_one_by_one_if_the_configuration_says_so() throws Exception {
    DataNadhi client = openAfterOffer(configuration().batchSize(1));
    submit(client, 1, 100);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(main.batches()).isEmpty();
    assertThat(allSeqsAtMainServer()).isEqualTo(range(0, 100));
  }

  @Test
  void a_batch_has_at_most_as_many_records_and_bytes_as_configured() throws Exception {
    DataNadhi client = openAfterOffer(configuration().batchSize(20).batchBytes(10_000));
    submit(client, 1, 101);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(main.batches()).isNotEmpty().allMatch(lines -> lines <= 20);
    int before = main.batches().size();
    String text = "x".repeat(3_000);
    for (int seq = 101; seq < 131; seq++) {
      assertThat(client.submit(PIPELINES, Map.of("seq", seq, "text", text)))
          .isEqualTo(SubmitResult.ACCEPTED);
    }
    assertThat(client.submit(PIPELINES, Map.of("seq", 131, "text", "x".repeat(20_000))))
        .isEqualTo(SubmitResult.ACCEPTED);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    List<Integer> large = main.batches().subList(before, main.batches().size());
    assertThat(large).isNotEmpty().allMatch(lines -> lines <= 3);
    assertThat(allSeqsAtMainServer()).isEqualTo(range(0, 132));
    assertThat(main.deliveries().get(131).type()).isEqualTo(JSON);
  }

  @Test
  void a_payload_with_line_breaks_goes_by_itself_in_its_place() throws Exception {
    DataNadhi client = openAfterOffer(configuration());
    for (int seq = 1; seq < 100; seq++) {
      String payload =
          switch (seq % 10) {
            case 3 -> "{\n\"seq\": " + seq + "}";
            case 4 -> "{\r\"seq\": " + seq + "}";
            default -> "{\"seq\": " + seq + "}";
          };
      assertThat(client.submitJson(PIPELINES, payload)).isEqualTo(SubmitResult.ACCEPTED);
    }
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(allSeqsAtMainServer()).isEqualTo(range(0, 100));
    assertThat(main.deliveries().subList(1, 100))
        .filteredOn(d -> d.seq() % 10 == 3 || d.seq() % 10 == 4)
        .hasSize(20)
        .allMatch(d -> d.type().equals(JSON));
    assertThat(main.batches()).isNotEmpty();
  }

  @Test
  void records_that_the_answer_names_go_into_a_file_and_the_others_are_delivered()
      throws Exception {
    Set<Integer> bad = Set.of(1, 17, 99);
    main.onBatch(main.rejectLines(bad));
    DataNadhi client = openAfterOffer(configuration());
    submit(client, 1, 101);
    assertThat(client.flush(TIME_LIMIT)).isTrue();

    assertThat(client.counters().dropped()).isEqualTo(Map.of("primary_failed", 3L));
    assertThat(droppedSeqs()).containsExactly(1, 17, 99);
    assertThat(allSeqsAtMainServer())
        .isEqualTo(range(0, 101).stream().filter(seq -> !bad.contains(seq)).toList());
    assertCountersAddUp(client);
  }

  static Stream<String> answersThatCannotBeUsed() {
    return Stream.of(
        "",
        "{",
        "null",
        "[]",
        "{\"stored\":3",
        "{\"stored\":1000000,\"errors\":[]}",
        "{\"stored\":-1,\"errors\":[]}",
        "{\"errors\":[]}",
        "{\"stored\":0,\"errors\":[{\"line\":1,\"status\":503}]}",
        "{\"stored\":0,\"errors\":[{\"line\":1,\"status\":200}]}",
        "{\"stored\":0,\"errors\":[{\"line\":0,\"status\":422}]}",
        "<html>Please sign in</html>",
        "[".repeat(100_000),
        " ".repeat(3_000_000));
  }

  @ParameterizedTest
  @MethodSource("answersThatCannotBeUsed")
  void an_answer_that_cannot_be_used_counts_for_nothing_and_records_then_go_one_by_one(
      String answer) throws Exception {
    main.onBatch(
        Behaviour.status(200, answer, "Accept-Post: application/json, application/x-ndjson"));
    DataNadhi client = openAfterOffer(configuration());
    submit(client, 1, 101);
    assertThat(client.flush(TIME_LIMIT)).isTrue();

    assertThat(main.batches()).hasSize(3);
    assertThat(allSeqsAtMainServer()).isEqualTo(range(0, 101));
    assertThat(client.counters().deliveredToMainServer()).isEqualTo(101);
    assertThat(client.counters().dropped()).isEmpty();
  }

  static Stream<String> cutAnswers() {
    return Stream.of(
        "Content-Length: 50\r\n\r\n",
        "Content-Length: 50\r\n\r\n{\"stored\":",
        "Transfer-Encoding: chunked\r\n\r\n9\r\n{\"stored\"\r\n",
        "Transfer-Encoding: chunked\r\n\r\nno chunk\r\n");
  }

  @ParameterizedTest
  @MethodSource("cutAnswers")
  void a_cut_answer_counts_for_nothing_and_records_then_go_one_by_one(String answer)
      throws Exception {
    main.onBatch(Behaviour.raw(OFFERING_OK + answer));
    DataNadhi client = openAfterOffer(configuration());
    submit(client, 1, 101);
    assertThat(client.flush(TIME_LIMIT)).isTrue();

    assertThat(main.batches()).hasSize(3);
    assertThat(allSeqsAtMainServer()).isEqualTo(range(0, 101));
    assertThat(client.counters().deliveredToMainServer()).isEqualTo(101);
  }

  @Test
  void a_batch_whose_answer_is_cut_is_sent_again() throws Exception {
    List<String> cut = new ArrayList<>();
    List<String> accepted = new ArrayList<>();
    main.onBatch((request, out) -> {
      if (cut.size() < 2) {
        cut.add(request.text());
        return Behaviour.raw(OFFERING_OK + "Content-Length: 50\r\n\r\n{").respond(request, out);
      }
      accepted.add(request.text());
      return main.acceptBatch(request, out);
    });
    DataNadhi client = openAfterOffer(configuration());
    submit(client, 1, 101);
    assertThat(client.flush(TIME_LIMIT)).isTrue();

    assertThat(accepted.get(0)).startsWith(cut.get(0)).startsWith(cut.get(1));
    assertThat(allSeqsAtMainServer()).isEqualTo(range(0, 101));
    assertThat(client.counters().deliveredToMainServer()).isEqualTo(101);
  }

  @Test
  void batches_are_sent_again_once_the_server_was_down() throws Exception {
    main.onBatch(Behaviour.status(200, "no", "Accept-Post: application/x-ndjson"));
    DataNadhi client = openAfterOffer(configuration());
    submit(client, 1, 101);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(main.batches()).hasSize(3);

    // The server is repaired.
    main.goDown();
    main.onBatch(main::acceptBatch);
    submit(client, 101, 102);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(client.counters().deliveredToFallback()).isEqualTo(1);
    main.comeUp();
    awaitBatch(client);
  }

  /** Submits records until the server accepts a batch. */
  private void awaitBatch(DataNadhi client) {
    await()
        .atMost(TIME_LIMIT)
        .untilAsserted(() -> {
          int next = (int) client.counters().submitted();
          submit(client, next, next + 100);
          assertThat(client.flush(TIME_LIMIT)).isTrue();
          assertThat(main.deliveries()).isNotEmpty().last().matches(d -> d.type().equals(NDJSON));
        });
  }

  @Test
  void batches_are_sent_again_after_a_small_one_got_no_answer() throws Exception {
    main.onBatch(Behaviour.hangUp());
    DataNadhi client = openAfterOffer(configuration());
    for (int seq = 1; main.batches().isEmpty(); seq += 2) {
      submit(client, seq, seq + 2);
      assertThat(client.flush(TIME_LIMIT)).isTrue();
    }
    assertThat(main.batches()).allMatch(lines -> lines == 2);
    main.onBatch(main::acceptBatch);
    awaitBatch(client);
  }

  @Test
  void a_batch_that_is_too_large_is_halved_until_it_fits() throws Exception {
    main.onBatch((request, out) ->
        request.body().length > 2_000
            ? Behaviour.status(413, "").respond(request, out)
            : main.acceptBatch(request, out));
    main.offerPlainBatches();
    DataNadhi client = openAfterOffer(configuration());
    submit(client, 1, 201);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(allSeqsAtMainServer()).isEqualTo(range(0, 201));
    assertThat(main.deliveries().get(200).type()).isEqualTo(NDJSON);
    assertThat(client.counters().dropped()).isEmpty();
  }

  @Test
  void a_batch_is_halved_too_if_the_server_closes_the_connection_within_its_413() throws Exception {
    main.onBatch((request, out) ->
        request.text().lines().count() > 30
            ? Behaviour.raw("HTTP/1.1 413 Too Large\r\nContent-Length: 50\r\n\r\n<")
                .respond(request, out)
            : main.acceptBatch(request, out));
    DataNadhi client = openAfterOffer(configuration());
    submit(client, 1, 101);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(allSeqsAtMainServer()).isEqualTo(range(0, 101));
    assertThat(client.counters().deliveredToMainServer()).isEqualTo(101);
  }

  @Test
  void batches_grow_again_after_one_large_record_among_small_ones() throws Exception {
    main.onBatch((request, out) ->
        request.body().length > 200_000
            ? Behaviour.status(413, "").respond(request, out)
            : main.acceptBatch(request, out));
    DataNadhi client = openAfterOffer(configuration());
    submit(client, 1, 2);
    assertThat(client.submit(PIPELINES, Map.of("seq", 2, "text", "x".repeat(200_000))))
        .isEqualTo(SubmitResult.ACCEPTED);
    submit(client, 3, 600);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(allSeqsAtMainServer()).isEqualTo(range(0, 600));
    int before = main.batches().size();
    submit(client, 600, 1_100);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(main.batches().subList(before, main.batches().size())).anyMatch(n -> n >= 100);
  }

  @ParameterizedTest
  @ValueSource(ints = {202, 302, 400, 401, 404, 415, 422, 500})
  void a_batch_that_is_refused_as_a_whole_goes_one_by_one(int status) throws Exception {
    main.onBatch(Behaviour.status(status, "", "Accept-Post: application/x-ndjson"));
    DataNadhi client = openAfterOffer(configuration());
    submit(client, 1, 101);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(main.batches()).isNotEmpty();
    assertThat(allSeqsAtMainServer()).isEqualTo(range(0, 101));
    assertThat(client.counters().deliveredToMainServer()).isEqualTo(101);

    main.onBatch(main::acceptBatch);
    submit(client, 101, 201);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(allSeqsAtMainServer()).isEqualTo(range(0, 201));
    assertThat(main.deliveries().get(200).type()).isEqualTo(NDJSON);
  }

  @ParameterizedTest
  @ValueSource(ints = {407, 408, 425, 429, 501, 503})
  void a_server_that_cannot_take_a_batch_now_is_down(int status) throws Exception {
    main.onBatch(Behaviour.status(status, ""));
    DataNadhi client = openAfterOffer(configuration());
    submit(client, 1, 101);
    await().atMost(TIME_LIMIT).until(() -> seqs(fallback.deliveries()).size() > 0);
    main.onBatch(main::acceptBatch);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(receivedOrDroppedSeqs()).isEqualTo(range(0, 101));
    assertThat(client.counters().dropped()).isEmpty();
    assertCountersAddUp(client);
    awaitBatch(client);
  }

  @Test
  void a_batch_that_gets_no_answer_goes_to_echopost_under_the_same_keys() throws Exception {
    DataNadhi client = openWithEchoPost(configuration());
    submit(client, 0, 1);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    // The server stores the batch, and then fails before it answers.
    main.onBatch((request, out) -> {
      main.onBatch(Behaviour.hangUp());
      return main.acceptBatch(request, java.io.OutputStream.nullOutputStream()) && false;
    });
    submit(client, 1, 101);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(client.counters().deliveredToEchoPost()).isPositive();
    main.onBatch(main::acceptBatch);
    client.close();
    Agents.drain(directory, main.url());
    assertThat(main.keys()).hasSize(101);
    assertThat(seqsAtMainServer().stream().sorted()).isEqualTo(range(0, 101));
    assertCountersAddUp(client);
  }

  @Test
  void the_files_are_redelivered_in_batches() throws Exception {
    DataNadhi client = openAfterOffer(configuration().redeliverAutomatically(false));
    main.goDown();
    fallback.goDown();
    submit(client, 1, 301);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(dropped()).hasSize(300);
    main.comeUp();
    await().atMost(TIME_LIMIT).until(() -> client.redeliver().delivered() == 300);
    assertThat(allSeqsAtMainServer()).isEqualTo(range(0, 301));
    assertThat(main.batches()).isNotEmpty();
  }

  @Test
  void close_does_not_wait_for_a_batch_to_form() throws Exception {
    DataNadhi client = openAfterOffer(configuration().batchDelay(Duration.ofSeconds(1)));
    submit(client, 1, 11);
    client.close();
    assertThat(allSeqsAtMainServer()).isEqualTo(range(0, 11));
    assertThat(client.counters().droppedTotal()).isZero();
  }

  @Test
  void a_batch_without_an_answer_is_kept_in_a_file_when_the_client_is_closed() throws Exception {
    main.onBatch(Behaviour.hang());
    DataNadhi client = openAfterOffer(configuration().exitTimeout(Duration.ofMillis(200)));
    submit(client, 1, 301);
    await().atMost(TIME_LIMIT).until(() -> !main.batches().isEmpty());
    client.close();
    assertThat(droppedSeqs()).isEqualTo(range(1, 301));
    assertCountersAddUp(client);
  }

  @Test
  void several_workers_deliver_each_record_once() throws Exception {
    DataNadhi client = openAfterOffer(configuration().workers(4).queueSize(5_000));
    submit(client, 1, 4_001);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(main.delivered()).isEqualTo(4_001);
    assertThat(main.keys()).hasSize(4_001);
  }
}
