package com.datanadhi.hub.http;

import static com.datanadhi.hub.http.Requests.get;
import static com.datanadhi.hub.http.Requests.post;
import static com.datanadhi.hub.http.Requests.send;
import static com.datanadhi.hub.http.Requests.stream;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.hub.health.HealthReport;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ReadRoutesTest {
  private static final DoorSettings QUICK =
      new DoorSettings(
          1_000,
          Duration.ofSeconds(10),
          Duration.ofSeconds(10),
          Duration.ofSeconds(60),
          Duration.ofSeconds(2),
          Duration.ofMillis(200),
          3,
          Duration.ofSeconds(5),
          Duration.ofMillis(100));

  private TestHub hub;

  @BeforeEach
  void start() throws Exception {
    hub = new TestHub(QUICK);
  }

  @AfterEach
  void stop() throws Exception {
    hub.close();
  }

  @Test
  void records_are_lines_in_order_of_seq() throws Exception {
    hub.add("k1", List.of("a", "b"), "{\"x\":1}");
    hub.add("k2", List.of("b"), "{\n\"x\":\r2}");

    var answer = send(get(hub, "/v1/records"));

    assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/x-ndjson");
    assertThat(answer.body()).isEqualTo(Requests.golden("records.ndjson"));
    assertThat(send(get(hub, "/v1/records?pipeline=a")).body()).contains("k1").doesNotContain("k2");
    assertThat(send(get(hub, "/v1/records?from=2")).body()).contains("k2").doesNotContain("k1");
    assertThat(send(get(hub, "/v1/records?limit=1")).body()).contains("k1").doesNotContain("k2");
    assertThat(send(get(hub, "/v1/records?since=2023-11-14T22:13:20.125Z")).body())
        .contains("k2")
        .doesNotContain("k1");
    assertThat(send(get(hub, "/v1/records?until=2023-11-14T23:13:20.124%2B01:00")).body())
        .contains("k1")
        .doesNotContain("k2");
    assertThat(send(get(hub, "/v1/records?until=2023-11-14T23:13:20.124+01:00")).body())
        .contains("k1");
    assertThat(send(get(hub, "/v1/records?since=2023-11-14%2022:14")).body()).isEmpty();
  }

  @Test
  void many_records_come_in_pages() throws Exception {
    for (int i = 0; i < 2_500; i++) {
      hub.add("k" + i, List.of(), "\"" + "x".repeat(1_000) + "\"");
    }

    assertThat(send(get(hub, "/v1/records?limit=10000")).body().lines()).hasSize(2_500);
    assertThat(send(get(hub, "/v1/records")).body().lines()).hasSize(1_000);
    assertThat(send(get(hub, "/v1/records?from=2000&limit=150")).body().lines()).hasSize(150);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "from=0",
        "from=-1",
        "from=x",
        "limit=0",
        "limit=10001",
        "since=yesterday",
        "until=1",
        "follow=yes",
        "limit=1&limit=2",
        "form=1",
        "pipeline=%ff",
        "pipeline=%2",
        "follow=true&until=2024-01-01T00:00:00Z"
      })
  void a_bad_query_parameter_is_400_and_named(String query) throws Exception {
    // The JDK's client cannot send a broken escape.
    try (RawClient client = new RawClient(hub.door.port())) {
      client.send(
          "GET /v1/records?%s HTTP/1.1\r\nHost: h\r\nDATANADHI-API-KEY: %s\r\n\r\n"
              .formatted(query, TestHub.KEY));
      var answer = client.answer();
      assertThat(answer.status()).isEqualTo(400);
      assertThat(answer.body()).contains(query.substring(0, query.indexOf('=')));
    }
  }

  @Test
  void following_gets_what_comes_later_and_ends_with_the_hub() throws Exception {
    hub.add("k1", List.of("p"), "1");
    var answer = stream(get(hub, "/v1/records?follow=true&pipeline=p"));
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(answer.body(), StandardCharsets.UTF_8))) {
      assertThat(lines.readLine()).contains("\"k1\"");
      assertThat(lines.readLine()).as("sign of life").isEmpty();
      hub.add("k2", List.of("q"), "2");
      hub.add("k3", List.of("p"), "3");
      String next = lines.readLine();
      while (next.isEmpty()) {
        next = lines.readLine();
      }
      assertThat(next).contains("\"k3\"");
      hub.door.stopAccepting();
      String last = lines.readLine();
      while (last != null && last.isEmpty()) {
        last = lines.readLine();
      }
      assertThat(last).as("end").isNull();
    }
  }

  @Test
  void following_is_cut_when_the_key_is_revoked() throws Exception {
    hub.add("k1", List.of("p"), "1");
    try (RawClient client = new RawClient(hub.door.port())) {
      client.send(
          "GET /v1/records?follow=true HTTP/1.1\r\nHost: h\r\nDATANADHI-API-KEY: "
              + TestHub.KEY
              + "\r\n\r\n");
      assertThat(client.headOnly().status()).isEqualTo(200);
      hub.isRevoked = true;
      hub.add("k2", List.of("p"), "2");
      assertThat(client.rest())
          .contains("\"k1\"")
          .doesNotContain("\"k2\"")
          // An end of the answer would say that this was all.
          .doesNotContain("\r\n0\r\n");
    }
  }

  @Test
  void a_pipeline_with_an_empty_name_has_an_address() throws Exception {
    hub.add("k1", List.of(""), "1");
    assertThat(send(get(hub, "/v1/pipelines//records?consumer=c")).body()).contains("\"k1\"");
    assertThat(
            send(post(hub, "/v1/pipelines//cursors/c", "application/json", "{\"through\":1}"))
                .statusCode())
        .isEqualTo(200);
    assertThat(send(get(hub, "/v1/pipelines//records?consumer=c")).body()).isEmpty();
    assertThat(send(get(hub, "//v1/records")).statusCode()).isEqualTo(404);
    assertThat(send(get(hub, "/v1//records")).statusCode()).isEqualTo(404);
  }

  @ParameterizedTest
  @ValueSource(strings = {"1000000000000000000", "9223372036854775807", "99999999999999999999"})
  void a_from_of_more_than_18_digits_is_400_and_told_the_bound(String from) throws Exception {
    var answer = send(get(hub, "/v1/records?from=" + from));
    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(answer.body()).contains("from 1 to 999999999999999999");
    assertThat(send(get(hub, "/v1/records?from=999999999999999999")).statusCode()).isEqualTo(200);
  }

  @Test
  void following_with_a_limit_ends_at_it() throws Exception {
    hub.add("k1", List.of(), "1");
    hub.add("k2", List.of(), "2");
    assertThat(send(get(hub, "/v1/records?follow=true&limit=2")).body().lines()).hasSize(2);
  }

  @Test
  void a_reader_that_has_gone_frees_its_place() throws Exception {
    for (int i = 0; i < QUICK.maxReaders(); i++) {
      stream(get(hub, "/v1/records?follow=true")).body().close();
    }
    await().until(() -> send(get(hub, "/v1/records")).statusCode() == 200);
  }

  @Test
  void a_tenant_has_at_most_half_of_the_readers() throws Exception {
    for (int i = 0; i < QUICK.maxReaders() / 2; i++) {
      var unused = stream(get(hub, "/v1/records?follow=true"));
      assertThat(unused.statusCode()).isEqualTo(200);
    }
    assertThat(send(get(hub, "/v1/records")).statusCode()).isEqualTo(503);
    hub.door.stopAccepting();
  }

  @Test
  void a_reader_that_takes_nothing_is_cut_and_leases_nothing() throws Exception {
    for (int i = 0; i < 500; i++) {
      hub.add("k" + i, List.of(), "\"" + "x".repeat(100_000) + "\"");
    }
    try (RawClient client = new RawClient(hub.door.port())) {
      client.send(
          "GET /v1/records HTTP/1.1\r\nHost: h\r\nDATANADHI-API-KEY: " + TestHub.KEY + "\r\n\r\n");
      await()
          .atMost(Duration.ofSeconds(10))
          .until(() -> hub.answered.stream().anyMatch(a -> a.startsWith("/v1/records")));
    }
    assertThat(send(get(hub, "/v1/records?limit=1")).statusCode()).isEqualTo(200);
  }

  @Test
  void a_receipt_can_be_asked_for() throws Exception {
    send(
        post(
            hub,
            "/log",
            "application/json",
            "{\"pipelines\":[],\"log_data\":1}",
            "Idempotency-Key",
            "a/b c".replace(' ', '%')));
    assertThat(send(get(hub, "/v1/receipts/a%2Fb%25c")).body())
        .isEqualTo(
            "{\"tenant\":\"acme\",\"key\":\"a/b%c\",\"sha256\":\"6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b\",\"seq\":1,\"records\":1,\"position\":\"00000000/events-0:0\",\"received_at\":\"2023-11-14T22:13:20.124Z\"}");
    assertThat(send(get(hub, "/v1/receipts/unknown")).statusCode()).isEqualTo(404);
    assertThat(send(get(hub, "/v1/receipts/%20")).statusCode()).isEqualTo(400);
  }

  @Test
  void sources_say_what_is_missing() throws Exception {
    assertThat(send(get(hub, "/v1/sources")).body())
        .isEqualTo(
            "[{\"source\":\"0123456789abcdef0123456789abcdef\",\"stored\":5,\"complete_to\":3,\"missing\":[[4,4]],\"last_received_at\":\"2023-11-14T22:13:20.123Z\"}]");
  }

  @Test
  void a_consumer_goes_on_where_its_cursor_is() throws Exception {
    hub.add("k1", List.of("a b"), "1");
    hub.add("k2", List.of("a b"), "2");
    String page = "/v1/pipelines/a%20b/records?consumer=c";

    assertThat(send(get(hub, page)).body().lines())
        .hasSize(2)
        .first()
        .asString()
        .contains("\"n\":1");
    var moved =
        send(post(hub, "/v1/pipelines/a%20b/cursors/c", "application/json", "{\"through\":1}"));
    assertThat(moved.body()).isEqualTo("{\"pipeline\":\"a b\",\"consumer\":\"c\",\"through\":1}");
    assertThat(send(get(hub, page + "&wait=1&limit=5")).body().lines()).hasSize(1);
    assertThat(
            send(get(hub, "/v1/pipelines/expired/records?consumer=c"))
                .headers()
                .firstValue("Hub-Expired"))
        .hasValue("1-7");
    assertThat(send(get(hub, "/v1/pipelines/a/records")).statusCode()).isEqualTo(400);
    assertThat(send(get(hub, page + "&wait=31")).statusCode()).isEqualTo(400);
    for (String bad :
        List.of("{}", "{\"through\":-1}", "{\"through\":1.5}", "{\"through\":\"1\"}")) {
      assertThat(send(post(hub, "/v1/pipelines/a/cursors/c", "application/json", bad)).statusCode())
          .isEqualTo(400);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/v1/records",
        "/v1/receipts/k",
        "/v1/sources",
        "/v1/pipelines/p/records?consumer=c"
      })
  void reading_needs_a_key_and_a_view(String path) throws Exception {
    assertThat(send(HttpRequest.newBuilder(hub.uri(path)).build()).statusCode()).isEqualTo(401);
    hub.viewDown = true;
    var answer = send(get(hub, path));
    assertThat(answer.statusCode()).isEqualTo(503);
    assertThat(answer.headers().firstValue("Retry-After")).hasValue("5");
    assertThat(answer.body()).contains("it is being rebuilt");
  }

  @Test
  void health_is_told_without_a_key() throws Exception {
    assertThat(send(HttpRequest.newBuilder(hub.uri("/health")).build()).body())
        .isEqualTo(
            "{\"status\":\"healthy\",\"components\":{\"wal\":\"connected\",\"sqlite\":\"ok\"},\"applier_lag_ms\":50,\"last_snapshot\":null,\"reasons\":[]}");
    hub.health = HealthReport.Status.DEGRADED;
    assertThat(send(HttpRequest.newBuilder(hub.uri("/health")).build()).statusCode())
        .isEqualTo(200);
    hub.health = HealthReport.Status.UNHEALTHY;
    assertThat(send(HttpRequest.newBuilder(hub.uri("/health")).build()).statusCode())
        .isEqualTo(503);
    hub.appendProblem = "the disk is full";
    for (String path : List.of("/", "/readyz")) {
      var answer = send(HttpRequest.newBuilder(hub.uri(path)).build());
      assertThat(answer.statusCode()).isEqualTo(503);
      assertThat(answer.headers().firstValue("Retry-After")).hasValue("1");
      assertThat(answer.body()).contains("the disk is full");
    }
    assertThat(send(HttpRequest.newBuilder(hub.uri("/livez")).build()).statusCode()).isEqualTo(200);
    assertThat(
            send(HttpRequest.newBuilder(hub.uri("/metrics")).header("Accept", "a/b").build())
                .body())
        .isEqualTo("# accept a/b\n");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "POST|/|405|GET, HEAD",
        "GET|/log|405|POST",
        "GET|/v1/logs|405|POST",
        "PUT|/upload|405|POST",
        "DELETE|/v1/receipts/k|405|GET, HEAD",
        "OPTIONS|/v1/records|405|GET, HEAD",
        "GET|/nothing|404|",
        "POST|/v1/traces|404|"
      })
  void other_methods_and_paths_are_refused(String method, String path, int status, String allow)
      throws Exception {
    var answer =
        send(
            HttpRequest.newBuilder(hub.uri(path))
                .method(method, HttpRequest.BodyPublishers.ofString("x"))
                .build());
    assertThat(answer.statusCode()).isEqualTo(status);
    assertThat(answer.headers().firstValue("Allow").orElse(""))
        .isEqualTo(allow == null ? "" : allow);
    assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/problem+json");
  }

  @Test
  void head_is_get_without_the_body() throws Exception {
    hub.add("k", List.of(), "1");
    for (String path :
        List.of("/", "/health", "/v1/records", "/v1/records?follow=true", "/v1/sources", "/none")) {
      try (RawClient client = new RawClient(hub.door.port())) {
        client.send(
            "HEAD %s HTTP/1.1\r\nHost: h\r\nDATANADHI-API-KEY: %s\r\n\r\nGET /livez HTTP/1.1\r\nHost: h\r\n\r\n"
                .formatted(path, TestHub.KEY));
        assertThat(client.headOnly().status()).isEqualTo(path.equals("/none") ? 404 : 200);
        assertThat(client.answer().body()).as(path).contains("alive");
      }
    }
  }

  @Test
  void an_upload_is_stored_as_a_whole_or_not_at_all() throws Exception {
    String lines = "{\"pipelines\":[],\"log_data\":1}\n{\"pipelines\":[],\"log_data\":2}\n";
    String type = "application/octet-stream";

    var stored =
        send(post(hub, "/upload", type, Requests.gzip(lines), "Idempotency-Key", "\"a\", \"b\""));
    assertThat(stored.statusCode()).isEqualTo(200);
    assertThat(stored.body()).isEqualTo("{\"stored\":2}");
    assertThat(hub.known).containsOnlyKeys("a", "b");
    assertThat(send(post(hub, "/upload", type, Requests.gzip(lines))).body())
        .isEqualTo("{\"stored\":2}");
    assertThat(hub.events).hasSize(4);

    var count = send(post(hub, "/upload", type, Requests.gzip(lines), "Idempotency-Key", "\"a\""));
    assertThat(count.statusCode()).isEqualTo(400);
    var conflict =
        send(post(hub, "/upload", type, Requests.gzip(lines), "Idempotency-Key", "\"c\",\"a\""));
    assertThat(conflict.statusCode()).isEqualTo(422);
    assertThat(conflict.body()).contains("\"errors\":[{\"line\":2,\"status\":422,");
    var bad = send(post(hub, "/upload", type, Requests.gzip(lines + "{}")));
    assertThat(bad.statusCode()).isEqualTo(422);
    assertThat(bad.body())
        .contains("\"A line cannot be stored, so nothing is. Send the other lines without it.\"")
        .contains("\"errors\":[{\"line\":3,\"status\":400,");
    assertThat(send(post(hub, "/upload", type, Requests.gzip(lines + "{}\n[]"))).body())
        .contains(
            "\"2 lines cannot be stored, so nothing is. Send the other lines without them.\"");
    var json = send(post(hub, "/upload", "application/json", Requests.gzip(lines)));
    assertThat(json.statusCode()).isEqualTo(415);
    assertThat(json.body())
        .contains("\"Content-Type is application/json. Send application/octet-stream.\"");
    var many =
        send(
            post(
                hub,
                "/upload",
                type,
                Requests.gzip("{\"pipelines\":[],\"log_data\":1}\n".repeat(101))));
    assertThat(many.statusCode()).isEqualTo(413);
    assertThat(send(post(hub, "/upload", type, lines)).statusCode()).isEqualTo(400);
    assertThat(hub.events).hasSize(4);
    assertThat(
            send(post(hub, "/upload", type, Requests.gzip(lines), "Content-Encoding", "gzip"))
                .statusCode())
        .isEqualTo(200);
  }

  @Test
  void a_transaction_is_one_key_with_several_records() throws Exception {
    String record = "{\"pipelines\":[\"p\"],\"log_data\":1}";
    String type = "application/json";
    String path = "/v1/transactions";

    var stored =
        send(
            post(
                hub,
                path,
                type,
                "{\"records\":[" + record + "," + record + "]}",
                "Idempotency-Key",
                "t",
                "Prefer",
                "wait=3"));
    assertThat(stored.statusCode()).isEqualTo(200);
    assertThat(stored.headers().firstValue("Hub-Seq")).hasValue("1-2");
    assertThat(hub.events).hasSize(2);
    for (String bad :
        List.of("{}", "[]", "{\"records\":[]}", "{\"records\":[1]}", "{\"records\":{}}")) {
      assertThat(send(post(hub, path, type, bad)).statusCode()).isEqualTo(400);
    }
    String many = "{\"records\":[" + (record + ",").repeat(1_000) + record + "]}";
    assertThat(send(post(hub, path, type, many)).statusCode()).isEqualTo(413);
  }

  @Test
  void a_stop_finishes_what_is_in_progress_and_refuses_the_rest() throws Exception {
    hub.gate = new CountDownLatch(1);
    String envelope = "{\"pipelines\":[],\"log_data\":1}";
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Integer> inProgress =
          threads.submit(() -> send(post(hub, "/log", "application/json", envelope)).statusCode());
      hub.entered.await();
      try (RawClient other = new RawClient(hub.door.port())) {
        other.send("GET /livez HTTP/1.1\r\nHost: h\r\n\r\n");
        assertThat(other.answer().status()).isEqualTo(200);
        hub.door.stopAccepting();
        other.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        var refused = other.answer();
        assertThat(refused.status()).isEqualTo(503);
        assertThat(refused.has("Connection: close")).isTrue();
        assertThat(refused.has("Retry-After: 1")).isTrue();
        assertThat(other.isClosed()).isTrue();
      }
      Future<?> closing =
          threads.submit(() -> {
            hub.door.close();
            return null;
          });
      hub.gate.countDown();
      assertThat(inProgress.get()).isEqualTo(200);
      closing.get();
    }
  }

  @Test
  void the_api_document_lists_exactly_the_routes() throws Exception {
    Path document = Path.of("../docs/hub/openapi.yaml");
    String paths = Files.readString(document).replaceAll("(?s).*\npaths:\n|\n[a-z]+:\n.*", "");
    List<String> listed = new java.util.ArrayList<>();
    String path = "";
    for (String line : paths.lines().toList()) {
      Matcher found =
          Pattern.compile(" {2}(/\\S*):|    (get|post|put|delete|head|patch):").matcher(line);
      if (found.matches() && found.group(1) != null) {
        path = found.group(1);
      } else if (found.matches()) {
        listed.add(found.group(2).toUpperCase(java.util.Locale.ROOT) + " " + path);
      }
    }
    assertThat(listed).containsExactlyInAnyOrderElementsOf(new Routes(QUICK).names());
  }
}
