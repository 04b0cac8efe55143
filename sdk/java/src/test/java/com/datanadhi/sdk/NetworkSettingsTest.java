package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.datanadhi.sdk.testkit.Agents;
import com.datanadhi.sdk.testkit.Certificates;
import com.datanadhi.sdk.testkit.FileServer;
import com.datanadhi.sdk.testkit.ForwardProxy;
import com.datanadhi.sdk.testkit.JavaProgram;
import com.datanadhi.testkit.PackagedProgram;
import com.datanadhi.testkit.StubServer;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Names of hosts, certificates and proxies, in a process whose name server is a file. */
class NetworkSettingsTest extends AbstractSdkTest {
  private static final int RECORDS = 10;

  private final Map<String, String> environment = new HashMap<>();
  private StubServer server;

  @BeforeEach
  void configure() throws IOException {
    server = closeAfterTest(StubServer.up());
    Path hosts = directory.resolve("hosts");
    Files.writeString(
        hosts,
        "127.0.0.1 localhost\n127.0.0.1 log_server\n127.0.0.1 app.download_server\n"
            + "127.0.0.1 secure-server\n127.0.0.1 1st\n");
    environment.put("JAVA_TOOL_OPTIONS", "-Djdk.net.hosts.file=" + hosts);
    environment.put("DATANADHI_SERVER_HOST", "http://log_server:" + server.port());
    environment.put("DATANADHI_FALLBACK_SERVER_HOST", "http://127.0.0.1:9");
    environment.put("DATANADHI_ECHOPOST_MODE", "never");
    environment.put("DATANADHI_WORKERS", "1");
    for (String variable : List.of("http_proxy", "https_proxy", "no_proxy")) {
      environment.put(variable, "");
      environment.put(variable.toUpperCase(java.util.Locale.ROOT), "");
    }
  }

  private void jvmOption(String option) {
    environment.merge("JAVA_TOOL_OPTIONS", option, (all, one) -> all + " " + one);
  }

  /** Submits records in a process of its own, and returns what that printed. */
  private String submitAll() throws Exception {
    JavaProgram.Result result =
        JavaProgram.run(Submitting.class, environment, directory.toString());
    assertThat(result.status()).describedAs(result.errors()).isZero();
    return result.errors();
  }

  static final class Submitting {
    public static void main(String[] args) throws Exception {
      try (DataNadhi client = DataNadhi.open(Path.of(args[0]))) {
        await()
            .atMost(TIME_LIMIT)
            .until(() -> client.counters().echoPost().status() != EchoPostState.Status.PREPARING);
        submit(client, 0, RECORDS);
        boolean flushed = client.flush(TIME_LIMIT);
        System.err.println("flushed " + flushed + " " + client.counters());
      }
    }
  }

  private static List<Integer> received(StubServer server) {
    return server.deliveries().stream()
        .map(request ->
            JsonParser.parseString(request.text())
                .getAsJsonObject()
                .getAsJsonObject("log_data")
                .get("seq")
                .getAsInt())
        .distinct()
        .toList();
  }

  private void assertServerHasAll() {
    assertThat(received(server)).isEqualTo(range(0, RECORDS));
  }

  @ParameterizedTest
  @CsvSource({"log_server", "1st"})
  void the_main_server_can_have_a_name_that_is_no_host_of_a_uri(String name) throws Exception {
    environment.put("DATANADHI_SERVER_HOST", "http://%s:%d/base".formatted(name, server.port()));
    assertThat(submitAll()).contains("deliveredToMainServer=" + RECORDS);
    assertServerHasAll();
    StubServer.Request first = server.deliveries().get(0);
    assertThat(first.headers()).containsEntry("host", name + ":" + server.port());
    assertThat(first.path()).isEqualTo("/base/log");
    assertThat(first.headers()).containsEntry("datanadhi-api-key", "test-key");
    // The connection was used again.
    assertThat(server.connections()).isEqualTo(1);
  }

  @Test
  void batches_go_to_a_server_with_an_underscore_too() throws Exception {
    server.offer(StubServer.Offer.GZIP_BATCHES);
    assertThat(submitAll()).contains("deliveredToMainServer=" + RECORDS);
    assertThat(server.distinct()).isEqualTo(RECORDS);
    assertThat(server.batches()).isPositive();
  }

  @Test
  void a_server_with_an_underscore_that_is_down_is_used_when_it_is_up_again() throws Exception {
    server.onDelivery(StubServer.Behaviour.status(503, ""));
    server.onProbe((request, out) -> {
      server.onDelivery(StubServer.OK);
      return StubServer.OK.respond(request, out);
    });
    assertThat(submitAll()).contains("deliveredToMainServer=" + RECORDS);
    assertThat(server.probes()).isPositive();
    assertServerHasAll();
  }

