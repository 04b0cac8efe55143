package com.datanadhi.echopost.upstream;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import com.datanadhi.echopost.testkit.Certificates;
import com.datanadhi.echopost.time.Clock;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.net.ServerSocketFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What a person reads when the main server gives no response, for each way in which that happens:
/// real sockets, TLS and proxies on loopback.
class FailureReasonTest {
  private static final DeliveryRequest RECORD =
      new DeliveryRequest(
          "[]".getBytes(ISO_8859_1), "{}".getBytes(ISO_8859_1), new byte[] {}, "k-1");
  private static final Behaviour OK = answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");

  @TempDir static Path directory;
  private static Certificates certificates;
  private final List<AutoCloseable> open = new ArrayList<>();

  @BeforeAll
  static void createAuthority() throws Exception {
    certificates = new Certificates(directory);
  }

  @AfterEach
  void closeAll() throws Exception {
    for (AutoCloseable closeable : open.reversed()) {
      closeable.close();
    }
  }

  /// What a server does with a connection, which it closes afterwards.
  private interface Behaviour {
    void serve(Socket socket) throws IOException, InterruptedException;
  }

  /// A port on which `behaviour` serves each connection.
  private int serve(ServerSocketFactory sockets, Behaviour behaviour) throws IOException {
    ServerSocket listener = sockets.createServerSocket(0, 50, InetAddress.getLoopbackAddress());
    open.add(listener);
    return serve(listener, behaviour);
  }

  private static int serve(ServerSocket listener, Behaviour behaviour) {
    var _ =
        Thread.ofVirtual()
            .start(() -> {
              while (!listener.isClosed()) {
                try (Socket socket = listener.accept()) {
                  behaviour.serve(socket);
                } catch (IOException | InterruptedException over) {
                  // The client has closed the connection, or the test is over.
                }
              }
            });
    return listener.getLocalPort();
  }

  private int serve(SSLContext tls) throws IOException {
    return serve(tls.getServerSocketFactory(), OK);
  }

  private int serve(Behaviour behaviour) throws IOException {
    return serve(ServerSocketFactory.getDefault(), behaviour);
  }

  /// Reads a request's header and answers with these bytes.
  private static Behaviour answer(String bytes) {
    return socket -> {
      readHeader(socket.getInputStream());
      write(socket, bytes);
    };
  }

  private static void readHeader(InputStream in) throws IOException {
    int end = 0;
    while (end < 2) {
      int next = in.read();
      if (next < 0) {
        throw new IOException("closed");
      }
      end = next == '\n' ? end + 1 : next == '\r' ? end : 0;
    }
  }

  private static void write(Socket socket, String bytes) throws IOException {
    OutputStream out = socket.getOutputStream();
    out.write(bytes.getBytes(ISO_8859_1));
    out.flush();
    if (!(socket instanceof SSLSocket)) {
      socket.shutdownOutput();
      long _ = socket.getInputStream().transferTo(OutputStream.nullOutputStream());
    }
  }

  /// The reason that a person reads, with PORT in place of `port`.
  private static String reason(String url, Map<String, String> environment, int port)
      throws InterruptedException {
    List<ServerResponse> responses = new ArrayList<>();
    try (MainServer client =
        new MainServer(
            ServerUrl.parse(url),
            "key",
            ProxySettings.fromEnvironment(environment),
            new TrustStore(environment),
            Clock.system())) {
      client.deliver(List.of(RECORD), responses::add);
    }
    assertThat(responses).hasSize(1).first().isInstanceOf(ServerResponse.NoAnswer.class);
    return ((ServerResponse.NoAnswer) responses.getFirst()).reason().replace(":" + port, ":PORT");
  }

  private static String direct(int port) throws InterruptedException {
    return reason("http://127.0.0.1:" + port, Map.of(), port);
  }

  private static String secure(int port, Map<String, String> environment)
      throws InterruptedException {
    return reason("https://localhost:" + port, environment, port);
  }

  private static Map<String, String> trusting() {
    return Map.of("SSL_CERT_FILE", certificates.authority().toString());
  }

