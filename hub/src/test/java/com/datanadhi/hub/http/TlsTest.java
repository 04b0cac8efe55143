package com.datanadhi.hub.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.datanadhi.hub.tls.TlsSettings;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// With certificates by openssl, in the forms that it writes keys.
final class TlsTest {
  private static final DoorSettings QUICK =
      new DoorSettings(
          100,
          Duration.ofSeconds(1),
          Duration.ofSeconds(1),
          Duration.ofSeconds(5),
          Duration.ofSeconds(10),
          Duration.ofSeconds(1),
          4,
          Duration.ofSeconds(5),
          Duration.ofMillis(50));
  private static final String GET = "GET / HTTP/1.1\r\nHost: other.example\r\n\r\n";

  @TempDir Path directory;

  private TlsSettings settings() {
    return new TlsSettings(directory.resolve("cert.pem"), directory.resolve("key.pem"));
  }

  private void openssl(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("openssl"));
    command.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    assertThat(process.waitFor()).as(String.join(" ", command)).isZero();
  }

  private void create(String name, String algorithm) throws IOException, InterruptedException {
    openssl(
        "req",
        "-x509",
        "-newkey",
        algorithm.equals("ec") ? "ec" : algorithm,
        "-pkeyopt",
        algorithm.equals("ec") ? "ec_paramgen_curve:prime256v1" : "rsa_keygen_bits:2048",
        "-nodes",
        "-keyout",
        "key.pem",
        "-out",
        "cert.pem",
        "-days",
        "2",
        "-subj",
        "/CN=" + name);
  }

  private static SSLSocket connect(TestHub hub) throws Exception {
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, new TrustManager[] {new TrustAll()}, null);
    SSLSocket socket =
        (SSLSocket)
            context
                .getSocketFactory()
                .createSocket(InetAddress.getLoopbackAddress(), hub.door.port());
    socket.startHandshake();
    return socket;
  }

  private static String name(SSLSocket socket) throws Exception {
    return ((X509Certificate) socket.getSession().getPeerCertificates()[0])
        .getSubjectX500Principal()
        .getName();
  }

  private static final class TrustAll implements X509TrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"rsa", "ec", "rsa -traditional", "ec -traditional"})
  void each_form_of_key_is_taken(String form) throws Exception {
    String algorithm = form.split(" ", 2)[0];
    create("one", algorithm);
    if (form.contains("traditional")) {
      openssl("pkey", "-in", "key.pem", "-traditional", "-out", "old.pem");
      Files.move(
          directory.resolve("old.pem"),
          directory.resolve("key.pem"),
          StandardCopyOption.REPLACE_EXISTING);
    }
    try (TestHub hub = new TestHub(QUICK, settings());
        RawClient client = new RawClient(connect(hub))) {
      assertThat(client.send(GET).answer().status()).isEqualTo(200);
    }
  }

  @Test
  void changed_files_are_taken_into_use_without_dropping_connections() throws Exception {
    create("one", "ec");
    try (TestHub hub = new TestHub(QUICK, settings());
        SSLSocket first = connect(hub);
        RawClient client = new RawClient(first)) {
      assertThat(name(first)).isEqualTo("CN=one");
      create("two", "rsa");
      await()
          .untilAsserted(() -> {
            try (SSLSocket socket = connect(hub)) {
              assertThat(name(socket)).isEqualTo("CN=two");
            }
          });
      assertThat(client.send(GET).answer().status()).isEqualTo(200);
    }
  }

  @Test
  void files_that_cannot_be_used_leave_the_old_ones_in_force() throws Exception {
    create("one", "ec");
    try (TestHub hub = new TestHub(QUICK, settings())) {
      Files.writeString(settings().key(), "nothing");
      await()
          .during(Duration.ofMillis(300))
          .untilAsserted(() -> {
            try (SSLSocket socket = connect(hub)) {
              assertThat(name(socket)).isEqualTo("CN=one");
            }
          });
    }
  }

  @Test
  void files_that_cannot_be_used_are_named_at_start() throws Exception {
    assertThatThrownBy(() -> new TestHub(QUICK, settings()).close())
        .hasMessageContaining("cert.pem does not exist");
    create("one", "ec");
    String key = Files.readString(settings().key());
    String certificate = Files.readString(settings().certificate());
    Files.writeString(settings().key(), "no key");
    assertThatThrownBy(() -> new TestHub(QUICK, settings()).close())
        .hasMessageContaining("key.pem has no private key");
    Files.writeString(settings().key(), key.replaceFirst("(?m)^....", "AAAA"));
    assertThatThrownBy(() -> new TestHub(QUICK, settings()).close())
        .hasMessageContaining("key.pem");
    Files.writeString(settings().certificate(), "no certificate");
    assertThatThrownBy(() -> new TestHub(QUICK, settings()).close())
        .hasMessageContaining("cert.pem");
    create("two", "ec");
    Files.writeString(settings().certificate(), certificate);
    assertThatThrownBy(() -> new TestHub(QUICK, settings()).close())
        .hasMessageContaining("does not belong to the certificate");
    openssl("pkey", "-in", "key.pem", "-aes128", "-passout", "pass:x", "-out", "locked.pem");
    Files.copy(
        directory.resolve("locked.pem"), settings().key(), StandardCopyOption.REPLACE_EXISTING);
    assertThatThrownBy(() -> new TestHub(QUICK, settings()).close())
        .hasMessageContaining("is encrypted");
  }

  @Test
  void plain_http_and_a_client_that_says_nothing_are_closed() throws Exception {
    create("one", "ec");
    DoorSettings impatient =
        new DoorSettings(
            100,
            Duration.ofSeconds(1),
            Duration.ofSeconds(1),
            Duration.ofSeconds(1),
            Duration.ofSeconds(1),
            Duration.ofSeconds(1),
            4,
            Duration.ofSeconds(5),
            Duration.ofMillis(50));
    try (TestHub hub = new TestHub(impatient, settings());
        RawClient plain = new RawClient(hub.door.port());
        RawClient silent = new RawClient(hub.door.port())) {
      assertThat(plain.send(GET).rest()).doesNotContain("200");
      assertThat(silent.isClosed()).isTrue();
    }
  }
}