  @Test
  void the_fallback_server_can_have_an_underscore() throws Exception {
    environment.put("DATANADHI_SERVER_HOST", "http://127.0.0.1:9");
    environment.put("DATANADHI_FALLBACK_SERVER_HOST", "http://log_server:" + server.port());
    assertThat(submitAll()).contains("deliveredToFallback=" + RECORDS);
    assertThat(server.deliveries().get(0).path()).isEqualTo("/upload");
  }

  @Test
  void echopost_comes_from_and_delivers_to_servers_with_underscores() throws Exception {
    FileServer files = closeAfterTest(FileServer.withProgram());
    files.serve("/elsewhere", 200, Files.readAllBytes(PackagedProgram.path()));
    files.redirect(FileServer.programPath(), "/elsewhere");
    environment.put("DATANADHI_ECHOPOST_MODE", "auto");
    environment.put(
        "DATANADHI_ECHOPOST_DOWNLOAD_URL", files.url().replace("127.0.0.1", "app.download_server"));
    // The agent cannot read the file of host names: its proxy knows the name.
    ForwardProxy proxy = closeAfterTest(new ForwardProxy(""));
    environment.put("DATANADHI_PROXY_URL", proxy.authority());
    environment.put("DATANADHI_PROXY_NO_PROXY", ".download_server");
    server.goDown();
    assertThat(submitAll()).contains("deliveredToEchoPost=" + RECORDS);
    assertThat(files.requests("/elsewhere")).isEqualTo(1);
    assertThat(proxy.requestLines()).isEmpty();
    server.comeUp();
    await().atMost(TIME_LIMIT).untilAsserted(this::assertServerHasAll);
    assertThat(server.deliveries().get(0).headers())
        .containsEntry("user-agent", "echopost")
        .containsEntry("host", "log_server:" + server.port());
  }

  private StubServer secure(String certificateFor, Certificates authority) throws Exception {
    return closeAfterTest(StubServer.up(authority.server(certificateFor).getServerSocketFactory()));
  }

  @ParameterizedTest
  @CsvSource({"log_server", "secure-server", "1st"})
  void servers_with_certificates_of_an_own_authority_are_trusted(String name) throws Exception {
    Certificates authority = new Certificates(directory);
    server = secure(name, authority);
    environment.put("DATANADHI_SERVER_HOST", "https://%s:%d".formatted(name, server.port()));
    environment.put("DATANADHI_TLS_CA_FILE", authority.authority().toString());
    assertThat(submitAll()).contains("deliveredToMainServer=" + RECORDS);
    assertServerHasAll();
  }

  @Test
  void the_type_of_key_stores_that_the_jvm_prefers_need_not_be_writable() throws Exception {
    Path security = directory.resolve("java.security");
    Files.writeString(security, "keystore.type=PKCS11\n");
    jvmOption("-Djava.security.properties=" + security);
    jvmOption("-Djavax.net.ssl.trustStoreType=PKCS12");
    servers_with_certificates_of_an_own_authority_are_trusted("secure-server");
  }

  @ParameterizedTest
  @CsvSource({"log_server, other_server", "secure-server, other-server", "log_server, log-server"})
  void a_certificate_for_another_name_is_refused(String name, String other) throws Exception {
    Certificates authority = new Certificates(directory);
    server = secure(other, authority);
    environment.put("DATANADHI_SERVER_HOST", "https://%s:%d".formatted(name, server.port()));
    environment.put("DATANADHI_TLS_CA_FILE", authority.authority().toString());
    assertThat(submitAll())
        .contains(
            "dropped={undeliverable=" + RECORDS,
            name.contains("_") ? "should be <" + name + ">" : "subject alternative");
    assertThat(server.deliveries()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"log_server", "secure-server"})
  void an_unknown_authority_is_refused(String name) throws Exception {
    server = secure(name, new Certificates(directory));
    environment.put("DATANADHI_SERVER_HOST", "https://%s:%d".formatted(name, server.port()));
    assertThat(submitAll()).contains("dropped={undeliverable=" + RECORDS);
    assertThat(server.deliveries()).isEmpty();
  }

