package com.datanadhi.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class StubBatchesTest {
  private static final String LINES =
      """
      {"key":"k-1","pipelines":["p"],"log_data":1}
      {"key":"k\\"2","pipelines":[],"log_data":{"a":"b"}}
      """;

  private StubServer server;
  private HttpClient client;

  @BeforeEach
  void open() throws Exception {
    server = StubServer.up();
    client = HttpClient.newHttpClient();
  }

  @AfterEach
  void close() throws Exception {
    client.close();
    server.close();
  }

  private HttpResponse<String> post(byte[] body, String... headers) throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(server.url() + "/log"))
            .version(HttpClient.Version.HTTP_1_1)
            .header("Content-Type", "application/x-ndjson")
            .header("DATANADHI-API-KEY", "secret")
            .POST(HttpRequest.BodyPublishers.ofByteArray(body));
    for (int i = 0; i < headers.length; i += 2) {
      request.header(headers[i], headers[i + 1]);
    }
    return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  @Test
  void each_line_is_recorded_as_the_delivery_of_its_record() throws Exception {
    server.offer(StubServer.Offer.BATCHES);
    HttpResponse<String> response = post(LINES.getBytes(UTF_8));
    assertThat(response.body()).isEqualTo("{\"stored\":2,\"errors\":[]}");
    assertThat(server.deliveries())
        .extracting(StubServer.Request::key)
        .containsExactly("k-1", "k\\\"2");
    assertThat(server.deliveries())
        .extracting(StubServer.Request::text)
        .containsExactly(
            "{\"pipelines\":[\"p\"],\"log_data\":1}",
            "{\"pipelines\":[],\"log_data\":{\"a\":\"b\"}}");
    assertThat(server.deliveries().getFirst().headers())
        .containsEntry("datanadhi-api-key", "secret");
    assertThat(server.count()).isEqualTo(2);
    assertThat(server.distinct()).isEqualTo(2);
    assertThat(server.batches()).isEqualTo(1);
  }

  @Test
  void a_packed_batch_is_the_same() throws Exception {
    server.offer(StubServer.Offer.GZIP_BATCHES);
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
      gzip.write(LINES.getBytes(UTF_8));
    }
    assertThat(post(packed.toByteArray(), "Content-Encoding", "gzip").body())
        .isEqualTo("{\"stored\":2,\"errors\":[]}");
    assertThat(server.distinct()).isEqualTo(2);
  }

  @Test
  void the_offer_is_in_2xx_responses_alone() throws Exception {
    server.offer(StubServer.Offer.GZIP_BATCHES);
    HttpResponse<String> response = post(LINES.getBytes(UTF_8));
    assertThat(response.headers().firstValue("accept-post"))
        .hasValue("application/json, application/x-ndjson");
    assertThat(response.headers().firstValue("accept-encoding")).hasValue("gzip");
    server.onBatch(StubBatches.atMost(1, StubBatches.STORED));
    assertThat(post(LINES.getBytes(UTF_8)).statusCode()).isEqualTo(413);
    assertThat(post(LINES.getBytes(UTF_8)).headers().map()).doesNotContainKey("accept-post");
    server.offer(StubServer.Offer.NONE);
    assertThat(post(LINES.getBytes(UTF_8)).statusCode()).isEqualTo(415);
  }

  @Test
  void lines_can_be_rejected_and_answers_can_be_faulty() throws Exception {
    server.offer(StubServer.Offer.BATCHES);
    server.onBatch(StubBatches.rejecting(422, record -> record.key().equals("k-1")));
    assertThat(post(LINES.getBytes(UTF_8)).body())
        .isEqualTo(
            "{\"stored\":1,\"errors\":[{\"line\":1,\"status\":422,\"title\":\"Stub\",\"detail\":\"line"
                + " 1\"}]}");
    server.onBatch(StubBatches.wrongCount());
    assertThat(post(LINES.getBytes(UTF_8)).body()).isEqualTo("{\"stored\":3,\"errors\":[]}");
    server.onBatch(StubBatches.errorForStoredLine());
    assertThat(post(LINES.getBytes(UTF_8)).body())
        .startsWith("{\"stored\":2,\"errors\":[{\"line\":1");
    assertThat(List.copyOf(StubBatches.faulty())).hasSizeGreaterThan(5);
  }
}
