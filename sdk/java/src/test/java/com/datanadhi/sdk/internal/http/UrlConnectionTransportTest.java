package com.datanadhi.sdk.internal.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.sdk.internal.http.HttpTransport.Answer;
import com.datanadhi.sdk.internal.http.HttpTransport.Call;
import com.datanadhi.testkit.StubServer;
import com.datanadhi.testkit.StubServer.Behaviour;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** With a server that sends what the test says. */
class UrlConnectionTransportTest {
  private final ThreadPoolExecutor threads = (ThreadPoolExecutor) Executors.newCachedThreadPool();
  private StubServer server;
  private UrlConnectionTransport transport;

  @BeforeEach
  void start() throws Exception {
    server = StubServer.up();
    transport =
        new UrlConnectionTransport(
            Proxies.none(), SSLContext.getDefault(), false, Duration.ofSeconds(10), threads);
  }

  @AfterEach
  void stop() throws IOException {
    transport.close();
    server.close();
    threads.shutdownNow();
  }

  private CompletableFuture<Answer<String>> send(byte[] body) {
    return transport.send(
        new Call(URI.create(server.url() + "/log?a=b"), Map.of("Content-Type", "x/y"), body),
        BodyHandlers.ofString());
  }

  private Answer<String> post() throws Exception {
    return send(new byte[] {'{', '}'}).get(60, TimeUnit.SECONDS);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nA: b\r\n\r\n",
        "HTTP/1.1 200\r\nTransfer-Encoding: Chunked\r\nContent-Length: 1\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.0 200 OK\r\n\r\nhello",
        "HTTP/1.1 200 OK\nConnection: close\n\nhello"
      })
  void a_body_ends_where_its_headers_say(String response) throws Exception {
    server.onDelivery(Behaviour.raw(response));
    assertThat(post().body()).isEqualTo("hello");
    assertThat(server.deliveries().get(0).path()).isEqualTo("/log?a=b");
    assertThat(server.deliveries().get(0).headers()).containsEntry("content-type", "x/y");
    assertThat(server.deliveries().get(0).text()).isEqualTo("{}");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello",
        "HTTP/2 200\r\n\r\n",
        "SSH-2.0-OpenSSH_9.6\r\n"
      })
  void what_is_cut_off_or_malformed_is_no_answer(String response) {
    server.onDelivery(Behaviour.raw(response));
    assertThatThrownBy(this::post)
        .isInstanceOf(ExecutionException.class)
        .hasCauseInstanceOf(IOException.class);
  }

  /** Of these the JDK throws an exception when the request has a body that it cannot repeat. */
  @ParameterizedTest
  @ValueSource(ints = {301, 308, 401, 404, 410, 413, 503})
  void a_status_is_an_answer_whatever_it_is(int status) throws Exception {
    server.onDelivery(
        Behaviour.status(status, "why", "Location: /elsewhere", "WWW-Authenticate: Basic realm=a"));
    Answer<String> answer = post();
    assertThat(answer.status()).isEqualTo(status);
    assertThat(answer.headers().firstValue("location")).contains("/elsewhere");
    assertThat(server.count()).isEqualTo(1);
  }

  @Test
  void the_answer_of_a_proxy_that_demands_a_password_says_so() {
    server.onDelivery(Behaviour.status(407, "", "Proxy-Authenticate: Basic realm=a"));
    assertThatThrownBy(this::post)
        .hasCauseInstanceOf(ConnectException.class)
        .hasMessageContaining("check the user and password of the proxy");
    assertThat(server.count()).isEqualTo(1);
  }

  @Test
  void a_request_is_not_repeated_when_the_connection_breaks() throws Exception {
    assertThat(post().status()).isEqualTo(200);
    server.onDelivery(Behaviour.raw(""));
    assertThatThrownBy(this::post).hasCauseInstanceOf(IOException.class);
    assertThat(server.count()).isEqualTo(2);
  }

  @Test
  void a_connection_is_used_again_and_replaced_when_the_server_has_closed_it() throws Exception {
    assertThat(post().status()).isEqualTo(200);
    assertThat(post().status()).isEqualTo(200);
    assertThat(server.connections()).isEqualTo(1);
    server.goDown();
    server.comeUp();
    assertThat(post().status()).isEqualTo(200);
    assertThat(server.connections()).isEqualTo(2);
    assertThat(server.count()).isEqualTo(3);
  }

  @Test
  void an_answer_to_a_request_that_is_not_read_counts() throws Exception {
    try (java.net.ServerSocket early = new java.net.ServerSocket(0)) {
      threads.execute(() -> {
        try (var client = early.accept()) {
          client
              .getOutputStream()
              .write("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n".getBytes());
          client.shutdownOutput();
          Awaitility.await().until(() -> client.getInputStream().read() < 0);
        } catch (IOException | RuntimeException ended) {
          // The client has its answer.
        }
      });
      Call call =
          new Call(
              URI.create("http://127.0.0.1:" + early.getLocalPort() + "/log"),
              Map.of(),
              new byte[64]);
      assertThat(transport.send(call, BodyHandlers.ofString()).get(60, TimeUnit.SECONDS).status())
          .isEqualTo(413);
    }
  }

  @Test
  void a_cancelled_request_frees_its_thread() {
    server.onDelivery(Behaviour.hang());
    CompletableFuture<Answer<String>> sent = send(new byte[] {'1'});
    Awaitility.await().until(() -> server.count() == 1);
    assertThat(threads.getActiveCount()).isEqualTo(1);
    assertThat(sent.cancel(true)).isTrue();
    Awaitility.await().until(() -> threads.getActiveCount() == 0);
  }

  @Test
  void a_server_that_cannot_be_reached_is_no_broken_connection() throws Exception {
    server.goDown();
    assertThatThrownBy(this::post).hasCauseInstanceOf(ConnectException.class);
    Call unknown = Call.get(URI.create("http://no_such_host.invalid/"), Map.of());
    assertThatThrownBy(() -> transport.send(unknown, BodyHandlers.ofString()).get())
        .hasCauseInstanceOf(ConnectException.class);
  }
}
