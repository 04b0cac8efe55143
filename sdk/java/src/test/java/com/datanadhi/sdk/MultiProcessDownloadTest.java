package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.sdk.testkit.ApplicationProcess;
import com.datanadhi.sdk.testkit.FileServer;
import com.datanadhi.testkit.PackagedProgram;
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

/** Downloads by applications in processes of their own. */
class MultiProcessDownloadTest extends AbstractSdkTest {
  private static final String PASSWORD = "password";

  private FileServer files;

  @BeforeEach
  void startFileServer() throws IOException {
    main.goDown();
    files = closeAfterTest(FileServer.withProgram());
  }

  private ApplicationProcess start(String... options) throws IOException {
    return closeAfterTest(ApplicationProcess.start(directory, main, fallback, options));
  }

  private void assertProgramIsInstalledWithoutTemporaryFiles() throws IOException {
    Path home = directory.resolve("echopost");
    assertThat(home.resolve("echopost"))
        .hasSameBinaryContentAs(PackagedProgram.path())
        .isExecutable();
    try (Stream<Path> all = Files.list(home)) {
      assertThat(all.map(file -> file.getFileName().toString()))
          .noneMatch(name -> name.startsWith(".echopost-download"));
    }
  }

  @Test
  void two_processes_download_the_program_once() throws Exception {
    files.setPauseMillis(50);
    ApplicationProcess one = start("-Ddownload.url=" + files.url());
    ApplicationProcess other = start("-Ddownload.url=" + files.url());
    assertThat(one.line()).isEqualTo("ready");
    assertThat(other.line()).isEqualTo("ready");
    assertProgramIsInstalledWithoutTemporaryFiles();
    assertThat(files.requestedPaths()).filteredOn(FileServer.programPath()::equals).hasSize(1);
    assertThat(one.finish()).contains("deliveredToEchoPost=1");
    assertThat(other.finish()).contains("deliveredToEchoPost=1");
  }

  @Test
  void a_waiting_process_downloads_the_program_when_the_first_is_killed() throws Exception {
    files.setPauseMillis(50);
    ApplicationProcess one = start("-Ddownload.url=" + files.url());
    await().atMost(TIME_LIMIT).until(() -> !files.requestedPaths().isEmpty());
    ApplicationProcess other = start("-Ddownload.url=" + files.url());
    one.handle().destroyForcibly();
    files.setPauseMillis(0);
    assertThat(other.line()).isEqualTo("ready");
    assertProgramIsInstalledWithoutTemporaryFiles();
    assertThat(other.finish()).contains("deliveredToEchoPost=1");
  }

  @Test
  void the_download_uses_the_proxy_that_is_configured_for_the_jdk() throws Exception {
    // Only the proxy can resolve this name.
    ApplicationProcess application =
        start(
            "-Ddownload.url=http://downloads.invalid",
            "-Dhttp.proxyHost=127.0.0.1",
            "-Dhttp.proxyPort=" + files.url().replaceFirst(".*:", ""));
    assertThat(application.line()).isEqualTo("ready");
    assertProgramIsInstalledWithoutTemporaryFiles();
    assertThat(application.finish()).contains("deliveredToEchoPost=1");
  }

  @Test
  void a_redirect_is_followed_unless_it_leaves_tls() throws Exception {
    Path store = directory.resolve("store.p12");
    FileServer secure = closeAfterTest(new FileServer(tls(store)));
    String[] options = {
      "-Ddownload.url=" + secure.url(),
      "-Djavax.net.ssl.trustStore=" + store,
      "-Djavax.net.ssl.trustStorePassword=" + PASSWORD
    };
    secure.redirect(FileServer.programPath(), files.url() + FileServer.programPath());
    ApplicationProcess rejecting = start(options);
    assertThat(rejecting.line()).isEqualTo("ready");
    assertThat(rejecting.finish()).contains("deliveredToFallback=1", "answered 302");
    assertThat(files.requestedPaths()).isEmpty();
    assertThat(directory.resolve("echopost/echopost")).doesNotExist();

    secure.serve("/elsewhere", 200, Files.readAllBytes(PackagedProgram.path()));
    secure.redirect(FileServer.programPath(), secure.url() + "/elsewhere");
    ApplicationProcess following = start(options);
    assertThat(following.line()).isEqualTo("ready");
    assertProgramIsInstalledWithoutTemporaryFiles();
  }

  /** Makes a self-signed certificate for 127.0.0.1 in {@code store}, and a TLS context with it. */
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
    String output = new String(keytool.getInputStream().readAllBytes());
    assertThat(keytool.waitFor()).as(output).isZero();
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
