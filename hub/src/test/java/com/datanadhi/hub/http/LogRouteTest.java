package com.datanadhi.hub.http;

import static com.datanadhi.hub.http.Requests.gzip;
import static com.datanadhi.hub.http.Requests.post;
import static com.datanadhi.hub.http.Requests.send;
import static com.datanadhi.hub.http.Requests.utf8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.hub.intake.Outcome;
import com.datanadhi.hub.intake.Receipt;
import com.datanadhi.hub.record.Digests;
import com.datanadhi.hub.record.RecordData;
import com.datanadhi.hub.view.StoredEvent;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class LogRouteTest {
  private static final String JSON = "application/json";
  private static final String NDJSON = "application/x-ndjson";
  private static final String ENVELOPE = "{\"pipelines\":[\"p\"],\"log_data\":{\"a\": 1.0}}";

  private TestHub hub;

  @BeforeEach
  void start() throws Exception {
    hub = new TestHub(DoorSettings.standard(1_000));
  }

  @AfterEach
  void stop() throws Exception {
    hub.close();
    assertThat(hub.leased.get()).as("bytes still admitted").isZero();
  }

  @Test
  void a_record_is_stored_byte_for_byte_and_its_receipt_returned() throws Exception {
    var answer =
        send(
            post(
                hub,
                "/log",
                JSON,
                "{ \"pipelines\" : [\"a\",\"b\\u00e9\\n\"], \"log_data\": {\"x\" :"
                    + " 1e400,\"x\":\"é\\u0000\"} }",
                "Idempotency-Key",
                "\"k-1\""));

    StoredEvent stored = hub.events.getFirst();
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.body())
        .isEqualTo(
            "{\"status\":\"stored\",\"tenant\":\"acme\",\"key\":\"k-1\",\"sha256\":\"%s\",\"durability\":\"fsync\"}"
                .formatted(stored.sha256()));
    assertThat(new String(stored.logData(), java.nio.charset.StandardCharsets.UTF_8))
        .isEqualTo("{\"x\" : 1e400,\"x\":\"é\\u0000\"}");
    assertThat(stored.pipelines()).isEqualTo("[\"a\",\"bé\\n\"]");
    assertThat(answer.headers().firstValue("Accept-Post"))
        .hasValue("application/json, application/x-ndjson");
    assertThat(answer.headers().firstValue("Accept-Encoding")).hasValue("gzip");
    assertThat(answer.headers().firstValue("Server")).isEmpty();
  }

  @Test
  void a_repeat_gets_the_same_bytes_and_says_so() throws Exception {
    var first = send(post(hub, "/log", JSON, ENVELOPE, "Idempotency-Key", "k"));
    var second = send(post(hub, "/log", JSON, ENVELOPE, "Idempotency-Key", "\"k\""));

    assertThat(second.body()).isEqualTo(first.body());
    assertThat(first.headers().firstValue("Idempotent-Replayed")).isEmpty();
    assertThat(second.headers().firstValue("Idempotent-Replayed")).hasValue("true");
    assertThat(hub.events).hasSize(1);
  }

  @Test
  void without_a_key_the_receipt_has_one() throws Exception {
    var answer = send(post(hub, "/log", JSON, ENVELOPE));

    assertThat(answer.body()).contains("\"key\":\"" + hub.events.getFirst().key() + "\"");
  }

  @Test
  void beyond_the_horizon_the_content_is_unverified() throws Exception {
    hub.forced = new Outcome.Stored(new Receipt("acme", "k", null, null), true, -1);

    var answer = send(post(hub, "/log", JSON, ENVELOPE, "Idempotency-Key", "k"));

    assertThat(answer.headers().firstValue("Hub-Content")).hasValue("unverified");
    assertThat(answer.body()).contains("\"sha256\":null");
  }

  @Test
  void another_payload_under_a_key_is_422_with_both_digests() throws Exception {
    send(post(hub, "/log", JSON, ENVELOPE, "Idempotency-Key", "k"));
    var answer =
        send(
            post(
                hub,
                "/log",
                JSON,
                "{\"pipelines\":[\"p\"],\"log_data\":2}",
                "Idempotency-Key",
                "k"));

    assertThat(answer.statusCode()).isEqualTo(422);
    assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/problem+json");
    assertThat(answer.body()).isEqualTo(Requests.golden("problem-422.json").replace("\n", ""));
  }

  @Test
  void other_pipelines_under_a_key_are_422() throws Exception {
    send(post(hub, "/log", JSON, ENVELOPE, "Idempotency-Key", "k"));
    var answer =
        send(post(hub, "/log", JSON, ENVELOPE.replace("\"p\"", "\"q\""), "Idempotency-Key", "k"));

    assertThat(answer.statusCode()).isEqualTo(422);
    assertThat(answer.body())
        .contains(
            "is known with other pipelines and the same payload, sha256 "
                + Digests.content(List.of(new RecordData(List.of(), utf8("{\"a\": 1.0}")))).digest()
                + ": stored is pipelines_sha256 "
                + pipelinesDigest("p")
                + ", sent was pipelines_sha256 "
                + pipelinesDigest("q"));
  }

  private static String pipelinesDigest(String pipeline) {
    return Digests.content(List.of(new RecordData(List.of(pipeline), utf8("1")))).pipelinesDigest();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "{}",
        "{\"pipelines\":[]}",
        "{\"log_data\":1}",
        "{\"pipelines\":[],\"log_data\":1,\"log_data\":1}",
        "{\"pipelines\":[],\"log_data\":1,\"log\\u005fdata\":1}",
        "{\"pipelines\":[],\"pipelines\":[],\"log_data\":1}",
        "{\"pipelines\":\"p\",\"log_data\":1}",
        "{\"pipelines\":[1],\"log_data\":1}",
        "{\"pipelines\":[\"\\ud800\"],\"log_data\":1}",
        "{\"pipelines\":null,\"log_data\":1}",
        "{\"pipelines\":[],\"log_data\":}",
        "{\"pipelines\":[],\"log_data\":NaN}",
        "{\"pipelines\":[],\"log_data\":1}x",
        "{\"pipelines\":[],\"log_data\":1}{}"
      })
  void a_bad_envelope_is_400(String body) throws Exception {
    var answer = send(post(hub, "/log", JSON, body));

    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(answer.body()).startsWith("{\"type\":\"about:blank\",\"title\":\"Bad request\"");
    assertThat(hub.events).isEmpty();
  }

  @Test
  void bytes_that_are_no_utf8_are_400_wherever_they_stand() throws Exception {
    for (String text : new String[] {"\"p\"", "\"u\"", "1"}) {
      byte[] body =
          utf8("{\"pipelines\":[\"p\"],\"other\":\"u\",\"log_data\":\"1\"}".replace(text, "\"#\""));
      for (int i = 0; i < body.length; i++) {
        if (body[i] == '#') {
          body[i] = (byte) 0xC0;
        }
      }
      assertThat(send(post(hub, "/log", JSON, body)).statusCode()).isEqualTo(400);
    }
  }

  @Test
  void unknown_members_are_ignored_even_when_doubled() throws Exception {
    var answer =
        send(
            post(
                hub,
                "/log",
                JSON,
                "{\"v\":2,\"key\":7,\"pipelines\":[],\"v\":[],\"log_data\":null}"));

    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(hub.events.getFirst().logData()).isEqualTo(utf8("null"));
  }

  @Test
  void a_batch_names_each_line_that_is_refused() throws Exception {
    hub.add("known", java.util.List.of(), "1");
    send(
        post(hub, "/log", JSON, "{\"pipelines\":[],\"log_data\":1}", "Idempotency-Key", "known-1"));
    String body =
        """
        {"key":"k1","pipelines":[],"log_data":1}
        {"key":"k2","pipelines":[],"log_data":}
        {"pipelines":[],"log_data":3}

        {"key":"known-1","pipelines":[],"log_data":4}
        {"key":"known-1","pipelines":[],"log_data":1}\r
        {"key":"bad key","pipelines":[],"log_data":6}
        {"key":7,"pipelines":[],"log_data":7}
        {"key":"a\\u0062","pipelines":[],"log_data":8}\
        """;

    var answer = send(post(hub, "/log", NDJSON, body));

    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.body())
        .startsWith("{\"stored\":4,\"errors\":[{\"line\":2,\"status\":400,")
        .contains("{\"line\":5,\"status\":422,", "{\"line\":7,\"status\":400,")
        .contains("{\"line\":8,\"status\":400,");
    assertThat(hub.known).containsKeys("k1", "ab");
  }

  @Test
  void a_batch_of_which_a_line_can_be_neither_is_503_as_a_whole() throws Exception {
    hub.forced = new Outcome.Unavailable("log_full", "The log is full.", Duration.ofMillis(1_500));

    var answer = send(post(hub, "/log", NDJSON, "{\"pipelines\":[],\"log_data\":1}\n{}"));

    assertThat(answer.statusCode()).isEqualTo(503);
    assertThat(answer.headers().firstValue("Retry-After")).hasValue("2");
    assertThat(answer.body()).contains("The log is full.");
  }

  @Test
  void an_unexpected_failure_is_503() throws Exception {
    hub.bug = new IllegalStateException("a bug");

    var answer = send(post(hub, "/log", JSON, ENVELOPE));

    assertThat(answer.statusCode()).isEqualTo(503);
    assertThat(answer.headers().firstValue("Retry-After")).hasValue("5");
    assertThat(answer.body()).doesNotContain("a bug");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "text/plain|", "application/json; charset=latin1|", "application/json|br",
        "application/json|gzip, gzip", "application/json|deflate", "multipart/form-data|"
      })
  void another_type_or_encoding_is_415(String type, String encoding) throws Exception {
    HttpResponse<String> answer =
        encoding == null
            ? send(post(hub, "/log", type, ENVELOPE))
            : send(post(hub, "/log", type, ENVELOPE, "Content-Encoding", encoding));

    assertThat(answer.statusCode()).isEqualTo(415);
    assertThat(answer.headers().firstValue("Accept-Post")).isPresent();
  }

  @ParameterizedTest
  @ValueSource(strings = {"application/json", "Application/JSON ; charset=\"UTF-8\""})
  void the_type_can_have_a_charset(String type) throws Exception {
    assertThat(send(post(hub, "/log", type, ENVELOPE)).statusCode()).isEqualTo(200);
  }

  @Test
  void gzip_is_unpacked() throws Exception {
    var answer = send(post(hub, "/log", JSON, gzip(ENVELOPE), "Content-Encoding", "gzip"));

    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(hub.events.getFirst().logData()).isEqualTo(utf8("{\"a\": 1.0}"));
  }

  @Test
  void a_bomb_is_413_and_takes_little_memory() throws Exception {
    byte[] bomb = gzip("[" + " ".repeat(200 << 20));

    var answer = send(post(hub, "/log", JSON, bomb, "Content-Encoding", "gzip"));

    assertThat(answer.statusCode()).isEqualTo(413);
    assertThat(hub.mostLeased).isLessThan(12L << 20);
  }

  @Test
  void precedence_is_401_413_415_400() throws Exception {
    byte[] large = new byte[Limits.BODY + 1];
    assertThat(send(Requests.bare(hub, "/log", "text/plain", large)).statusCode()).isEqualTo(401);
    assertThat(send(post(hub, "/log", "text/plain", large)).statusCode()).isEqualTo(413);
    assertThat(send(post(hub, "/log", "text/plain", utf8("{"))).statusCode()).isEqualTo(415);
    assertThat(send(post(hub, "/log", JSON, utf8("{"))).statusCode()).isEqualTo(400);
  }

  @Test
  void log_data_of_4_mib_is_taken_and_one_byte_more_is_413() throws Exception {
    String largest = "\"" + "x".repeat(Limits.LOG_DATA - 2) + "\"";
    String envelope = "{\"pipelines\":[],\"log_data\":%s}";

    var taken = send(post(hub, "/log", JSON, envelope.formatted(largest)));
    var refused =
        send(post(hub, "/log", JSON, envelope.formatted(largest.replaceFirst("x", "xx"))));

    assertThat(taken.statusCode()).isEqualTo(200);
    assertThat(refused.statusCode()).isEqualTo(413);
    assertThat(hub.events).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"log_data\":%s}",
        "{\"pipelines\":[],\"pipelines\":[],\"log_data\":%s}",
        "{\"pipelines\":[],\"log_data\":1,\"log_data\":%s}"
      })
  void a_record_that_is_too_large_is_413_whatever_else_is_wrong(String envelope) throws Exception {
    String tooLarge = "\"" + "x".repeat(Limits.LOG_DATA) + "\"";

    assertThat(send(post(hub, "/log", JSON, envelope.formatted(tooLarge))).statusCode())
        .isEqualTo(413);
  }

  @Test
  void a_transaction_with_a_record_that_is_too_large_is_413_whatever_is_wrong_before_it()
      throws Exception {
    String records = "{\"records\":[{\"pipelines\":[]},{\"pipelines\":[],\"log_data\":\"%s\"}]}";

    assertThat(send(post(hub, "/v1/transactions", JSON, records.formatted("x"))).statusCode())
        .isEqualTo(400);
    String tooLarge = records.formatted("x".repeat(Limits.LOG_DATA));
    assertThat(send(post(hub, "/v1/transactions", JSON, tooLarge)).statusCode()).isEqualTo(413);
  }

  @Test
  void a_batch_has_at_most_1000_lines_and_4_mib() throws Exception {
    String line = "{\"pipelines\":[],\"log_data\":1}\n";
    assertThat(send(post(hub, "/log", NDJSON, line.repeat(1_000))).body())
        .startsWith("{\"stored\":1000,");
    assertThat(send(post(hub, "/log", NDJSON, line.repeat(1_001))).statusCode()).isEqualTo(413);
    assertThat(send(post(hub, "/log", NDJSON, line + " ".repeat(Limits.BATCH))).statusCode())
        .isEqualTo(413);
  }

  @Test
  void an_envelope_of_many_small_parts_is_refused() throws Exception {
    String envelope = "{" + "\"\":0,".repeat(100_000) + "\"pipelines\":[],\"log_data\":1}";
    var answer = send(post(hub, "/log", JSON, envelope));
    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(answer.body()).contains("more than 10000 parts");
  }

  @ParameterizedTest
  @CsvSource({
    "/log, application/json, %s",
    "/log, application/x-ndjson, %s",
    "/v1/transactions, application/json, '{\"records\":[%s]}'"
  })
  void many_pipelines_take_the_memory_of_strings(String path, String type, String body)
      throws Exception {
    String envelope = "{\"pipelines\":[" + "\"a\",".repeat(500_000) + "\"\"],\"log_data\":1}";
    hub.memory = 16L << 20;
    var never = send(post(hub, path, type, body.formatted(envelope)));
    assertThat(never.statusCode()).isEqualTo(413);
    assertThat(never.body()).contains("more memory than the hub has").contains("--buffer-bytes");
    hub.memory = 64L << 20;
    hub.leased.set(60L << 20);
    assertThat(send(post(hub, path, type, body.formatted(envelope))).statusCode()).isEqualTo(503);
    hub.leased.set(0);
    assertThat(send(post(hub, path, type, body.formatted(envelope))).statusCode()).isEqualTo(200);
    assertThat(hub.events).hasSize(1);
    assertThat(hub.events.getFirst().pipelines()).hasSize(4 * 500_000 + 4).endsWith("\"a\",\"\"]");
  }

  @Test
  void what_does_not_fit_the_memory_is_503_at_once() throws Exception {
    hub.memory = 20;

    var answer = send(post(hub, "/log", JSON, ENVELOPE));

    assertThat(answer.statusCode()).isEqualTo(503);
    assertThat(answer.headers().firstValue("Retry-After")).hasValue("1");
  }

  @Test
  void two_keys_in_headers_are_400() throws Exception {
    assertThat(
            send(post(hub, "/log", JSON, ENVELOPE, "Idempotency-Key", "a", "Idempotency-Key", "b"))
                .statusCode())
        .isEqualTo(400);
    assertThat(
            send(post(hub, "/log", JSON, ENVELOPE, "Idempotency-Key", "\"a\", \"b\"")).statusCode())
        .isEqualTo(400);
    assertThat(send(post(hub, "/log", JSON, ENVELOPE, "Idempotency-Key", "\"a")).statusCode())
        .isEqualTo(400);
  }

  @Test
  void prefer_wait_returns_the_seq_if_applied_in_time() throws Exception {
    var applied = send(post(hub, "/log", JSON, ENVELOPE, "Prefer", "return=minimal, wait=5"));
    hub.applies = false;
    var late = send(post(hub, "/log", JSON, ENVELOPE, "Prefer", "wait=1"));

    assertThat(applied.headers().firstValue("Hub-Seq")).hasValue("1");
    assertThat(applied.headers().firstValue("Preference-Applied")).hasValue("wait");
    assertThat(late.statusCode()).isEqualTo(200);
    assertThat(late.headers().firstValue("Hub-Seq")).isEmpty();
  }

  @Test
  void a_sender_that_waits_gets_its_receipt_at_a_stop() throws Exception {
    hub.applies = false;
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var waiting =
          threads.submit(() -> send(post(hub, "/log", JSON, ENVELOPE, "Prefer", "wait=30")));
      await().until(() -> hub.events.size() == 1);
      hub.door.stopAccepting();
      assertThat(waiting.get(5, TimeUnit.SECONDS).statusCode()).isEqualTo(200);
    }
  }
}
