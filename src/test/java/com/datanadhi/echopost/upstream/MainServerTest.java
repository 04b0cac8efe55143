package com.datanadhi.echopost.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.time.ManualClock;
import com.datanadhi.testkit.StubServer;
import com.datanadhi.testkit.StubServer.Behaviour;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufAllocatorMetricProvider;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocketFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The HTTP client against a real server on loopback, through real proxies, with real certificates.
class MainServerTest {
  private static final byte[] NO_KEY = {};

  @TempDir Path directory;
  private final List<AutoCloseable> open = new ArrayList<>();

  @AfterEach
  void closeAll() throws Exception {
    for (AutoCloseable closeable : open.reversed()) {
      closeable.close();
    }
  }

  private <T extends AutoCloseable> T use(T closeable) {
    open.add(closeable);
    return closeable;
  }

  private MainServer client(String url, Map<String, String> environment) {
    return use(
        new MainServer(
            ServerUrl.parse(url),
            "default-key",
            ProxySettings.fromEnvironment(environment),
            new TrustStore(environment),
            Clock.system()));
  }

  private static ServerResponse deliver(MainServer client, DeliveryRequest delivery)
      throws InterruptedException {
    List<ServerResponse> answers = new ArrayList<>();
    client.deliver(List.of(delivery), answers::add);
    assertThat(answers).hasSize(1);
    return answers.getFirst();
  }

  private static DeliveryRequest delivery(String json) {
    return new DeliveryRequest(
        "[]".getBytes(StandardCharsets.UTF_8),
        json.getBytes(StandardCharsets.UTF_8),
        NO_KEY,
        "k-1");
  }

  @Test
  void deliveries_share_one_connection_and_probes_make_their_own() throws Exception {
    StubServer server = use(StubServer.up());
    MainServer client = client(server.url() + "/base/", Map.of());

    for (int i = 0; i < 5; i++) {
      assertThat(deliver(client, delivery("{}")))
          .isEqualTo(new ServerResponse.Answered(200, null, ""));
    }
    assertThat(server.connections()).isEqualTo(1);
    assertThat(server.deliveries().getFirst().path()).isEqualTo("/base/log");
    assertThat(client.probe()).isEqualTo(new ServerResponse.Answered(200, null, ""));
    assertThat(server.connections()).isEqualTo(2);
  }

