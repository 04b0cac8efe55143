package com.datanadhi.hub.http;

import static com.datanadhi.hub.http.RawClient.GOOD;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class HardeningTest {
  private static final DoorSettings QUICK =
      new DoorSettings(
          40,
          Duration.ofMillis(600),
          Duration.ofMillis(600),
          Duration.ofMillis(1_500),
          Duration.ofMillis(2_500),
          Duration.ofMillis(300),
          4,
          Duration.ofSeconds(5),
          Duration.ofMillis(100));
  private static final String KEY = "DATANADHI-API-KEY: " + TestHub.KEY + "\r\n";
  private static final String JSON = "Content-Type: application/json\r\n";

  private TestHub hub;

  @BeforeEach
  void start() throws Exception {
    hub = new TestHub(QUICK);
  }

  @AfterEach
  void stop() throws Exception {
    hub.close();
    assertThat(hub.leased.get()).as("bytes still admitted").isZero();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "POST /log HTTP/1.1~Host: h~%kContent-Length: 4~Transfer-Encoding: chunked~~0~~",
        "POST /log HTTP/1.1~Host: h~%kTransfer-Encoding: chunked~Content-Length: 4~~0~~",
        "POST /log HTTP/1.1~Host: h~%kContent-Length: 4~Content-Length: 5~~abcde",
        "POST /log HTTP/1.1~Host: h~%kContent-Length: 4~Content-Length: 4~~abcd",
        "POST /log HTTP/1.1~Host: h~%kContent-Length: 4, 4~~abcd",
        "POST /log HTTP/1.1~Host: h~%kContent-Length: +4~~abcd",
        "POST /log HTTP/1.1~Host: h~%kContent-Length: -1~~abcd",
        "POST /log HTTP/1.1~Host: h~%kContent-Length: 0x4~~abcd",
        "POST /log HTTP/1.1~Host: h~%kContent-Length: 99999999999999999999~~abcd",
        "POST /log HTTP/1.1~Host: h~%kContent-Length : 4~~abcd",
        "POST /log HTTP/1.1~Host: h~%kTransfer-Encoding: chunked, identity~~0~~",
        "POST /log HTTP/1.1~Host: h~%kTransfer-Encoding: xchunked~~0~~",
        "POST /log HTTP/1.1~Host: h~%kTransfer-Encoding: chunked~Transfer-Encoding: chunked~~0~~",
        "POST /log HTTP/1.0~%kTransfer-Encoding: chunked~~0~~",
        "POST /log HTTP/1.1^Host: h^%kContent-Length: 0^^",
        "POST /log HTTP/1.1~Host: h^%kContent-Length: 0~~",
        "POST /log HTTP/1.1~Host: h~%kX: a~ b~Content-Length: 0~~",
        "POST /log HTTP/1.1~Host: h~%kNo colon~~",
        "POST /log HTTP/1.1~Host: h~%k: empty~~",
        "POST /log HTTP/1.1~%kContent-Length: 0~~",
        "POST /log HTTP/1.1~Host: h~Host: i~%kContent-Length: 0~~",
        "GET / HTTP/1.1~Host: h~X: a\u0000b~~",
        "GET /\u0000 HTTP/1.1~Host: h~~",
        "GET /a b HTTP/1.1~Host: h~~",
        "GET / HTTP/9.9~Host: h~~",
        "GET / HTTP/1.1 ~Host: h~~",
        "GET /%zz HTTP/1.1~Host: h~~",
        "GET /~~",
        "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001~~",
        "PRI * HTTP/2.0~~SM~~"
      })
  void what_can_be_read_in_two_ways_is_refused_and_the_connection_closed(String request)
      throws Exception {
    try (RawClient client = new RawClient(hub.door.port())) {
      client.send(lines(request).replace("%k", KEY + JSON) + GOOD);
      String all = client.rest();

      if (!all.isEmpty()) {
        assertThat(all).startsWith("HTTP/1.1 ");
        assertThat(all.split(" ", 3)[1]).isIn("400", "505", "426", "501");
      }
      assertThat(all.split("HTTP/1\\.1 \\d", -1).length - 1).as("answers").isLessThanOrEqualTo(1);
    }
    assertThat(hub.events).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "zz~",
        "-1~",
        "0x5~",
        "ffffffffffffffffff~",
        "5^abcde",
        "5~abcdeXX",
        "1d;a=\"^\"~",
        "~"
      })
  void broken_chunks_are_refused_and_the_connection_closed(String chunks) throws Exception {
    try (RawClient client = new RawClient(hub.door.port())) {
      client.send(
          "POST /log HTTP/1.1\r\nHost: h\r\n"
              + KEY
              + JSON
              + "Transfer-Encoding: chunked\r\n\r\n"
              + lines(chunks)
              + GOOD);
      String all = client.rest();

      assertThat(all).startsWith("HTTP/1.1 400 ");
      assertThat(all.split("HTTP/1\\.1 \\d", -1).length - 1).as("answers").isEqualTo(1);
    }
    assertThat(hub.events).isEmpty();
  }

  /// `~` stands for CRLF and `^` for LF.
  private static String lines(String text) {
    return text.replace("~", "\r\n").replace("^", "\n");
  }

  @Test
  void a_refused_head_is_answered_by_a_problem() throws Exception {
    try (RawClient client = new RawClient(hub.door.port())) {
      var answer = client.send("GET / HTTP/1.1\r\nHost : h\r\n\r\n").answer();

      assertThat(answer.status()).isEqualTo(400);
      assertThat(answer.has("Content-Type: application/problem+json")).isTrue();
      assertThat(answer.has("Connection: close")).isTrue();
      assertThat(answer.has("Server:")).isFalse();
      assertThat(answer.body()).startsWith("{\"type\":\"about:blank\",\"title\":\"Bad request\"");
      assertThat(client.isClosed()).isTrue();
    }
  }

  @Test
  void a_head_of_more_than_64_kib_is_431() throws Exception {
    for (String line :
        List.of(
            "GET / HTTP/1.1\r\nHost: h\r\nX: " + "x".repeat(70_000),
            "GET / HTTP/1.1\r\nHost: h\r\n" + "X: y\r\n".repeat(12_000),
            "GET /" + "x".repeat(70_000) + " HTTP/1.1\r\nHost: h")) {
      try (RawClient client = new RawClient(hub.door.port())) {
        assertThat(client.send(line + "\r\n\r\n").answer().status()).isEqualTo(431);
      }
    }
    try (RawClient client = new RawClient(hub.door.port())) {
      client.send("GET / HTTP/1.1\r\nHost: h\r\nX: " + "x".repeat(60_000) + "\r\n\r\n");
      assertThat(client.answer().status()).isEqualTo(200);
    }
  }

  @Test
  void a_dripped_head_is_ended() throws Exception {
    assertEnded("GET / HTTP/1.1\r\nHost: h\r\nX: ", "x");
  }

  @Test
  void dripped_line_ends_before_a_request_are_ended() throws Exception {
    assertEnded("", "\r\n");
  }

  @Test
  void a_dripped_body_is_ended() throws Exception {
    assertEnded(
        "POST /log HTTP/1.1\r\nHost: h\r\n" + KEY + JSON + "Content-Length: 90000\r\n\r\n", " ");
  }

  @Test
  void a_dripped_body_without_a_key_is_ended() throws Exception {
    assertEnded("POST /log HTTP/1.1\r\nHost: h\r\n" + JSON + "Content-Length: 90000\r\n\r\n", " ");
  }

  @Test
  void a_dripped_chunk_extension_is_ended() throws Exception {
    assertEnded(
        "POST /log HTTP/1.1\r\nHost: h\r\n" + KEY + JSON + "Transfer-Encoding: chunked\r\n\r\n5;a=",
        "x");
  }

  /// Sends a byte every 100 ms, each of which resets the idle time-out.
  private void assertEnded(String begin, String drip) throws Exception {
    try (RawClient client = new RawClient(hub.door.port())) {
      client.send(begin);
      await()
          .atMost(Duration.ofSeconds(6))
          .pollInterval(Duration.ofMillis(100))
          .until(() -> {
            try {
              client.send(drip);
              return false;
            } catch (java.io.IOException closed) {
              return true;
            }
          });
    }
    await().until(() -> hub.door.connections() == 0);
  }

  @Test
  void a_body_that_stops_in_the_middle_is_408() throws Exception {
    try (RawClient client = new RawClient(hub.door.port())) {
      client.send(GOOD.substring(0, GOOD.length() - 5));
      var answer = client.answer();

      assertThat(answer.status()).isEqualTo(408);
      assertThat(answer.has("Connection: close")).isTrue();
      assertThat(client.isClosed()).isTrue();
    }
  }

  @Test
  void a_body_that_stops_is_waited_for_once() throws Exception {
    // The silent connection is closed between the first pause and a second one.
    DoorSettings settings =
        new DoorSettings(
            10,
            Duration.ofSeconds(30),
            Duration.ofSeconds(2),
            Duration.ofSeconds(30),
            Duration.ofMillis(3_500),
            Duration.ofSeconds(15),
            4,
            Duration.ofSeconds(5),
            Duration.ofSeconds(5));
    try (TestHub patient = new TestHub(settings);
        RawClient stopped = new RawClient(patient.door.port());
        RawClient silent = new RawClient(patient.door.port());
        ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
      stopped.send(GOOD.substring(0, GOOD.length() - 5));
      Queue<String> ended = new ConcurrentLinkedQueue<>();
      Future<?> first = clients.submit(() -> ended.add("answer " + stopped.answer().status()));
      Future<?> second = clients.submit(() -> ended.add("closed " + silent.isClosed()));
      first.get();
      second.get();

      assertThat(ended).containsExactly("answer 408", "closed true");
    }
  }

  @Test
  void a_connection_that_is_idle_is_closed() throws Exception {
    try (RawClient silent = new RawClient(hub.door.port());
        RawClient used = new RawClient(hub.door.port())) {
      assertThat(used.send(GOOD).answer().status()).isEqualTo(200);
      assertThat(used.isClosed()).isTrue();
      assertThat(silent.isClosed()).isTrue();
    }
  }

  @Test
  void pipelined_requests_are_answered_in_order() throws Exception {
    StringBuilder requests = new StringBuilder();
    for (int i = 0; i < 50; i++) {
      String body = "{\"pipelines\":[],\"log_data\":" + i + "}";
      requests
          .append("POST /log HTTP/1.1\r\nHost: h\r\nIdempotency-Key: k-" + i + "\r\n")
          .append(KEY + JSON + "Content-Length: " + body.length() + "\r\n\r\n" + body)
          .append("GET /livez HTTP/1.1\r\nHost: h\r\n\r\n");
    }
    try (RawClient client = new RawClient(hub.door.port())) {
      client.send(requests.toString());
      for (int i = 0; i < 50; i++) {
        assertThat(client.answer().body()).contains("\"key\":\"k-" + i + "\"");
        assertThat(client.answer().body()).contains("alive");
      }
    }
    assertThat(hub.events).hasSize(50);
  }

  @Test
  void expect_is_answered_before_the_body() throws Exception {
    String head =
        "POST /log HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n%sContent-Length: "
            + RawClient.ENVELOPE.length()
            + "\r\n\r\n";
    try (RawClient client = new RawClient(hub.door.port())) {
      client.send(head.formatted(KEY + JSON));
      assertThat(client.headOnly().status()).isEqualTo(100);
      assertThat(client.send(RawClient.ENVELOPE).answer().status()).isEqualTo(200);
    }
    try (RawClient client = new RawClient(hub.door.port())) {
      assertThat(client.send(head.formatted(JSON)).answer().status()).isEqualTo(401);
      assertThat(client.isClosed()).isTrue();
    }
  }

  @Test
  void http_1_0_needs_no_host() throws Exception {
    try (RawClient client = new RawClient(hub.door.port())) {
      String all = client.send("GET / HTTP/1.0\r\n\r\n").rest();
      assertThat(all).startsWith("HTTP/1.1 200 ").contains("ready");
    }
  }

  @Test
  void an_early_answer_reaches_a_sender_that_writes_on() throws Exception {
    byte[] large = new byte[12 << 20];
    try (RawClient client = new RawClient(hub.door.port())) {
      client.send(
          "POST /log HTTP/1.1\r\nHost: h\r\n"
              + KEY
              + JSON
              + "Content-Length: "
              + large.length
              + "\r\n\r\n");
      client.send(large);
      assertThat(client.answer().status()).isEqualTo(413);
      assertThat(client.send(GOOD).answer().status()).isEqualTo(200);
    }
  }

  @Test
  void traversal_leads_nowhere() throws Exception {
    for (String path :
        List.of(
            "/../etc/passwd",
            "/v1/../log",
            "/%2e%2e/log",
            "//log",
            "/log/",
            "/LOG",
            "/log;x=1",
            "/v1/receipts/a%2Fb%00",
            "/v1/receipts/%C0%AE",
            "/v1/receipts/..%2F..%2Fx")) {
      try (RawClient client = new RawClient(hub.door.port())) {
        client.send("GET " + path + " HTTP/1.1\r\nHost: h\r\n" + KEY + "\r\n");
        assertThat(client.answer().status()).as(path).isIn(400, 404);
      }
    }
  }

  @Test
  void two_different_keys_are_401_and_equal_ones_are_one() throws Exception {
    String get = "GET /v1/sources HTTP/1.1\r\nHost: h\r\n";
    for (String header :
        List.of("DATANADHI-API-KEY: ", "datanadhi_api_key: ", "X-DataNadhi-Api-Key: ")) {
      try (RawClient client = new RawClient(hub.door.port())) {
        client.send(get + header + TestHub.KEY + "\r\n\r\n");
        assertThat(client.answer().status()).as(header).isEqualTo(200);
        client.send(
            get + header + TestHub.KEY + "\r\nAuthorization: bearer " + TestHub.KEY + "\r\n\r\n");
        assertThat(client.answer().status()).as(header).isEqualTo(200);
        client.send(get + header + TestHub.KEY + "\r\nAuthorization: Bearer other\r\n\r\n");
        var refused = client.answer();
        assertThat(refused.status()).as(header).isEqualTo(401);
        assertThat(refused.body()).contains("2 different API keys");
        assertThat(refused.has("WWW-Authenticate: Bearer")).isTrue();
      }
    }
  }

  @Test
  void keys_that_are_not_read_yet_are_503() throws Exception {
    hub.apiKeysReady = false;
    try (RawClient client = new RawClient(hub.door.port())) {
      var answer = client.send(GOOD).answer();
      assertThat(answer.status()).isEqualTo(503);
      assertThat(answer.has("Retry-After: 1")).isTrue();
    }
  }
}
