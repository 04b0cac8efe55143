package com.datanadhi.echopost.logging;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.CountDownLatch;
import java.util.logging.Logger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

// The time-out only ends a test that hangs.
@Timeout(60)
class SessionLogTest {
  private static final int MANY = 3_000; // more than the queue to standard output holds

  @TempDir Path directory;

  private Path file() {
    return directory.resolve("agent.log");
  }

  private void assertFileHasAllLines() throws IOException {
    assertThat(Files.readAllLines(file()).stream().map(line -> line.replaceAll(".*\"n\":|}", "")))
        .containsExactlyElementsOf(IntStream.range(0, MANY).mapToObj(Integer::toString).toList());
  }

  private static void logMany() {
    for (int n = 0; n < MANY; n++) {
      Events.info("e", "n", n);
    }
  }

  @Test
  void every_event_goes_to_the_file_and_to_standard_output() throws IOException {
    ByteArrayOutputStream stdout = new ByteArrayOutputStream();
    try (SessionLog _ = SessionLog.open(file(), stdout)) {
      Events.info("one", "a", 1, "left_out", null);
      assertThat(file()).content().contains("\"event\":\"one\",\"a\":1}\n");
      Events.warning("two");
      Events.severe("three", new IOException("why"));
    }
    assertThat(Files.readAllLines(file())).hasSize(3);
    assertThat(stdout.toString(UTF_8)).isEqualTo(Files.readString(file()));
    assertThat(Files.getPosixFilePermissions(file()))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));
  }

  @Test
  void an_interrupted_thread_does_not_end_the_log() throws IOException {
    try (SessionLog _ = SessionLog.open(file(), new ByteArrayOutputStream())) {
      Thread.currentThread().interrupt();
      Events.info("one");
      assertThat(Thread.interrupted()).isTrue();
      Events.info("two");
    }
    assertThat(Files.readAllLines(file())).hasSize(2);
  }

  @Test
  void a_blocked_standard_output_does_not_stop_the_log() throws Exception {
    CountDownLatch never = new CountDownLatch(1);
    CountDownLatch blocked = new CountDownLatch(1);
    OutputStream stuck =
        new OutputStream() {
          @Override
          public void write(int b) throws IOException {
            blocked.countDown();
            try {
              never.await();
            } catch (InterruptedException ended) {
              throw new IOException(ended);
            }
          }
        };
    try (SessionLog _ = SessionLog.open(file(), stuck)) {
      logMany();
      blocked.await();
      assertFileHasAllLines();
    }
    assertFileHasAllLines();
    never.countDown();
  }

  @Test
  void a_closed_standard_output_does_not_stop_the_log() throws IOException {
    OutputStream closed =
        new OutputStream() {
          @Override
          public void write(int b) throws IOException {
            throw new IOException("Broken pipe");
          }
        };
    try (SessionLog _ = SessionLog.open(file(), closed)) {
      logMany();
    }
    assertFileHasAllLines();
  }

  @Test
  void a_log_is_appended_to_an_existing_file() throws IOException {
    for (String event : new String[] {"first", "second"}) {
      try (SessionLog _ = SessionLog.open(file(), OutputStream.nullOutputStream())) {
        Events.info(event);
      }
    }
    assertThat(Files.readAllLines(file())).hasSize(2);
  }

  @Test
  void nothing_is_written_after_the_log_is_closed() throws IOException {
    try (SessionLog _ = SessionLog.open(file(), OutputStream.nullOutputStream())) {
      Events.info("last");
    }
    Events.info("later");
    assertThat(Files.readString(file())).contains("last").doesNotContain("later");
  }

  @Test
  void errors_of_libraries_are_logged() throws IOException {
    Logger library = Logger.getLogger("io.library");
    try (SessionLog _ = SessionLog.open(file(), OutputStream.nullOutputStream())) {
      library.warning("chatter");
      library.severe("broken");
    }
    assertThat(Files.readAllLines(file()))
        .singleElement()
        .asString()
        .contains(
            "\"event\":\"" + "library_log" + "\",\"logger\":\"io.library\",\"message\":\"broken\"");
  }

  @Test
  void lines_wait_for_a_file_that_cannot_be_created_yet() throws IOException {
    Path nowhere = directory.resolve("missing/session/agent.log");
    try (SessionLog log = SessionLog.open(nowhere, OutputStream.nullOutputStream())) {
      Events.info("first");
      Files.createDirectory(directory.resolve("missing"));
      log.keepFile();
      Events.info("second");
    }
    assertThat(Files.readString(nowhere))
        .containsSubsequence(EventNames.LOG_NOT_WRITTEN, "first", "second");
  }

  @Test
  void a_deleted_file_is_created_again_with_its_directory() throws IOException {
    Path file = directory.resolve("session/agent.log");
    try (SessionLog log = SessionLog.open(file, OutputStream.nullOutputStream())) {
      Events.info("first");
      Files.delete(file);
      Files.delete(directory.resolve("session"));
      log.keepFile();
      Events.info("second");
    }
    assertThat(Files.readString(file)).contains("second").doesNotContain("first");
  }
}