  @ParameterizedTest
  @ValueSource(ints = {200, 204, 400, 413, 422})
  void the_connection_is_kept_after_a_final_response(int status) throws Exception {
    assertThat(connectionsOfTwoDeliveries(status)).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(ints = {301, 401, 403, 404, 405, 407, 408, 425, 429, 500, 501, 503, 599})
  void the_connection_is_closed_after_a_response_that_is_not_final(int status) throws Exception {
    assertThat(connectionsOfTwoDeliveries(status)).isEqualTo(2);
  }

  private int connectionsOfTwoDeliveries(int status) throws Exception {
    StubServer server = use(StubServer.up());
    server.onDelivery(Behaviour.status(status, ""));
    MainServer client = client(server.url(), Map.of());
    for (int i = 0; i < 2; i++) {
      assertThat(deliver(client, delivery("{}"))).isInstanceOf(ServerResponse.Answered.class);
    }
    return server.connections();
  }

  @Test
  void after_a_failed_delivery_the_next_uses_the_connection_of_the_probe() throws Exception {
    StubServer server = use(StubServer.up());
    server.onDelivery(Behaviour.status(503, ""));
    MainServer client = client(server.url(), Map.of());
    var _ = deliver(client, delivery("1"));
    server.onDelivery(StubServer.OK);

    assertThat(client.probe()).isEqualTo(new ServerResponse.Answered(200, null, ""));
    assertThat(deliver(client, delivery("1")))
        .isEqualTo(new ServerResponse.Answered(200, null, ""));
    assertThat(server.connections()).isEqualTo(2);
    assertThat(client.probe()).isEqualTo(new ServerResponse.Answered(200, null, ""));
    assertThat(server.connections()).isEqualTo(3);
  }

  /// A balancer may give it to a sick server.
  @Test
  void a_probe_succeeds_by_its_first_response() throws Exception {
    StubServer server = use(StubServer.up());
    AtomicInteger probes = new AtomicInteger();
    server.onProbe((request, out) ->
        (probes.getAndIncrement() == 0 ? StubServer.OK : Behaviour.status(503, "sick"))
            .respond(request, out));
    server.onDelivery(Behaviour.status(503, ""));
    MainServer client = client(server.url(), Map.of());

    // Each probe after a failed delivery is sent twice with a probability of 1/2.
    for (int i = 0; i < 30; i++) {
      var _ = deliver(client, delivery("1"));
      probes.set(0);
      assertThat(client.probe()).isEqualTo(new ServerResponse.Answered(200, null, ""));
    }
  }

  /// A firewall or a server may have forgotten it without a word.
  @Test
  void a_connection_that_was_idle_for_long_is_not_used_again() throws Exception {
    StubServer server = use(StubServer.up());
    ManualClock clock = new ManualClock();
    MainServer client =
        use(
            new MainServer(
                ServerUrl.parse(server.url()),
                "",
                ProxySettings.fromEnvironment(Map.of()),
                new TrustStore(Map.of()),
                clock));
    var _ = deliver(client, delivery("1"));
    clock.advance(Duration.ofSeconds(5));
    var _ = deliver(client, delivery("2"));
    assertThat(server.connections()).isEqualTo(1);

    clock.advance(Duration.ofSeconds(6));
    var _ = deliver(client, delivery("3"));

    assertThat(server.connections()).isEqualTo(2);
    assertThat(server.count()).isEqualTo(3);
  }

  @Test
  void responses_are_asked_for_without_an_encoding() throws Exception {
    StubServer server = use(StubServer.up());
    var _ = deliver(client(server.url(), Map.of()), delivery("1"));

    assertThat(server.deliveries().getFirst().headers())
        .containsEntry("accept-encoding", "identity");
  }

  @ParameterizedTest
  @CsvSource({
    "Content-Encoding: gzip, '\u001f\u008b\b', '(gzip-encoded, 3 bytes)'",
    "Content-Encoding: identity, abc, abc",
    "Content-Type: text/plain; charset=ISO-8859-1, ä, ä",
    "Content-Type: text/plain; charset=nonsense, abc, abc",
    "X: y, \u00c3\u00a4, ä",
    "X: y, \u00ff\u0000a, \ufffd\ufffda",
  })
  void the_body_of_a_response_is_kept_as_readable_text(String header, String bytes, String text)
      throws Exception {
    StubServer server = use(StubServer.up());
    server.onDelivery(
        Behaviour.raw(
            "HTTP/1.1 422 No\r\n"
                + header
                + "\r\nContent-Length: "
                + bytes.length()
                + "\r\n\r\n"
                + bytes));

    assertThat(deliver(client(server.url(), Map.of()), delivery("1")))
        .isEqualTo(new ServerResponse.Answered(422, null, text));
  }

  private static List<DeliveryRequest> numbered(int count) {
    return IntStream.range(0, count).mapToObj(i -> delivery(Integer.toString(i))).toList();
  }

  private static void assertArrivedInOrder(StubServer server, int count) {
    assertThat(server.deliveries())
        .extracting(StubServer.Request::text)
        .containsExactlyElementsOf(
            IntStream.range(0, count)
                .mapToObj(i -> "{\"pipelines\":[],\"log_data\":" + i + "}")
                .toList());
  }

  @Test
  void many_records_are_delivered_in_order_each_after_the_response_to_the_one_before()
      throws Exception {
    StubServer server = use(StubServer.up());
    List<ServerResponse> answers = new ArrayList<>();

    client(server.url(), Map.of()).deliver(numbered(300), answers::add);

    assertThat(answers).hasSize(300).containsOnly(new ServerResponse.Answered(200, null, ""));
    assertArrivedInOrder(server, 300);
    assertThat(server.connections()).isEqualTo(1);
  }

  @Test
  void no_record_is_sent_after_the_caller_has_stopped_the_delivery() throws Exception {
    StubServer server = use(StubServer.up());
    List<ServerResponse> answers = new ArrayList<>();

    client(server.url(), Map.of())
        .deliver(
            numbered(10),
            answer -> {
              answers.add(answer);
              return answers.size() < 3;
            });

    assertThat(answers).hasSize(3);
    assertArrivedInOrder(server, 3);
  }

  @Test
  void a_server_that_closes_after_each_response_gets_all_records() throws Exception {
    StubServer server = use(StubServer.up());
    server.onDelivery(Behaviour.status(200, "", "Connection: close"));
    List<ServerResponse> answers = new ArrayList<>();

    client(server.url(), Map.of()).deliver(numbered(20), answers::add);

    assertThat(answers).hasSize(20);
    assertArrivedInOrder(server, 20);
  }

  private static long directMemory() {
    return ((ByteBufAllocatorMetricProvider) ByteBufAllocator.DEFAULT).metric().usedDirectMemory();
  }

  /// A request that was encoded for a connection that has closed meanwhile must be released: with
  /// 256 MB of direct memory in use, the agent cannot read any more.
  @Test
  void a_server_that_closes_after_each_response_leaks_no_memory() throws Exception {
    StubServer server = use(StubServer.up());
    server.keep(false);
    server.onDelivery(Behaviour.status(200, "", "Connection: close"));
    MainServer client = client(server.url(), Map.of());
    List<DeliveryRequest> large =
        IntStream.range(0, 200)
            .mapToObj(_ -> delivery("\"x" + "y".repeat(200_000) + "\""))
            .toList();
    List<ServerResponse> answers = new ArrayList<>();
    client.deliver(large.subList(0, 10), answers::add);
    long before = directMemory();

    client.deliver(large, answers::add);

    assertThat(answers).hasSize(210);
    assertThat(directMemory() - before).isLessThan(10_000_000);
  }

  /// As without memory for it: a wait for its response would never end.
  @Test
  @Timeout(value = 30, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void a_request_that_cannot_be_encoded_ends_the_delivery() throws Exception {
    StubServer server = use(StubServer.up());
    MainServer client = client(server.url(), Map.of());
    List<ServerResponse> answers = new ArrayList<>();
    List<DeliveryRequest> oneThenOutOfMemory =
        new AbstractList<>() {
          @Override
          public DeliveryRequest get(int index) {
            if (index == 0) {
              return delivery("0");
            }
            throw new OutOfMemoryError("in a test");
          }

          @Override
          public int size() {
            return 2;
          }
        };

    assertThatThrownBy(() -> client.deliver(oneThenOutOfMemory, answers::add))
        .hasRootCauseMessage("in a test");
    assertThat(answers).hasSize(1);
  }

  @Test
  void a_second_response_does_not_count_for_the_next_record() throws Exception {
    StubServer server = use(StubServer.up());
    String once = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    server.onDelivery((request, out) ->
        (request.text().endsWith(":0}") ? Behaviour.raw(once + once) : StubServer.OK)
            .respond(request, out));
    List<ServerResponse> answers = new ArrayList<>();

    client(server.url(), Map.of()).deliver(numbered(3), answers::add);

    assertThat(answers).hasSize(3);
    assertArrivedInOrder(server, 3);
  }

  @Test
  void bytes_after_a_response_do_not_count_for_the_next_record() throws Exception {
    StubServer server = use(StubServer.up());
    // The length of the text in characters.
    byte[] tooLong =
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\"öä\"".getBytes(StandardCharsets.UTF_8);
    server.onDelivery((request, out) -> {
      out.write(tooLong);
      out.flush();
      return true;
    });
    List<ServerResponse> answers = new ArrayList<>();

    client(server.url(), Map.of()).deliver(numbered(20), answers::add);

    assertThat(answers)
        .hasSize(20)
        .allMatch(
            answer -> answer instanceof ServerResponse.Answered(int status, _, _) && status == 200);
    assertArrivedInOrder(server, 20);
  }

  @Test
  void an_interrupt_ends_the_delivery_at_once_and_no_response_is_reported_after_it()
      throws Exception {
    StubServer server = use(StubServer.up());
    server.onDelivery((request, out) ->
        (request.text().endsWith(":2}") ? Behaviour.hang() : StubServer.OK).respond(request, out));
    List<ServerResponse> answers = Collections.synchronizedList(new ArrayList<>());
    MainServer client = client(server.url(), Map.of());
    AtomicBoolean interrupted = new AtomicBoolean();
    Thread replaying =
        Thread.ofVirtual()
            .start(() -> {
              try {
                client.deliver(numbered(5), answers::add);
              } catch (InterruptedException expected) {
                interrupted.set(true);
              }
            });
    await().until(() -> server.count() == 3);

    replaying.interrupt();

    assertThat(replaying.join(Duration.ofSeconds(5))).isTrue();
    assertThat(interrupted).isTrue();
    assertThat(answers).hasSize(2);
  }

  @Test
  void an_idle_connection_that_the_server_has_closed_is_no_failure() throws Exception {
    StubServer server = use(StubServer.up());
    MainServer client = client(server.url(), Map.of());
    assertThat(deliver(client, delivery("1"))).isInstanceOf(ServerResponse.Answered.class);

    server.goDown();
    server.comeUp();

    assertThat(deliver(client, delivery("2"))).isInstanceOf(ServerResponse.Answered.class);
  }

  @Test
  void a_server_that_closes_each_connection_at_once_gives_no_response() throws Exception {
    try (ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      Thread closing =
          Thread.ofPlatform()
              .daemon()
              .start(() -> {
                try {
                  for (int i = 0; ; i++) {
                    Socket accepted = listener.accept();
                    if (i % 2 == 0) {
                      // With a reset.
                      accepted.setSoLinger(true, 0);
                    }
                    accepted.close();
                  }
                } catch (IOException over) {
                  // The test is over.
                }
              });
      MainServer client = client("http://127.0.0.1:" + listener.getLocalPort(), Map.of());
      for (int i = 0; i < 1_000; i++) {
        assertThat(client.probe()).isInstanceOf(ServerResponse.NoAnswer.class);
        assertThat(deliver(client, delivery("{}"))).isInstanceOf(ServerResponse.NoAnswer.class);
      }
      assertThat(closing.isAlive()).isTrue();
    }
  }

  @Test
  void a_response_has_its_status_its_retry_after_and_the_start_of_its_body() throws Exception {
    StubServer server = use(StubServer.up());
    server.onDelivery(Behaviour.status(429, "x".repeat(5_000), "Retry-After: 7"));

    assertThat(deliver(client(server.url(), Map.of()), delivery("{}")))
        .isEqualTo(new ServerResponse.Answered(429, Duration.ofSeconds(7), "x".repeat(1_024)));
  }

  @Test
  void bytes_that_are_not_http_are_no_response() throws Exception {
    StubServer server = use(StubServer.up());
    MainServer client = client(server.url(), Map.of());
    for (String bytes :
        List.of(
            "", "HTTP/1.1 2", "nonsense\r\n\r\n", "HTTP/1.1 200 OK\r\nA: " + "b".repeat(50_000))) {
      server.onDelivery(Behaviour.raw(bytes));
      assertThat(deliver(client, delivery("{}")))
          .as(bytes)
          .isInstanceOf(ServerResponse.NoAnswer.class);
    }
    server.onDelivery(StubServer.OK);
    assertThat(deliver(client, delivery("{}"))).isInstanceOf(ServerResponse.Answered.class);
  }

  @Test
  void a_response_counts_once_its_header_is_complete() throws Exception {
    StubServer server = use(StubServer.up());
    server.onDelivery((request, out) -> {
      out.write(
          "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 Done\r\nContent-Length: 10\r\n\r\nabc"
              .getBytes(StandardCharsets.US_ASCII));
      return false;
    });
    MainServer client = client(server.url(), Map.of());

    assertThat(deliver(client, delivery("{}"))).isInstanceOf(ServerResponse.Answered.class);
    assertThat(deliver(client, delivery("{}"))).isInstanceOf(ServerResponse.Answered.class);
  }

  @Test
  void a_response_before_the_request_is_read_counts() throws Exception {
    try (ServerSocket early = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Thread.ofVirtual()
          .start(() -> {
            try (Socket socket = early.accept()) {
              byte[] _ = socket.getInputStream().readNBytes(1_000);
              socket
                  .getOutputStream()
                  .write(
                      "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"
                          .getBytes(StandardCharsets.US_ASCII));
              socket.shutdownOutput();
              // Reads no more, and closes only after the other side.
              Thread.currentThread().join(Duration.ofSeconds(3));
            } catch (IOException | InterruptedException over) {
              // The test is over.
            }
          });

      assertThat(
              deliver(
                  client("http://127.0.0.1:" + early.getLocalPort(), Map.of()),
                  delivery('"' + "x".repeat(20_000_000) + '"')))
          .isEqualTo(new ServerResponse.Answered(413, null, ""));
    }
  }

  @Test
  void a_probe_without_a_response_times_out() throws Exception {
    StubServer server = use(StubServer.up());
    server.onProbe(Behaviour.hang());

    assertThat(client(server.url(), Map.of()).probe())
        .isEqualTo(
            new ServerResponse.NoAnswer(
                "the main server 127.0.0.1:" + server.port() + " gave no response within 2 s"));
  }

  @Test
  void a_refused_connection_is_no_response_with_the_reason() throws Exception {
    StubServer server = use(StubServer.down());

    assertThat(client(server.url(), Map.of()).probe())
        .isEqualTo(
            new ServerResponse.NoAnswer(
                "cannot connect to the main server 127.0.0.1:"
                    + server.port()
                    + ": connection refused: nothing listens there; check -health-url"));
    assertThat(client("http://no-such-host.invalid", Map.of()).probe())
        .isInstanceOf(ServerResponse.NoAnswer.class);
  }

  @Test
  void a_password_in_the_url_becomes_basic_authentication() throws Exception {
    StubServer server = use(StubServer.up());

    var _ =
        deliver(client(server.url().replace("://", "://user:pa%20ss@"), Map.of()), delivery("{}"));

    assertThat(server.deliveries().getFirst().headers())
        .containsEntry("authorization", "Basic " + base64("user:pa ss"))
        .containsEntry("host", "127.0.0.1:" + server.port());
  }

  @Test
  void a_user_without_a_password_has_an_empty_one() throws Exception {
    StubServer server = use(StubServer.up());

    var _ = deliver(client(server.url().replace("://", "://to@ken@"), Map.of()), delivery("{}"));

    assertThat(server.deliveries().getFirst().headers())
        .containsEntry("authorization", "Basic " + base64("to@ken:"));
  }

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void plain_http_through_a_proxy_requests_the_whole_url() throws Exception {
    StubServer proxy = use(StubServer.up());
    MainServer client =
        client(
            "http://main.example:5000",
            Map.of("http_proxy", proxy.url().replace("://", "://me:secret@")));

    assertThat(deliver(client, delivery("{}"))).isInstanceOf(ServerResponse.Answered.class);

    StubServer.Request request = proxy.deliveries().getFirst();
    assertThat(request.path()).isEqualTo("http://main.example:5000/log");
    assertThat(request.headers())
        .containsEntry("host", "main.example:5000")
        .containsEntry("proxy-authorization", "Basic " + base64("me:secret"));
  }

  @Test
  void https_goes_through_the_proxys_tunnel() throws Exception {
    StubServer server = use(StubServer.up(certificate("main.example")));
    try (Tunnel tunnel = new Tunnel(server.port())) {
      MainServer client =
          client(
              "https://main.example:8443",
              Map.of(
                  "HTTPS_PROXY",
                  "127.0.0.1:" + tunnel.port(),
                  "SSL_CERT_FILE",
                  directory.resolve("main.example.pem").toString()));

      assertThat(deliver(client, delivery("{}")))
          .isEqualTo(new ServerResponse.Answered(200, null, ""));

      assertThat(tunnel.asked).startsWith("CONNECT main.example:8443 HTTP/1.1");
      assertThat(server.deliveries().getFirst().path()).isEqualTo("/log");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "log_server, log_server, true",
    "log_server, Log_Server, true",
    "a.log_server.example, *.log_server.example, true",
    "log_server, log-server, false",
    "a.b.log_server.example, *.log_server.example, false",
    "log_server.example, *.example, false",
    "log_server.example, *example, false"
  })
  void the_certificate_of_a_server_with_an_underscore_must_have_its_name(
      String host, String certified, boolean accepted) throws Exception {
    StubServer server = use(StubServer.up(certificate(certified)));
    try (Tunnel tunnel = new Tunnel(server.port())) {
      MainServer client =
          client(
              "https://" + host + ":8443",
              Map.of(
                  "HTTPS_PROXY",
                  "127.0.0.1:" + tunnel.port(),
                  "SSL_CERT_FILE",
                  directory.resolve(certified + ".pem").toString()));

      ServerResponse response = deliver(client, delivery("{}"));

      assertThat(response.equals(new ServerResponse.Answered(200, null, "")))
          .as(response.toString())
          .isEqualTo(accepted);
      assertThat(server.count()).isEqualTo(accepted ? 1 : 0);
    }
  }

  @Test
  void a_certificate_that_the_system_trusts_is_trusted() throws Exception {
    StubServer server = use(StubServer.up(certificate("localhost")));

    ServerResponse answer =
        deliver(
            client(
                server.url(),
                Map.of("SSL_CERT_FILE", directory.resolve("localhost.pem").toString())),
            delivery("{}"));

    assertThat(answer).isEqualTo(new ServerResponse.Answered(200, null, ""));
  }

  @Test
  void a_server_with_an_untrusted_certificate_or_one_for_another_host_gets_no_request()
      throws Exception {
    StubServer unknown = use(StubServer.up(certificate("localhost")));
    assertThat(client(unknown.url(), Map.of()).probe())
        .isInstanceOfSatisfying(
            ServerResponse.NoAnswer.class,
            none -> assertThat(none.reason()).startsWith("TLS with the main server localhost:"));

    StubServer other = use(StubServer.up(certificate("other.example")));
    Map<String, String> trusting =
        Map.of("SSL_CERT_FILE", directory.resolve("other.example.pem").toString());
    assertThat(client(other.url(), trusting).probe())
        .isInstanceOfSatisfying(
            ServerResponse.NoAnswer.class,
            none -> assertThat(none.reason()).startsWith("TLS with the main server localhost:"));
    assertThat(other.count() + unknown.count()).isZero();
  }

  /// Creates a self-signed certificate for `host`, in `<host>.pem`.
  private SSLServerSocketFactory certificate(String host) throws Exception {
    Path store = directory.resolve(host + ".p12");
    String keytool = Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
    for (List<String> command :
        List.of(
            List.of(
                keytool,
                "-genkeypair",
                "-keyalg",
                "EC",
                "-alias",
                "a",
                "-dname",
                "CN=" + host,
                "-ext",
                "2.5.29.17=" + alternativeName(host),
                "-validity",
                "2",
                "-storepass",
                "changeit",
                "-keystore",
                store.toString()),
            List.of(
                keytool,
                "-exportcert",
                "-rfc",
                "-alias",
                "a",
                "-storepass",
                "changeit",
                "-keystore",
                store.toString(),
                "-file",
                directory.resolve(host + ".pem").toString()))) {
      assertThat(new ProcessBuilder(command).redirectErrorStream(true).start().waitFor()).isZero();
    }
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, "changeit".toCharArray());
    }
    KeyManagerFactory managers =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    managers.init(keys, "changeit".toCharArray());
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(managers.getKeyManagers(), null, null);
    return context.getServerSocketFactory();
  }

