package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.sdk.testkit.Agents;
import com.datanadhi.sdk.testkit.FileServer;
import com.datanadhi.sdk.testkit.SdkLog;
import com.datanadhi.testkit.PackagedProgram;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** If EchoPost cannot be installed, the reason is logged and records go to other destinations. */
class EchoPostUnavailableTest extends AbstractSdkTest {
  private final List<LogRecord> logged = new ArrayList<>();

  @BeforeEach
  void collectLogRecords() {
    main.goDown();
    SdkLog unused = closeAfterTest(new SdkLog(message -> logged.add(message)));
  }

  private void assertRecordsAreDeliveredWithoutEchoPost(
      DataNadhi client, EchoPostState.Status status, String detail, Level level)
      throws InterruptedException {
    await().atMost(TIME_LIMIT).until(() -> client.counters().echoPost().detail().contains(detail));
    assertThat(client.counters().echoPost().status()).isEqualTo(status);
    int before = fallback.delivered();
    submit(client, 0, 10);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(fallback.delivered()).isEqualTo(before + 10);
    assertThat(messagesAboutEchoPost(level)).isNotEmpty();
  }

  private List<String> messagesAboutEchoPost(Level level) {
    return List.copyOf(logged).stream()
        .filter(message -> message.getLevel().equals(level))
        .map(LogRecord::getMessage)
        .filter(message -> message.contains("EchoPost"))
        .toList();
  }

  @Test
  void an_unsupported_system_disables_echopost_with_one_warning_per_process() throws Exception {
    String arch = System.getProperty("os.arch");
    System.setProperty("os.arch", "riscv64");
    try {
      for (int i = 0; i < 2; i++) {
        assertRecordsAreDeliveredWithoutEchoPost(
            open(configuration()), EchoPostState.Status.UNSUPPORTED, "riscv64", Level.WARNING);
      }
    } finally {
      System.setProperty("os.arch", arch);
    }
    assertThat(messagesAboutEchoPost(Level.WARNING)).hasSize(1);
  }

  @Test
  void a_network_error_is_logged_as_a_warning() throws Exception {
    FileServer closed = new FileServer();
    closed.close();
    assertRecordsAreDeliveredWithoutEchoPost(
        open(configuration().downloadUrl(closed.url())),
        EchoPostState.Status.COOLING_DOWN,
        "cannot be downloaded",
        Level.WARNING);
  }

  @Test
  void a_status_other_than_200_is_logged_as_an_error() throws Exception {
    FileServer empty = closeAfterTest(new FileServer());
    assertRecordsAreDeliveredWithoutEchoPost(
        open(configuration().downloadUrl(empty.url())),
        EchoPostState.Status.COOLING_DOWN,
        "answered 404",
        Level.SEVERE);
  }

  @Test
  void a_directory_that_cannot_be_written_is_logged_as_an_error() throws Exception {
    // A file in place of the directory: root can write to any directory.
    Files.writeString(directory.resolve("echopost"), "");
    FileServer files = closeAfterTest(FileServer.withProgram());
    assertRecordsAreDeliveredWithoutEchoPost(
        open(configuration().downloadUrl(files.url())),
        EchoPostState.Status.COOLING_DOWN,
        "cannot be written",
        Level.SEVERE);
  }

  @Test
  void a_failed_download_is_retried_even_while_the_main_server_is_up() throws Exception {
    main.comeUp();
    FileServer files = closeAfterTest(new FileServer());
    DataNadhi client = open(configuration().downloadUrl(files.url()));
    await().atMost(TIME_LIMIT).until(() -> !client.counters().echoPost().detail().isEmpty());
    files.serve(FileServer.programPath(), 200, Files.readAllBytes(PackagedProgram.path()));
    await()
        .atMost(TIME_LIMIT)
        .until(() -> client.counters().echoPost().status() == EchoPostState.Status.READY);
    assertThat(client.counters().submitted()).isZero();
  }

  @Test
  void a_program_that_was_installed_during_a_cooldown_gets_updates() throws Exception {
    main.comeUp();
    Agents.install(directory);
    Path program = directory.resolve("echopost/echopost");
    Path elsewhere = Files.move(program, directory.resolve("elsewhere"));
    FileServer files = closeAfterTest(new FileServer());
    DataNadhi client = open(configuration().downloadUrl(files.url()));
    await().atMost(TIME_LIMIT).until(() -> !client.counters().echoPost().detail().isEmpty());
    Files.move(elsewhere, program);
    await()
        .atMost(TIME_LIMIT)
        .until(() -> client.counters().echoPost().status() == EchoPostState.Status.READY);
    await().atMost(TIME_LIMIT).until(() -> Files.exists(directory.resolve("echopost/.sdk-update")));
  }

  @Test
  void a_captive_portal_is_an_error_and_the_program_is_fetched_when_it_is_gone() throws Exception {
    FileServer files = closeAfterTest(new FileServer());
    byte[] page = "<!DOCTYPE html>\n<title>Please log in</title>\n".getBytes();
    files.serve(FileServer.programPath(), 200, page);
    DataNadhi client = open(configuration().downloadUrl(files.url()));
    assertRecordsAreDeliveredWithoutEchoPost(
        client, EchoPostState.Status.COOLING_DOWN, "not that of a program for", Level.SEVERE);
    assertThat(directory.resolve("echopost/echopost")).doesNotExist();

    files.serve(FileServer.programPath(), 200, Files.readAllBytes(PackagedProgram.path()));
    await()
        .atMost(TIME_LIMIT)
        .untilAsserted(() -> {
          submit(client, 10, 11);
          assertThat(client.flush(TIME_LIMIT)).isTrue();
          assertThat(client.counters().deliveredToEchoPost()).isPositive();
        });
  }
}
