package com.datanadhi.hub.grpc;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import com.datanadhi.hub.control.ApiKeys;
import com.datanadhi.hub.intake.Admission;
import com.datanadhi.hub.proto.HubGrpc;
import com.datanadhi.hub.proto.Receipt;
import com.datanadhi.hub.query.Tenants;
import com.datanadhi.hub.tls.TlsFiles;
import com.datanadhi.hub.tls.TlsSettings;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TlsTest {
  private static final String PASSWORD = "changeit";

  @TempDir Path directory;
  private Path certificate;
  private Path key;
  private Tenants tenants;

  @BeforeEach
  void open() {
    certificate = directory.resolve("hub.pem");
    key = directory.resolve("hub.key");
    tenants = new Tenants(directory.resolve("tenants"));
  }

  @AfterEach
  void close() {
    tenants.close();
  }

  /// The PEM texts of a new certificate that is its own authority.
  private record Pair(String certificate, String key) {}

  private Pair pair(String name, String algorithm) throws Exception {
    Path store = directory.resolve(name + ".p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-keyalg",
                algorithm,
                "-dname",
                "CN=" + name,
                "-ext",
                "san=dns:localhost,ip:127.0.0.1",
                "-alias",
                name,
                "-keystore",
                store.toString(),
                "-storepass",
                PASSWORD)
            .redirectErrorStream(true)
            .start();
    String output = new String(keytool.getInputStream().readAllBytes(), US_ASCII);
    assertThat(keytool.waitFor()).as(output).isZero();
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, PASSWORD.toCharArray());
    }
    return new Pair(
        pem("CERTIFICATE", keys.getCertificate(name).getEncoded()),
        pem("PRIVATE KEY", keys.getKey(name, PASSWORD.toCharArray()).getEncoded()));
  }

  private static String pem(String what, byte[] bytes) {
    return "-----BEGIN "
        + what
        + "-----\n"
        + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes)
        + "\n-----END "
        + what
        + "-----\n";
  }

  private void write(Pair pair) throws IOException {
    Files.writeString(certificate, pair.certificate());
    Files.writeString(key, pair.key());
  }

  private GrpcDoor door(ReferenceAppends appends) throws IOException {
    return new GrpcDoor(
        new GrpcSettings(Door.loopback(), Door.MAX_CONNECTIONS, new TlsSettings(certificate, key)),
        apiKey -> new ApiKeys.Known("acme"),
        appends,
        new Admission(1 << 20),
        tenants.queries(),
        () -> true);
  }

  /// Appends on a new connection that trusts this certificate alone.
  private Receipt append(GrpcDoor door, Pair trusted) throws Exception {
    Path authority = Files.writeString(directory.resolve("trusted.pem"), trusted.certificate());
    ManagedChannel channel =
        NettyChannelBuilder.forAddress(
                "localhost",
                door.address().getPort(),
                TlsChannelCredentials.newBuilder().trustManager(authority.toFile()).build())
            .build();
    try {
      return HubGrpc.newBlockingStub(channel)
          .withDeadlineAfter(10, TimeUnit.SECONDS)
          .append(Door.request("k", "1"));
    } finally {
      channel.shutdownNow();
    }
  }

  @Test
  void calls_are_answered_over_tls_and_new_files_are_taken() throws Exception {
    Pair first = pair("first", "EC");
    Pair second = pair("second", "RSA");
    write(first);
    try (GrpcDoor door = door(new ReferenceAppends())) {
      assertThat(append(door, first).getKey()).isEqualTo("k");
      var failure = catchThrowableOfType(StatusRuntimeException.class, () -> append(door, second));
      assertThat(failure.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);

      write(second);
      await()
          .ignoreException(StatusRuntimeException.class)
          .untilAsserted(() -> assertThat(append(door, second).getReplayed()).isTrue());
    }
  }

  @Test
  void a_pair_that_does_not_belong_together_is_not_taken() throws Exception {
    Pair first = pair("first", "EC");
    Pair second = pair("second", "EC");
    write(first);
    AtomicReference<X509Certificate> served = new AtomicReference<>();
    TlsFiles files =
        new TlsFiles(new TlsSettings(certificate, key), "test", (chain, _) -> served.set(chain[0]));
    X509Certificate loaded = served.get();

    Files.writeString(certificate, second.certificate());
    files.turn();
    assertThat(served.get()).isEqualTo(loaded);
    Files.writeString(key, "nonsense");
    files.turn();
    assertThat(served.get()).isEqualTo(loaded);
    Files.writeString(key, second.key());
    files.turn();
    assertThat(served.get()).isNotEqualTo(loaded);
  }

  @Test
  void unusable_files_are_an_error_at_the_start() throws Exception {
    assertThatThrownBy(() -> door(new ReferenceAppends())).isInstanceOf(IOException.class);
    Pair pair = pair("only", "EC");
    write(new Pair("no certificate", pair.key()));
    assertThatThrownBy(() -> door(new ReferenceAppends())).isInstanceOf(IOException.class);
    write(new Pair(pair.certificate(), pair("another", "EC").key()));
    assertThatThrownBy(() -> door(new ReferenceAppends()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("the key does not belong to the certificate");
    assertThatThrownBy(() -> TlsSettings.of(certificate, null))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> TlsSettings.of(null, key))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