  @Test
  void the_agent_trusts_the_same_authority() throws Exception {
    Agents.install(directory);
    Certificates authority = new Certificates(directory);
    server = secure("localhost", authority);
    server.goDown();
    environment.put("DATANADHI_ECHOPOST_MODE", "only-if-present");
    environment.put("DATANADHI_SERVER_HOST", server.url());
    environment.put("DATANADHI_TLS_CA_FILE", authority.authority().toString());
    assertThat(submitAll()).contains("deliveredToEchoPost=" + RECORDS);
    server.comeUp();
    await().atMost(TIME_LIMIT).untilAsserted(this::assertServerHasAll);
  }

  private static final String TUNNELS_WITH_PASSWORD = "-Djdk.http.auth.tunneling.disabledSchemes=";

  private static final String USER = "us er:p@ss:w/ord%";
  private static final String ENCODED_USER = "us%20er:p%40ss:w%2Ford%25";

  /** Only the proxy can resolve this name. */
  private String unresolvable(String scheme) {
    return scheme + "://main.invalid:" + server.port();
  }

  @ParameterizedTest
  @CsvSource({"http", "https"})
  void a_proxy_with_user_and_password_is_used(String scheme) throws Exception {
    if (scheme.equals("https")) {
      Certificates authority = new Certificates(directory);
      server = secure("main.invalid", authority);
      environment.put("DATANADHI_TLS_CA_FILE", authority.authority().toString());
    }
    ForwardProxy proxy = closeAfterTest(new ForwardProxy(USER));
    environment.put("DATANADHI_SERVER_HOST", unresolvable(scheme));
    environment.put(
        "DATANADHI_PROXY_URL", "http://%s@%s".formatted(ENCODED_USER, proxy.authority()));
    if (scheme.equals("https")) {
      jvmOption(TUNNELS_WITH_PASSWORD);
    }
    assertThat(submitAll()).contains("deliveredToMainServer=" + RECORDS).doesNotContain("p@ss");
    assertServerHasAll();
    assertThat(server.deliveries())
        .allSatisfy(request -> {
          if (scheme.equals("https")) {
            assertThat(request.headers()).doesNotContainKey("proxy-authorization");
          }
        });
    assertThat(proxy.requestLines().get(0))
        .startsWith(
            scheme.equals("https")
                ? "CONNECT main.invalid:" + server.port()
                : "POST " + unresolvable(scheme) + "/log");
  }

  @ParameterizedTest
  @CsvSource({"http", "https"})
  void a_wrong_password_of_the_proxy_is_said(String scheme) throws Exception {
    ForwardProxy proxy = closeAfterTest(new ForwardProxy(USER));
    environment.put("DATANADHI_SERVER_HOST", unresolvable(scheme));
    environment.put("DATANADHI_FALLBACK_SERVER_HOST", unresolvable(scheme));
    environment.put("DATANADHI_PROXY_URL", "http://user:wrong@" + proxy.authority());
    jvmOption(TUNNELS_WITH_PASSWORD);
    assertThat(submitAll())
        .contains("dropped={undeliverable=" + RECORDS, "check the user and password of the proxy")
        .doesNotContain("wrong");
    assertThat(server.deliveries()).isEmpty();
  }

  @Test
  void without_the_option_of_the_jvm_only_echopost_sends_a_password_for_https() throws Exception {
    Agents.install(directory);
    Certificates authority = new Certificates(directory);
    server = secure("main.invalid", authority);
    ForwardProxy proxy = closeAfterTest(new ForwardProxy(USER));
    environment.put("DATANADHI_TLS_CA_FILE", authority.authority().toString());
    environment.put("DATANADHI_ECHOPOST_MODE", "only-if-present");
    environment.put("DATANADHI_SERVER_HOST", unresolvable("https"));
    environment.put(
        "DATANADHI_PROXY_URL", "http://%s@%s".formatted(ENCODED_USER, proxy.authority()));
    assertThat(submitAll())
        .contains("deliveredToEchoPost=" + RECORDS, "-Djdk.http.auth.tunneling.disabledSchemes=");
    await().atMost(TIME_LIMIT).untilAsserted(this::assertServerHasAll);
    assertThat(server.deliveries().get(0).headers()).containsEntry("user-agent", "echopost");
  }

  @Test
  void a_server_with_an_underscore_is_reached_through_a_proxy_with_a_password() throws Exception {
    ForwardProxy proxy = closeAfterTest(new ForwardProxy(USER));
    environment.put(
        "DATANADHI_PROXY_URL", "http://%s@%s".formatted(ENCODED_USER, proxy.authority()));
    assertThat(submitAll()).contains("deliveredToMainServer=" + RECORDS);
    assertServerHasAll();
    assertThat(proxy.requestLines().get(0)).startsWith("POST http://log_server:");
  }

