package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.sdk.testkit.Agents;
import com.datanadhi.sdk.testkit.ApplicationProcess;
import com.datanadhi.sdk.testkit.FileServer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.stream.Stream;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The download as applications do it, each in a process of its own. */
class MultiProcessDownloadTest extends AbstractSdkTest {
  private static final String PASSWORD = "password";

  private FileServer files;

  @BeforeEach
  void serve() throws IOException {
    main.goDown();
    files = use(FileServer.withProgram());
  }

  private ApplicationProcess start(String... options) throws IOException {
    return use(ApplicationProcess.start(directory, main, fallback, options));
  }

  private void assertTheProgramIsThereAlone() throws IOException {
    Path home = directory.resolve("echopost");
    assertThat(home.resolve("echopost")).hasSameBinaryContentAs(Agents.program()).isExecutable();
    try (Stream<Path> all = Files.list(home)) {
      assertThat(all.map(file -> file.getFileName().toString()))
          .noneMatch(name -> name.startsWith(".echopost-download"));
    }
  }

  @Test
  void two_that_find_it_missing_get_one_whole_program() throws Exception {
    files.isSlow(50);
    ApplicationProcess one = start("-Ddownload.url=" + files.url());
    ApplicationProcess other = start("-Ddownload.url=" + files.url());
    assertThat(one.line()).isEqualTo("ready");
    assertThat(other.line()).isEqualTo("ready");
    assertTheProgramIsThereAlone();
    assertThat(files.asked()).filteredOn(FileServer.programPath()::equals).hasSize(1);
    assertThat(one.finish()).contains("deliveredToEchoPost=1");
    assertThat(other.finish()).contains("deliveredToEchoPost=1");
  }

  @Test
  void one_that_is_killed_in_it_leaves_it_to_the_other() throws Exception {
    files.isSlow(50);
    ApplicationProcess one = start("-Ddownload.url=" + files.url());
    await().atMost(SOON).until(() -> !files.asked().isEmpty());
    ApplicationProcess other = start("-Ddownload.url=" + files.url());
    one.handle().destroyForcibly();
    files.isSlow(0);
    assertThat(other.line()).isEqualTo("ready");
    assertTheProgramIsThereAlone();
    assertThat(other.finish()).contains("deliveredToEchoPost=1");
  }

  @Test
  void it_goes_through_the_proxy_that_the_jdk_is_told_of() throws Exception {
    // Nobody can resolve that name but the proxy.
    ApplicationProcess application =
        start(
            "-Ddownload.url=http://downloads.invalid",
            "-Dhttp.proxyHost=127.0.0.1",
            "-Dhttp.proxyPort=" + files.url().replaceFirst(".*:", ""));
    assertThat(application.line()).isEqualTo("ready");
    assertTheProgramIsThereAlone();
    assertThat(application.finish()).contains("deliveredToEchoPost=1");
  }

  @Test
  void a_redirect_is_followed_but_not_out_of_tls() throws Exception {
    Path store = directory.resolve("store.p12");
    FileServer secure = use(new FileServer(tls(store)));
    String[] options = {
      "-Ddownload.url=" + secure.url(),
      "-Djavax.net.ssl.trustStore=" + store,
      "-Djavax.net.ssl.trustStorePassword=" + PASSWORD
    };
    secure.redirects(FileServer.programPath(), files.url() + FileServer.programPath());
    ApplicationProcess refusing = start(options);
    assertThat(refusing.line()).isEqualTo("ready");
    assertThat(refusing.finish()).contains("deliveredToFallback=1", "answered 302");
    assertThat(files.asked()).isEmpty();
    assertThat(directory.resolve("echopost/echopost")).doesNotExist();

    secure.has("/elsewhere", 200, Files.readAllBytes(Agents.program()));
    secure.redirects(FileServer.programPath(), secure.url() + "/elsewhere");
    ApplicationProcess following = start(options);
    assertThat(following.line()).isEqualTo("ready");
    assertTheProgramIsThereAlone();
  }

  /** Of a certificate for 127.0.0.1 that nobody signed, which {@code store} gets. */
  private static SSLContext tls(Path store) throws Exception {
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-keyalg",
                "EC",
                "-alias",
                "files",
                "-dname",
                "CN=127.0.0.1",
                "-ext",
                "san=ip:127.0.0.1",
                "-storetype",
                "PKCS12",
                "-storepass",
                PASSWORD,
                "-keystore",
                store.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(keytool.getInputStream().readAllBytes());
    assertThat(keytool.waitFor()).as(said).isZero();
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, PASSWORD.toCharArray());
    }
    KeyManagerFactory managers =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    managers.init(keys, PASSWORD.toCharArray());
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(managers.getKeyManagers(), null, null);
    return context;
  }
}
