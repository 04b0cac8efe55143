package com.datanadhi.echopost.upstream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.time.Clock;
import com.datanadhi.testkit.StubBatches;
import com.datanadhi.testkit.StubBatches.BatchBehaviour;
import com.datanadhi.testkit.StubServer;
import com.datanadhi.testkit.StubServer.Behaviour;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Batches of the HTTP client to a real server on loopback.
class MainServerBatchTest {
  private StubServer server;
  private MainServer client;

  @BeforeEach
  void open() throws Exception {
    server = StubServer.up();
    server.offer(StubServer.Offer.GZIP_BATCHES);
    client =
        new MainServer(
            ServerUrl.parse(server.url()),
            "default-key",
            ProxySettings.fromEnvironment(Map.of()),
            new TrustStore(Map.of()),
            Clock.system());
  }

  @AfterEach
  void close() throws Exception {
    client.close();
    server.close();
  }

  private static DeliveryRequest request(String key, String json, String apiKey) {
    return new DeliveryRequest(
        "[\"p\"]".getBytes(UTF_8), json.getBytes(UTF_8), apiKey.getBytes(UTF_8), key);
  }

  private static List<DeliveryRequest> requests(int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> request("k-" + i, "{\"n\":" + i + "}", ""))
        .toList();
  }

  private ServerResponse deliver(List<DeliveryRequest> batch, boolean gzip) throws Exception {
    try (EncodedBatch encoded = client.encode(batch, gzip)) {
      return encoded.deliver();
    }
  }

  private static String body(ServerResponse response) {
    return ((ServerResponse.Answered) response).body();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void each_record_arrives_with_its_key_and_the_api_key_of_the_batch(boolean gzip)
      throws Exception {
    List<DeliveryRequest> batch =
        List.of(request("k\"\\1", "{\"é\":1.0}", "own"), request("k-2", "2", "own"));
    assertThat(body(deliver(batch, gzip))).isEqualTo("{\"stored\":2,\"errors\":[]}");
    assertThat(server.deliveries())
        .extracting(StubServer.Request::text)
        .containsExactly(
            "{\"pipelines\":[\"p\"],\"log_data\":{\"é\":1.0}}",
            "{\"pipelines\":[\"p\"],\"log_data\":2}");
    // The key of a record is written as in the header.
    assertThat(server.deliveries())
        .extracting(StubServer.Request::key)
        .containsExactly("k\\\"\\\\1", "k-2");
    Map<String, String> headers = server.deliveries().getFirst().headers();
    assertThat(headers)
        .containsEntry("content-type", "application/x-ndjson")
        .containsEntry("datanadhi-api-key", "own")
        .doesNotContainKey("idempotency-key");
    assertThat(headers.get("content-encoding")).isEqualTo(gzip ? "gzip" : null);
    assertThat(deliver(requests(1), gzip)).isInstanceOf(ServerResponse.Answered.class);
    assertThat(server.deliveries().getLast().headers())
        .containsEntry("datanadhi-api-key", "default-key");
    assertThat(server.connections()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void a_batch_of_four_mebibytes_arrives(boolean gzip) throws Exception {
    List<DeliveryRequest> batch = new ArrayList<>();
    int bytes = 0;
    for (int i = 0; i < 1_000; i++) {
      batch.add(request("k-" + i, "\"" + Integer.toString(i).repeat(1_000) + "\"", ""));
      bytes += batch.getLast().lineLength();
    }
    assertThat(bytes).isGreaterThan(2_500_000);
    assertThat(body(deliver(batch, gzip))).startsWith("{\"stored\":1000,");
    assertThat(server.deliveries())
        .extracting(StubServer.Request::key)
        .containsExactlyElementsOf(batch.stream().map(DeliveryRequest::idempotencyKey).toList());
  }

  @Test
  void an_answer_with_an_error_for_each_line_is_read_whole() throws Exception {
    server.onBatch(StubBatches.rejecting(422, _ -> true));
    String body = body(deliver(requests(1_000), false));
    assertThat(body).hasSizeGreaterThan(50_000).startsWith("{\"stored\":0,").endsWith("]}");
  }

  @Test
  void nothing_of_an_answer_beyond_two_mebibytes_is_used() throws Exception {
    String longest = "x".repeat(2 << 20);
    server.onBatch(BatchBehaviour.of(Behaviour.status(200, longest)));
    assertThat(body(deliver(requests(1), false))).isEqualTo(longest);
    for (int length : List.of((2 << 20) + 1, 5 << 20)) {
      server.onBatch(BatchBehaviour.of(Behaviour.status(200, "x".repeat(length))));
      assertThat(body(deliver(requests(1), false))).startsWith("(incomplete, 2");
    }
    server.onBatch(StubBatches.STORED);
    assertThat(body(deliver(requests(1), false))).isEqualTo("{\"stored\":1,\"errors\":[]}");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Content-Length: 30\r\n\r\n{\"stored\":",
        "Content-Length: 30\r\n\r\n{\"stored\":1,\"errors\":[]}",
        "Transfer-Encoding: chunked\r\n\r\n17\r\n{\"stored\":1,\"errors\":[]}\r\n"
      })
  void nothing_of_a_cut_answer_is_used(String rest) throws Exception {
    server.onBatch(BatchBehaviour.of(Behaviour.raw("HTTP/1.1 200 OK\r\n" + rest)));
    assertThat(body(deliver(requests(1), false))).startsWith("(incomplete, ");
  }

  @Test
  void a_batch_without_an_answer_has_none() throws Exception {
    server.onBatch(BatchBehaviour.of(Behaviour.hangUp()));
    assertThat(deliver(requests(1), false)).isInstanceOf(ServerResponse.NoAnswer.class);
  }

  @Test
  void a_connection_that_the_server_has_closed_is_replaced() throws Exception {
    assertThat(deliver(requests(1), false)).isInstanceOf(ServerResponse.Answered.class);
    server.goDown();
    server.comeUp();
    assertThat(body(deliver(requests(2), true))).isEqualTo("{\"stored\":2,\"errors\":[]}");
  }

  @Test
  void the_offer_is_that_of_the_newest_2xx_response() throws Exception {
    assertThat(client.offer()).isEqualTo(Offer.NONE);
    assertThat(client.successfulProbes()).isZero();
    ServerResponse _ = client.probe();
    assertThat(client.offer()).isEqualTo(new Offer(true, true));
    assertThat(client.successfulProbes()).isEqualTo(1);
    server.onProbe(Behaviour.status(503, ""));
    ServerResponse _ = client.probe();
    assertThat(client.offer()).isEqualTo(new Offer(true, true));
    assertThat(client.successfulProbes()).isEqualTo(1);
    server.offer(StubServer.Offer.BATCHES);
    ServerResponse _ = deliver(requests(1), true);
    assertThat(client.offer()).isEqualTo(new Offer(true, false));
    server.offer(StubServer.Offer.NONE);
    client.deliver(requests(1), _ -> true);
    assertThat(client.offer()).isEqualTo(Offer.NONE);
  }
}