  @Test
  void a_socks_proxy_is_an_invalid_setting() {
    environment.put("DATANADHI_API_KEY", "test-key");
    environment.put("DATANADHI_PROXY_URL", "socks5://user:secret@proxy:1080");
    assertThatThrownBy(() -> DataNadhiConfiguration.load(directory, environment))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageStartingWith("environment: DATANADHI_PROXY_URL: not the URL of an HTTP proxy")
        .hasMessageContaining("SOCKS")
        .hasMessageNotContaining("secret");
  }

  @ParameterizedTest
  @CsvSource({"http_proxy, ''", "HTTP_PROXY, ''", "http_proxy, 'elsewhere,.other.invalid'"})
  void the_proxy_of_the_environment_is_used(String variable, String noProxy) throws Exception {
    ForwardProxy proxy = closeAfterTest(new ForwardProxy(""));
    environment.put("DATANADHI_SERVER_HOST", unresolvable("http"));
    environment.put(variable, proxy.authority());
    environment.put("no_proxy", noProxy);
    assertThat(submitAll()).contains("deliveredToMainServer=" + RECORDS);
    assertServerHasAll();
    assertThat(proxy.requestLines()).isNotEmpty();
  }

  @Test
  void servers_in_no_proxy_are_reached_directly() throws Exception {
    ForwardProxy proxy = closeAfterTest(new ForwardProxy(""));
    environment.put("http_proxy", proxy.authority());
    environment.put("no_proxy", "elsewhere, log_server");
    submitAll();
    assertServerHasAll();
    assertThat(proxy.requestLines()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"''", "user:pass"})
  void the_properties_of_the_jvm_come_before_the_environment(String user) throws Exception {
    ForwardProxy proxy = closeAfterTest(new ForwardProxy(user));
    environment.put("DATANADHI_SERVER_HOST", unresolvable("http"));
    environment.put("http_proxy", "127.0.0.1:9");
    jvmOption("-Dhttp.proxyHost=127.0.0.1");
    jvmOption("-Dhttp.proxyPort=" + proxy.authority().replaceFirst(".*:", ""));
    if (!user.isEmpty()) {
      jvmOption("-Dhttp.proxyUser=user -Dhttp.proxyPassword=pass");
    }
    assertThat(submitAll()).contains("deliveredToMainServer=" + RECORDS);
    assertThat(proxy.requestLines()).isNotEmpty();
  }

  @Test
  void the_setting_direct_uses_no_proxy() throws Exception {
    environment.put("http_proxy", "127.0.0.1:9");
    environment.put("DATANADHI_PROXY_URL", "direct");
    submitAll();
    assertServerHasAll();
  }

  @ParameterizedTest
  @CsvSource({"http, setting", "https, setting", "http, jvm"})
  void the_agent_uses_the_same_proxy(String scheme, String source) throws Exception {
    Agents.install(directory);
    if (scheme.equals("https")) {
      Certificates authority = new Certificates(directory);
      server = secure("main.invalid", authority);
      environment.put("DATANADHI_TLS_CA_FILE", authority.authority().toString());
    }
    ForwardProxy proxy = closeAfterTest(new ForwardProxy(USER));
    server.goDown();
    environment.put("DATANADHI_ECHOPOST_MODE", "only-if-present");
    environment.put("DATANADHI_SERVER_HOST", unresolvable(scheme));
    environment.put("NO_PROXY", "main.invalid");
    if (source.equals("setting")) {
      environment.put("DATANADHI_PROXY_NO_PROXY", "elsewhere");
      environment.put(
          "DATANADHI_PROXY_URL", "http://%s@%s".formatted(ENCODED_USER, proxy.authority()));
    } else {
      Path options = directory.resolve("proxy.options");
      Files.writeString(
          options,
          "-Dhttp.proxyHost=127.0.0.1 -Dhttp.proxyPort=%s \"-Dhttp.proxyUser=us er\" -Dhttp.proxyPassword=p@ss:w/ord%%"
              .formatted(proxy.authority().replaceFirst(".*:", "")));
      environment.put("JDK_JAVA_OPTIONS", "@" + options);
    }
    assertThat(submitAll()).contains("deliveredToEchoPost=" + RECORDS);
    server.comeUp();
    await().atMost(TIME_LIMIT).untilAsserted(this::assertServerHasAll);
    assertThat(server.deliveries().get(0).headers()).containsEntry("user-agent", "echopost");
    assertThat(proxy.requestLines()).isNotEmpty();
  }
}