  /// Through a proxy to an https server.
  private static String proxied(String proxy, int port) throws InterruptedException {
    return reason("https://h.example:5000", Map.of("HTTPS_PROXY", proxy + port), port);
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  @Test
  void a_failure_of_the_network_names_the_end_the_address_and_the_cause() throws Exception {
    int closed = freePort();
    String refused = ": connection refused: nothing listens there; check ";

    assertThat(direct(closed))
        .isEqualTo("cannot connect to the main server 127.0.0.1:PORT" + refused + "-health-url");
    assertThat(reason("http://localhost:" + closed, Map.of(), closed))
        .startsWith(
            "cannot connect to the main server localhost:PORT (127.0.0.1)"
                + refused
                + "-health-url");
    assertThat(reason("http://255.255.255.255:5000", Map.of(), closed))
        .isEqualTo(
            "cannot connect to the main server 255.255.255.255:5000: no route to it: check this"
                + " machine's network");
    assertThat(reason("http://no-such-host.invalid:5000", Map.of(), closed))
        .startsWith("the name no-such-host.invalid of the main server could not be looked up");
    assertThat(reason("http://h.example", Map.of("HTTP_PROXY", "no-such-host.invalid"), closed))
        .startsWith("the name no-such-host.invalid of the proxy could not be looked up");
    assertThat(reason("http://h.example", Map.of("HTTP_PROXY", "127.0.0.1:" + closed), closed))
        .isEqualTo("cannot connect to the proxy 127.0.0.1:PORT" + refused + "HTTP_PROXY");
    for (String scheme : List.of("http://", "https://", "socks5://")) {
      assertThat(proxied(scheme + "127.0.0.1:", closed))
          .isEqualTo("cannot connect to the proxy 127.0.0.1:PORT" + refused + "HTTPS_PROXY");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'' | closed the connection before its response",
        "HTTP/1.1 2 | closed the connection within the header of its response",
        "'HTTP/1.1 200 OK~A: b' | closed the connection within the header of its response",
        "'SSH-2.0-OpenSSH_9.9~' | sent a response that is not HTTP: check the port in -health-url",
        "'<html>hello</html>~' | sent a response that is not HTTP: check the port in -health-url",
        "LONG | sent a response header that is too large (limit 32 KiB)",
        "TLS | answered with TLS: write https:// in -health-url",
        "HTTP2 | answered with HTTP/2: EchoPost needs HTTP/1.1",
      })
  void what_is_no_http_response_is_described(String bytes, String expected) throws Exception {
    String sent =
        switch (bytes) {
          case "LONG" -> "HTTP/1.1 200 OK\r\nA: " + "b".repeat(50_000) + "\r\n\r\n";
          case "TLS" -> "\25\3\3\0\2\2\50";
          case "HTTP2" -> "\0\0\6\4\0\0\0\0\0\0\3\0\0\0\200";
          default -> bytes.replace("~", "\r\n");
        };

    assertThat(direct(serve(answer(sent)))).isEqualTo("the main server 127.0.0.1:PORT " + expected);
  }

  @Test
  void a_connection_that_breaks_is_described() throws Exception {
    int port =
        serve(socket -> {
          readHeader(socket.getInputStream());
          socket.setSoLinger(true, 0);
        });

    assertThat(direct(port))
        .isEqualTo("the main server 127.0.0.1:PORT reset the connection before its response");
  }

  @Test
  void a_flood_of_informational_responses_is_no_response() throws Exception {
    int port =
        serve(socket -> {
          readHeader(socket.getInputStream());
          while (true) {
            socket.getOutputStream().write("HTTP/1.1 100 Continue\r\n\r\n".getBytes(ISO_8859_1));
          }
        });
    try (MainServer client =
        new MainServer(
            ServerUrl.parse("http://127.0.0.1:" + port),
            "key",
            ProxySettings.fromEnvironment(Map.of()),
            new TrustStore(Map.of()),
            Clock.system())) {
      assertThat(client.probe())
          .isEqualTo(
              new ServerResponse.NoAnswer(
                  "the main server 127.0.0.1:" + port + " gave no response within 2 s"));
    }
  }

  @Test
  void a_certificate_that_cannot_be_trusted_is_described() throws Exception {
    String failed = "TLS with the main server localhost:PORT failed: ";

    assertThat(secure(serve(certificates.server("localhost", "-9d", 2)), trusting()))
        .isEqualTo(
            failed + "its certificate has expired: renew it, or correct this machine's clock");
    assertThat(secure(serve(certificates.server("localhost", "+9d", 2)), trusting()))
        .isEqualTo(failed + "its certificate is not valid yet: check this machine's clock");
    assertThat(secure(serve(certificates.server("other.example", "-2d", 9)), trusting()))
        .isEqualTo(failed + "its certificate is for another name than localhost");
    int good = serve(certificates.server("localhost", "-2d", 9));
    String unknown =
        "no trusted authority signed its certificate: name the authority's file in SSL_CERT_FILE";
    assertThat(secure(good, Map.of())).isEqualTo(failed + unknown);
    assertThat(secure(serve(certificates.selfSigned("localhost")), trusting()))
        .isEqualTo(failed + unknown);
    Path renewed = Files.createDirectory(directory.resolve("renewed"));
    int resigned = serve(new Certificates(renewed).server("localhost", "-2d", 9));
    assertThat(secure(resigned, trusting())).isEqualTo(failed + unknown);
    assertThat(proxied("https://localhost:", good))
        .isEqualTo("TLS with the proxy localhost:PORT failed: " + unknown);
    assertThat(reason("http://localhost:" + good, Map.of(), good))
        .isEqualTo(
            "the main server localhost:PORT answered with TLS: write https:// in -health-url");
  }

  @Test
  void a_handshake_that_fails_is_described() throws Exception {
    String failed = "TLS with the main server localhost:PORT failed: ";

    assertThat(secure(serve(afterFirstByte("HTTP/1.1 400 Bad Request\r\n\r\n")), Map.of()))
        .isEqualTo(failed + "it does not speak TLS; check https:// and the port in -health-url");
    assertThat(secure(serve(afterFirstByte("")), Map.of()))
        .isEqualTo(failed + "it closed the connection during the handshake");
    assertThat(
            secure(
                serve(socket -> {
                  int _ = socket.getInputStream().read();
                  socket.setSoLinger(true, 0);
                }),
                Map.of()))
        .isEqualTo(failed + "it closed the connection during the handshake");
    for (String protocol : List.of("TLSv1.2", "TLSv1.3")) {
      assertThat(secure(serve(needingClientCertificate(protocol)), trusting()))
          .as(protocol)
          .startsWith(failed)
          .contains("client certificate");
    }
    SSLServerSocket other = secureListener();
    // Needs an RSA key, which the server does not have.
    other.setEnabledCipherSuites(new String[] {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"});
    assertThat(secure(serve(other, OK), trusting()))
        .startsWith(failed + "no common version or cipher");
  }

  /// Refuses the handshake of a client without a certificate. With TLS 1.3 the client may have sent
  /// its request by then; reading it keeps the alert from being lost to a reset.
  private Behaviour needingClientCertificate(String protocol) throws Exception {
    SSLSocketFactory sockets = certificates.server("localhost", "-2d", 9).getSocketFactory();
    return socket -> {
      SSLSocket tls = (SSLSocket) sockets.createSocket(socket, null, false);
      tls.setNeedClientAuth(true);
      tls.setEnabledProtocols(new String[] {protocol});
      try {
        tls.startHandshake();
      } catch (SSLHandshakeException refused) {
        // The alert has been sent.
      }
      socket.shutdownOutput();
      long _ = socket.getInputStream().transferTo(OutputStream.nullOutputStream());
    };
  }

  private SSLServerSocket secureListener() throws Exception {
    SSLServerSocket listener =
        (SSLServerSocket)
            certificates
                .server("localhost", "-2d", 9)
                .getServerSocketFactory()
                .createServerSocket(0, 50, InetAddress.getLoopbackAddress());
    open.add(listener);
    return listener;
  }

  /// Reads one byte, sends these, and closes after the client.
  private static Behaviour afterFirstByte(String bytes) {
    return socket -> {
      int _ = socket.getInputStream().read();
      write(socket, bytes);
    };
  }

  @Test
  void certificates_that_cannot_be_read_are_named() throws Exception {
    Path garbage = Files.writeString(directory.resolve("garbage.pem"), "garbage");
    Path empty = Files.writeString(directory.resolve("empty.pem"), "");
    Path broken =
        Files.writeString(
            directory.resolve("broken.pem"),
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    Map.of(
            garbage,
            "which is not a file of certificates (PEM)",
            broken,
            "which is not a file of certificates (PEM)",
            empty,
            "which contains no certificate",
            directory,
            "which is a directory: name a file of certificates (PEM)",
            directory.resolve("missing.pem"),
            "which does not exist")
        .forEach((file, problem) ->
            assertThatCode(() ->
                    assertThat(secure(1, Map.of("SSL_CERT_FILE", file.toString())))
                        .isEqualTo(
                            "TLS is not possible: SSL_CERT_FILE names " + file + ", " + problem))
                .doesNotThrowAnyException());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "403 | forbids connections to h.example:5000 (HTTP 403): allow it there",
        "407 | requires a user and password that it accepts (HTTP 407): write"
            + " http://USER:PASSWORD@HOST:PORT in HTTPS_PROXY",
        "502 | did not connect to h.example:5000 (HTTP 502)",
        "503 | did not connect to h.example:5000 (HTTP 503)",
      })
  void a_proxy_that_refuses_the_tunnel_is_described(int status, String expected) throws Exception {
    int port = serve(answer("HTTP/1.1 " + status + " No\r\nContent-Length: 0\r\n\r\n"));

    assertThat(proxied("http://me:s3cret@127.0.0.1:", port))
        .isEqualTo("the proxy 127.0.0.1:PORT " + expected);
  }

  @Test
  void a_proxy_of_plain_http_that_wants_credentials_is_described() throws Exception {
    int port = serve(answer("HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"));

    assertThat(reason("http://h.example:5000", Map.of("HTTP_PROXY", "127.0.0.1:" + port), port))
        .isEqualTo(
            "the proxy 127.0.0.1:PORT requires a user and password that it accepts (HTTP 407):"
                + " write http://USER:PASSWORD@HOST:PORT in HTTP_PROXY");
  }

  @Test
  void a_proxy_that_is_none_is_described() throws Exception {
    String proxy = "the proxy 127.0.0.1:PORT ";
    for (String scheme : List.of("http", "socks5")) {
      assertThat(proxied(scheme + "://127.0.0.1:", serve(afterFirstByte(""))))
          .isEqualTo(proxy + "closed the connection instead of connecting to h.example:5000");
      assertThat(
              proxied(
                  scheme + "://127.0.0.1:",
                  serve(socket -> {
                    int _ = socket.getInputStream().read();
                    socket.setSoLinger(true, 0);
                  })))
          .startsWith(proxy)
          .endsWith("the connection instead of connecting to h.example:5000");
    }
    assertThat(proxied("http://127.0.0.1:", serve(answer("SSH-2.0-OpenSSH_9.9\r\n\r\n"))))
        .isEqualTo(proxy + "does not answer as an HTTP proxy; check HTTPS_PROXY");
    assertThat(proxied("socks5://127.0.0.1:", serve(afterFirstByte("HTTP/1.1 400 Bad\r\n\r\n"))))
        .isEqualTo(proxy + "does not answer as a SOCKS5 proxy; check the scheme in HTTPS_PROXY");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "1 | general failure (SOCKS status 1)",
        "2 | its rules forbid it (SOCKS status 2)",
        "3 | the network is unreachable from there (SOCKS status 3)",
        "4 | the server is unreachable from there (SOCKS status 4)",
        "5 | connection refused (SOCKS status 5)",
        "6 | time to live exceeded (SOCKS status 6)",
        "7 | it does not support CONNECT (SOCKS status 7)",
        "8 | it does not support this type of address (SOCKS status 8)",
        "9 | general failure (SOCKS status 9)",
      })
  void the_status_of_a_socks_proxy_is_described(int status, String expected) throws Exception {
    int port =
        serve(socket -> {
          byte[] _ = socket.getInputStream().readNBytes(3);
          socket.getOutputStream().write(new byte[] {5, 0});
          byte[] _ = socket.getInputStream().readNBytes(4);
          write(socket, "\5" + (char) status + "\0\1\0\0\0\0\0\0");
        });

    assertThat(proxied("socks5://127.0.0.1:", port))
        .isEqualTo("the proxy 127.0.0.1:PORT did not connect to h.example:5000: " + expected);
  }

  @Test
  void a_socks_proxy_that_refuses_the_credentials_is_described() throws Exception {
    int without =
        serve(socket -> {
          byte[] _ = socket.getInputStream().readNBytes(3);
          write(socket, "\5\377");
        });
    int wrong =
        serve(socket -> {
          byte[] _ = socket.getInputStream().readNBytes(4);
          socket.getOutputStream().write(new byte[] {5, 2});
          byte[] _ = socket.getInputStream().readNBytes(5);
          write(socket, "\1\1");
        });
    String expected =
        "the proxy 127.0.0.1:PORT requires a user and password that it accepts (SOCKS5): write"
            + " socks5://USER:PASSWORD@HOST:PORT in HTTPS_PROXY";

    assertThat(proxied("socks5://127.0.0.1:", without)).isEqualTo(expected);
    assertThat(proxied("socks5://me:s3cret@127.0.0.1:", wrong)).isEqualTo(expected);
  }
}