  /// The extension with the one DNS name, in DER: keytool refuses names with an underscore.
  private static String alternativeName(String host) {
    byte[] name = host.getBytes(StandardCharsets.US_ASCII);
    return "30%02x82%02x%s".formatted(name.length + 2, name.length, HexFormat.of().formatHex(name));
  }

  /// An HTTP proxy that tunnels one connection to a port on loopback, whatever it is asked for.
  private static final class Tunnel implements AutoCloseable {
    private final ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    private final List<Socket> sockets = new ArrayList<>();
    volatile String asked = "";

    Tunnel(int target) throws IOException {
      Thread.ofVirtual()
          .start(() -> {
            try {
              Socket from = listener.accept();
              Socket to = new Socket(InetAddress.getLoopbackAddress(), target);
              sockets.addAll(List.of(from, to));
              StringBuilder head = new StringBuilder();
              while (!head.toString().endsWith("\r\n\r\n")) {
                head.append((char) from.getInputStream().read());
              }
              asked = head.toString();
              from.getOutputStream()
                  .write("HTTP/1.1 200 Connected\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
              Thread.ofVirtual().start(() -> pipe(to, from));
              pipe(from, to);
            } catch (IOException closed) {
              // The test is over.
            }
          });
    }

    private static void pipe(Socket from, Socket to) {
      try {
        long _ = from.getInputStream().transferTo(to.getOutputStream());
      } catch (IOException closed) {
        // One of the ends closed.
      }
    }

    int port() {
      return listener.getLocalPort();
    }

    @Override
    public void close() throws IOException {
      listener.close();
      for (Socket socket : sockets) {
        socket.close();
      }
    }
  }
}
