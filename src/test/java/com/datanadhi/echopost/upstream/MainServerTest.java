package com.datanadhi.echopost.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.testkit.StubServer;
import com.datanadhi.echopost.testkit.StubServer.Behaviour;
import com.datanadhi.echopost.time.Clock;
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
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocketFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The HTTP client against a real server on loopback, through real proxies, with real certificates.
class MainServerTest {
  private static final byte[] NONE = {};

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
            Proxies.fromEnvironment(environment),
            new TrustStore(environment),
            Clock.system()));
  }

  private static Delivery delivery(String json) {
    return new Delivery(
        "[]".getBytes(StandardCharsets.UTF_8), json.getBytes(StandardCharsets.UTF_8), NONE, "k-1");
  }

  @Test
  void deliveries_share_one_connection_and_probes_make_their_own() throws Exception {
    StubServer server = use(StubServer.up());
    MainServer client = client(server.url() + "/base/", Map.of());

    for (int i = 0; i < 5; i++) {
      assertThat(client.deliver(delivery("{}"))).isEqualTo(new Answer.Answered(200, null, ""));
    }
    assertThat(server.connections()).isEqualTo(1);
    assertThat(server.deliveries().getFirst().path()).isEqualTo("/base/log");
    assertThat(client.probe()).isEqualTo(new Answer.Answered(200, null, ""));
    assertThat(server.connections()).isEqualTo(2);
  }

  @Test
  void a_kept_connection_that_the_server_has_closed_is_no_failure() throws Exception {
    StubServer server = use(StubServer.up());
    MainServer client = client(server.url(), Map.of());
    assertThat(client.deliver(delivery("1"))).isInstanceOf(Answer.Answered.class);

    server.goDown();
    server.comeUp();

    assertThat(client.deliver(delivery("2"))).isInstanceOf(Answer.Answered.class);
  }

  @Test
  void an_answer_carries_its_status_its_retry_after_and_the_start_of_its_body() throws Exception {
    StubServer server = use(StubServer.up());
    server.onDelivery(Behaviour.status(429, "x".repeat(5_000), "Retry-After: 7"));

    assertThat(client(server.url(), Map.of()).deliver(delivery("{}")))
        .isEqualTo(new Answer.Answered(429, Duration.ofSeconds(7), "x".repeat(1_024)));
  }

  @Test
  void what_is_no_http_answer_is_no_answer() throws Exception {
    StubServer server = use(StubServer.up());
    MainServer client = client(server.url(), Map.of());
    for (String bytes :
        List.of(
            "", "HTTP/1.1 2", "nonsense\r\n\r\n", "HTTP/1.1 200 OK\r\nA: " + "b".repeat(50_000))) {
      server.onDelivery(Behaviour.raw(bytes));
      assertThat(client.deliver(delivery("{}"))).as(bytes).isInstanceOf(Answer.NoAnswer.class);
    }
    server.onDelivery(StubServer.OK);
    assertThat(client.deliver(delivery("{}"))).isInstanceOf(Answer.Answered.class);
  }

  @Test
  void an_answer_counts_once_its_header_is_complete() throws Exception {
    StubServer server = use(StubServer.up());
    server.onDelivery((request, out) -> {
      out.write(
          "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 Done\r\nContent-Length: 10\r\n\r\nabc"
              .getBytes(StandardCharsets.US_ASCII));
      return false;
    });
    MainServer client = client(server.url(), Map.of());

    assertThat(client.deliver(delivery("{}"))).isInstanceOf(Answer.Answered.class);
    assertThat(client.deliver(delivery("{}"))).isInstanceOf(Answer.Answered.class);
  }

  @Test
  void an_answer_before_the_request_is_read_counts() throws Exception {
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
              // Reads no more, and hangs up only when the other side has.
              Thread.currentThread().join(Duration.ofSeconds(3));
            } catch (IOException | InterruptedException over) {
              // The test is over.
            }
          });

      assertThat(
              client("http://127.0.0.1:" + early.getLocalPort(), Map.of())
                  .deliver(delivery('"' + "x".repeat(20_000_000) + '"')))
          .isEqualTo(new Answer.Answered(413, null, ""));
    }
  }

  @Test
  void a_server_that_never_answers_a_probe_is_given_up_on() throws Exception {
    StubServer server = use(StubServer.up());
    server.onProbe(Behaviour.hang());

    assertThat(client(server.url(), Map.of()).probe())
        .isEqualTo(new Answer.NoAnswer("no answer in time"));
  }

  @Test
  void nobody_there_is_no_answer_and_says_why() throws Exception {
    StubServer server = use(StubServer.down());

    assertThat(client(server.url(), Map.of()).probe())
        .isEqualTo(new Answer.NoAnswer("Connection refused: /127.0.0.1:" + server.port()));
    assertThat(client("http://no-such-host.invalid", Map.of()).probe())
        .isInstanceOf(Answer.NoAnswer.class);
  }

  @Test
  void a_password_in_the_url_goes_into_basic_authentication() throws Exception {
    StubServer server = use(StubServer.up());

    var _ =
        client(server.url().replace("://", "://user:pa%20ss@"), Map.of()).deliver(delivery("{}"));

    assertThat(server.deliveries().getFirst().headers())
        .containsEntry("authorization", "Basic " + base64("user:pa ss"))
        .containsEntry("host", "127.0.0.1:" + server.port());
  }

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void plain_http_is_asked_of_the_proxy_with_the_whole_url() throws Exception {
    StubServer proxy = use(StubServer.up());
    MainServer client =
        client(
            "http://main.example:5000",
            Map.of("http_proxy", proxy.url().replace("://", "://me:secret@")));

    assertThat(client.deliver(delivery("{}"))).isInstanceOf(Answer.Answered.class);

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

      assertThat(client.deliver(delivery("{}"))).isEqualTo(new Answer.Answered(200, null, ""));

      assertThat(tunnel.asked).startsWith("CONNECT main.example:8443 HTTP/1.1");
      assertThat(server.deliveries().getFirst().path()).isEqualTo("/log");
    }
  }

  @Test
  void a_certificate_that_the_system_trusts_is_trusted() throws Exception {
    StubServer server = use(StubServer.up(certificate("localhost")));

    Answer answer =
        client(server.url(), Map.of("SSL_CERT_FILE", directory.resolve("localhost.pem").toString()))
            .deliver(delivery("{}"));

    assertThat(answer).isEqualTo(new Answer.Answered(200, null, ""));
  }

  @Test
  void a_certificate_that_nobody_trusts_or_for_another_host_is_not() throws Exception {
    StubServer unknown = use(StubServer.up(certificate("localhost")));
    assertThat(client(unknown.url(), Map.of()).probe())
        .isInstanceOfSatisfying(
            Answer.NoAnswer.class, none -> assertThat(none.reason()).startsWith("TLS: "));

    StubServer other = use(StubServer.up(certificate("other.example")));
    Map<String, String> trusting =
        Map.of("SSL_CERT_FILE", directory.resolve("other.example.pem").toString());
    assertThat(client(other.url(), trusting).probe())
        .isInstanceOfSatisfying(
            Answer.NoAnswer.class, none -> assertThat(none.reason()).startsWith("TLS: "));
    assertThat(other.count() + unknown.count()).isZero();
  }

  /// Makes a self-signed certificate for `host`, and leaves it in `<host>.pem`.
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
                "san=dns:" + host,
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
        // Either end went away.
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
