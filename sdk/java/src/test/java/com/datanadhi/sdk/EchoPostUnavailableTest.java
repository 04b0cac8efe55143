package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.sdk.testkit.FileServer;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** EchoPost cannot be had: the application is told once, and its records go on. */
class EchoPostUnavailableTest extends AbstractSdkTest {
  private final List<LogRecord> said = new ArrayList<>();
  private final Logger logger = Logger.getLogger("com.datanadhi.sdk");

  @BeforeEach
  void listen() {
    main.goDown();
    Handler handler =
        new Handler() {
          @Override
          public synchronized void publish(LogRecord message) {
            said.add(message);
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    logger.addHandler(handler);
    use(() -> logger.removeHandler(handler));
  }

  private void assertItGoesOn(
      DataNadhi client, EchoPostState.Status status, String detail, Level level)
      throws InterruptedException {
    await().atMost(SOON).until(() -> client.counters().echoPost().detail().contains(detail));
    assertThat(client.counters().echoPost().status()).isEqualTo(status);
    int before = fallback.delivered();
    submit(client, 0, 10);
    assertThat(client.flush(SOON)).isTrue();
    assertThat(fallback.delivered()).isEqualTo(before + 10);
    assertThat(saidOfEchoPost(level)).isNotEmpty();
  }

  private List<String> saidOfEchoPost(Level level) {
    return List.copyOf(said).stream()
        .filter(message -> message.getLevel().equals(level))
        .map(LogRecord::getMessage)
        .filter(message -> message.contains("EchoPost"))
        .toList();
  }

  @Test
  void an_unsupported_system_disables_it_for_the_process_with_one_warning() throws Exception {
    String arch = System.getProperty("os.arch");
    System.setProperty("os.arch", "riscv64");
    try {
      for (int i = 0; i < 2; i++) {
        assertItGoesOn(
            open(configuration()), EchoPostState.Status.UNSUPPORTED, "riscv64", Level.WARNING);
      }
    } finally {
      System.setProperty("os.arch", arch);
    }
    assertThat(saidOfEchoPost(Level.WARNING)).hasSize(1);
  }

  @Test
  void a_network_error_is_a_warning() throws Exception {
    FileServer gone = new FileServer();
    gone.close();
    assertItGoesOn(
        open(configuration().downloadUrl(gone.url())),
        EchoPostState.Status.COOLING_DOWN,
        "cannot be downloaded",
        Level.WARNING);
  }

  @Test
  void an_answer_other_than_200_is_an_error() throws Exception {
    FileServer empty = use(new FileServer());
    assertItGoesOn(
        open(configuration().downloadUrl(empty.url())),
        EchoPostState.Status.COOLING_DOWN,
        "answered 404",
        Level.SEVERE);
  }

  @Test
  void a_place_that_cannot_be_written_to_is_an_error() throws Exception {
    // Root may write to any directory, but not below a file.
    Files.writeString(directory.resolve("echopost"), "");
    FileServer files = use(FileServer.withProgram());
    assertItGoesOn(
        open(configuration().downloadUrl(files.url())),
        EchoPostState.Status.COOLING_DOWN,
        "cannot be written",
        Level.SEVERE);
  }

  @Test
  void a_download_that_failed_is_tried_again_though_all_is_well_without_it() throws Exception {
    main.comeUp();
    FileServer files = use(new FileServer());
    DataNadhi client = open(configuration().downloadUrl(files.url()));
    await().atMost(SOON).until(() -> !client.counters().echoPost().detail().isEmpty());
    files.has(FileServer.programPath(), 200, "#!/bin/sh\n".getBytes());
    await()
        .atMost(SOON)
        .until(() -> client.counters().echoPost().status() == EchoPostState.Status.READY);
    assertThat(client.counters().submitted()).isZero();
  }
}
