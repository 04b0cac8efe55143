package com.datanadhi.echopost.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.LoadClient;
import com.datanadhi.testkit.StubBatches;
import com.datanadhi.testkit.StubServer;
import java.nio.file.Files;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// A main server that offers batches.
class BatchesIT extends AcceptanceTest {
  private static final int RECORDS = 3_000;

  /// The keys of the buffer, in replay order.
  private List<String> keys() throws Exception {
    return column(
        "jdbc:sqlite:file:" + directory.resolve("buffer.db") + "?mode=ro",
        "SELECT origin FROM records ORDER BY id");
  }

  private static List<String> column(String url, String sql) throws Exception {
    List<String> values = new ArrayList<>();
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      while (rows.next()) {
        values.add(rows.getString(1));
      }
    }
    return values;
  }

  /// Sends records of several clients that share one API key.
  private void sendWithOneKey(AgentProcess agent, String apiKey, LoadClient.Load load)
      throws InterruptedException {
    LoadClient.Result result = use(new LoadClient(agent.socket(), apiKey)).run(load, _ -> {});
    assertThat(result.firstFailure()).isNull();
    assertThat(result.acknowledged()).isEqualTo(load.records());
  }

  private List<String> deliveredKeys() {
    return server.distinctDeliveries().stream().map(StubServer.Request::key).toList();
  }

  @ParameterizedTest
  @EnumSource(names = {"BATCHES", "GZIP_BATCHES"})
  void a_backlog_goes_out_in_batches_in_order_each_record_under_its_key(StubServer.Offer offer)
      throws Exception {
    server.offer(offer);
    AgentProcess agent = agent();
    sendWithOneKey(agent, "agent-key", load(RECORDS, 2));
    List<String> keys = keys();

    server.comeUp();

    assertThat(agent.awaitExit(SOON)).isZero();
    assertThat(server.count()).isEqualTo(RECORDS);
    assertThat(deliveredKeys()).isEqualTo(keys);
    assertInOrder(0, RECORDS / 2);
    assertInOrder(1, RECORDS / 2);
    assertThat(server.batches()).isBetween(10, 40);
    assertThat(Files.readString(agent.lastMetrics()))
        .containsPattern("echopost_batch_records_sum\\{.*\\} " + RECORDS + ".0")
        .containsPattern("echopost_delivered_records_total\\{.*\\} " + RECORDS);
  }

  @Test
  void a_crash_repeats_at_most_one_batch() throws Exception {
    server.offer(StubServer.Offer.BATCHES);
    AgentProcess agent = agent();
    send(agent, load(RECORDS, 1));
    List<String> keys = keys();
    AtomicInteger unanswered = new AtomicInteger();
    server.onBatch((records, out) -> {
      if (records.size() >= 256) {
        unanswered.set(records.size());
        return StubServer.Behaviour.hang().respond(records.getFirst(), out);
      }
      return StubBatches.STORED.respond(records, out);
    });
    server.comeUp();
    await().atMost(SOON).until(() -> unanswered.get() > 0);
    int before = server.count();
    agent.kill();
    server.onBatch(StubBatches.STORED);

    assertThat(spawn().awaitExit(SOON)).isZero();

    assertThat(before).isGreaterThan(256);
    assertThat(server.count()).isEqualTo(RECORDS + unanswered.get());
    assertThat(deliveredKeys()).isEqualTo(keys);
    assertInOrder(0, RECORDS);
  }

  /// As many errors as fit into the longest answer that is read.
  private static StubBatches.BatchBehaviour manyErrors() {
    return StubBatches.BatchBehaviour.of(
        StubServer.Behaviour.status(
            200, "{\"stored\":0,\"errors\":[" + "0,".repeat((1 << 20) - 20) + "0]}"));
  }

  static Stream<StubBatches.BatchBehaviour> faulty() {
    return Stream.concat(
        Stream.concat(StubBatches.faulty().stream(), Stream.of(manyErrors())),
        Stream.of(400, 401, 404, 413, 415, 429, 500, 501, 503, 302)
            .map(status ->
                StubBatches.BatchBehaviour.of(StubServer.Behaviour.status(status, "no"))));
  }

  @ParameterizedTest
  @MethodSource("faulty")
  void faulty_answers_for_a_while_lose_nothing_and_keep_the_order(StubBatches.BatchBehaviour faulty)
      throws Exception {
    server.offer(StubServer.Offer.BATCHES);
    AgentProcess agent = agent();
    send(agent, load(500, 1));
    List<String> keys = keys();
    AtomicInteger batches = new AtomicInteger();
    server.onBatch((records, out) -> {
      int number = batches.incrementAndGet();
      return (number > 4 && number <= 8 ? faulty : StubBatches.STORED).respond(records, out);
    });

    server.comeUp();

    assertThat(agent.awaitExit(SOON)).isZero();
    assertThat(deliveredKeys()).isEqualTo(keys);
    assertInOrder(0, 500);
    assertThat(order().inversions()).isZero();
  }

  @Test
  void a_server_whose_answers_to_batches_are_never_sound_gets_every_record() throws Exception {
    server.offer(StubServer.Offer.BATCHES);
    server.onBatch(StubBatches.wrongCount());
    AgentProcess agent = agent();
    send(agent, load(500, 1));
    server.comeUp();
    assertThat(agent.awaitExit(SOON)).isZero();
    assertInOrder(0, 500);
    assertThat(agent.logged("batches_suspended")).isEqualTo(1);
  }

  @Test
  void a_server_that_refuses_each_batch_gets_every_record_and_is_reported_once() throws Exception {
    server.offer(StubServer.Offer.BATCHES);
    server.onBatch(StubBatches.BatchBehaviour.of(StubServer.Behaviour.status(404, "no")));
    AgentProcess agent = agent();
    send(agent, load(500, 1));
    server.comeUp();
    assertThat(agent.awaitExit(SOON)).isZero();
    assertInOrder(0, 500);
    assertThat(agent.logged("batches_refused")).isEqualTo(1);
  }

  @Test
  void an_offer_that_changes_with_each_answer_is_logged_once() throws Exception {
    AtomicInteger batches = new AtomicInteger();
    server.offer(StubServer.Offer.BATCHES);
    server.onBatch((records, out) -> {
      server.offer(
          batches.getAndIncrement() % 2 == 0
              ? StubServer.Offer.GZIP_BATCHES
              : StubServer.Offer.BATCHES);
      return StubBatches.STORED.respond(records, out);
    });
    AgentProcess agent = agent();
    send(agent, load(RECORDS, 1));
    server.comeUp();
    assertThat(agent.awaitExit(SOON)).isZero();
    assertInOrder(0, RECORDS);
    assertThat(batches).hasValueGreaterThan(8);
    assertThat(server.deliveries())
        .extracting(record -> record.headers().containsKey("content-encoding"))
        .contains(true, false);
    assertThat(agent.logged("batches_offered")).isEqualTo(1);
  }

  @Test
  void rejected_lines_are_kept_and_the_others_are_delivered() throws Exception {
    server.offer(StubServer.Offer.GZIP_BATCHES);
    server.onBatch(StubBatches.rejecting(422, record -> record.text().contains("\"seq\":7,")));
    AgentProcess agent = agent();
    send(agent, load(200, 1));
    server.comeUp();
    assertThat(agent.awaitExit(SOON)).isEqualTo(5);
    assertThat(query("SELECT status||' '||json_data FROM rejected"))
        .contains("422 {", "\"seq\":7,");
    assertThat(query("SELECT delivered||' '||rejected FROM meta")).isEqualTo("199 1");
    assertThat(server.count()).isEqualTo(200);
  }
}
