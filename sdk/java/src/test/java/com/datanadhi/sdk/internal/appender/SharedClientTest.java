package com.datanadhi.sdk.internal.appender;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.sdk.DataNadhi;
import com.datanadhi.sdk.SubmitResult;
import com.datanadhi.sdk.internal.json.EncodedPayload;
import com.datanadhi.sdk.jul.DataNadhiHandler;
import com.datanadhi.sdk.testkit.LogServer;
import com.datanadhi.testkit.Directories;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What threads that log, open and close at the same time do to the client that they share. */
class SharedClientTest {
  private static final Duration TIME_LIMIT = Duration.ofSeconds(60);

  private Path directory;
  private LogServer main;

  @BeforeEach
  void configure() throws Exception {
    directory = Files.createTempDirectory("sdk").toRealPath();
    main = LogServer.up();
    correct();
  }

  @AfterEach
  void closeAll() throws Exception {
    correct();
    DataNadhi.shared(directory).close();
    main.close();
    Directories.delete(directory);
  }

  private void correct() throws Exception {
    Files.writeString(
        directory.resolve("config.yml"),
        "server: {host: '%s'}\nechopost: {disable: true}\nasync: {exit_timeout: 30}"
            .formatted(main.url()));
  }

  private void spoil() throws Exception {
    Files.writeString(directory.resolve("config.yml"), "async: {workers: none}");
  }

  private SharedClient newUser() {
    return new SharedClient(
        new AppenderSettings(directory.toString(), "orders", "", "", "", "", 0, ""), () -> {});
  }

  private static EventPayload event() {
    return new EventPayload(Instant.now(), "INFO", 9, "shop", "main", "event");
  }

  @Test
  void an_appender_that_is_closed_while_it_waits_for_the_client_opens_none() throws Exception {
    Set<Thread> before = Thread.getAllStackTraces().keySet();
    SharedClient user = newUser();
    AtomicReference<SubmitResult> result = new AtomicReference<>();
    Thread logging = new Thread(() -> result.set(user.submit(event())), "logging");
    synchronized (SharedClients.of(directory)) {
      logging.start();
      await().until(() -> logging.getState() == Thread.State.BLOCKED);
      user.close();
    }
    logging.join();
    assertThat(result).hasValue(SubmitResult.CLOSED);
    assertThat(Thread.getAllStackTraces().keySet())
        .filteredOn(thread -> thread.getName().startsWith("datanadhi-worker"))
        .allMatch(before::contains);
  }

  @Test
  void an_appender_that_is_closed_while_it_encodes_an_event_keeps_nothing() throws Exception {
    spoil();
    SharedClient user = newUser();
    assertThat(user.submit(event().with("closing", whenEncoded(user::close))))
        .isEqualTo(SubmitResult.CLOSED);
  }

  @Test
  void an_event_that_is_encoded_while_another_thread_opens_the_client_is_submitted()
      throws Exception {
    spoil();
    SharedClient user = newUser();
    EventPayload event =
        event()
            .with(
                "opening",
                whenEncoded(() -> {
                  correct();
                  assertThat(newUser().submit(event())).isEqualTo(SubmitResult.ACCEPTED);
                }));
    assertThat(user.submit(event)).isEqualTo(SubmitResult.ACCEPTED);
    await().atMost(TIME_LIMIT).until(() -> main.delivered() == 2);
  }

  /** A value of an application, which the encoder reads. */
  private static Object whenEncoded(Step step) {
    return new Object() {
      @Override
      public String toString() {
        try {
          step.run();
        } catch (Exception failed) {
          throw new AssertionError(failed);
        }
        return "encoded";
      }
    };
  }

  private interface Step {
    void run() throws Exception;
  }

  @Test
  void a_handler_is_started_and_closed_while_the_client_waits_for_a_lock_in_order_to_log()
      throws Exception {
    // With files, a client logs a warning when it is opened.
    Files.createDirectories(directory.resolve("dropped"));
    Files.writeString(directory.resolve("dropped/exit_1.jsonl"), "{}\n");
    ReentrantLock configurationLock = new ReentrantLock();
    Handler locking =
        new Handler() {
          @Override
          public void publish(LogRecord event) {
            configurationLock.lock();
            configurationLock.unlock();
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    Logger logger = Logger.getLogger("com.datanadhi.sdk");
    logger.addHandler(locking);
    Thread opening = new Thread(() -> DataNadhi.shared(directory));
    try {
      // As LogManager.readConfiguration does.
      configurationLock.lock();
      opening.start();
      await().atMost(TIME_LIMIT).until(configurationLock::hasQueuedThreads);
      Thread configuring =
          new Thread(() -> {
            DataNadhiHandler handler = new DataNadhiHandler(directory.toString(), "orders");
            handler.publish(new LogRecord(Level.INFO, "event"));
            handler.close();
          });
      configuring.start();
      configuring.join(TIME_LIMIT.toMillis());
      assertThat(configuring.isAlive()).isFalse();
    } finally {
      configurationLock.unlock();
      opening.join();
      logger.removeHandler(locking);
    }
    await().atMost(TIME_LIMIT).until(() -> main.delivered() == 1);
  }

  /** As the thread of Logback's AsyncAppender, when that is stopped. */
  @Test
  void an_interrupted_thread_opens_the_client_and_keeps_records() throws Exception {
    SharedClient user = newUser();
    DataNadhi.shared(directory).close();
    Thread.currentThread().interrupt();
    assertThat(user.submit(event())).isEqualTo(SubmitResult.ACCEPTED);
    user.close();
    assertThat(Thread.interrupted()).isTrue();
    assertThat(main.delivered()).isEqualTo(1);

    spoil();
    user = newUser();
    Thread.currentThread().interrupt();
    assertThat(user.submit(event())).isEqualTo(SubmitResult.ACCEPTED);
    user.close();
    assertThat(Thread.interrupted()).isTrue();
    assertThat(directory.resolve("dropped"))
        .isDirectoryContaining(file -> file.toString().contains("not_configured"));
  }

  @Test
  void a_kept_event_that_was_changed_is_counted_when_it_is_submitted() throws Exception {
    spoil();
    SharedClient user = newUser();
    assertThat(user.submit(event().with("text", "x".repeat(2 << 20))))
        .isEqualTo(SubmitResult.ACCEPTED);
    assertThat(
            user.submit(
                event()
                    .with(
                        "value",
                        whenEncoded(() -> {
                          throw new IllegalStateException();
                        }))))
        .isEqualTo(SubmitResult.ACCEPTED);
    correct();
    DataNadhi client = DataNadhi.shared(directory);
    assertThat(client.counters().submitted()).isEqualTo(2);
    assertThat(client.counters().truncated()).isEqualTo(1);
    assertThat(client.counters().replacedValues()).isEqualTo(1);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(client.counters().deliveredToMainServer()).isEqualTo(2);
  }

  @Test
  void records_that_were_submitted_leave_space_for_others() throws Exception {
    KeptRecords kept = new KeptRecords(directory);
    String json = "\"" + "x".repeat(1_000_000) + "\"";
    DataNadhi client = DataNadhi.shared(directory);
    for (int round = 1; round <= 2; round++) {
      for (int i = 0; i < 10; i++) {
        kept.add(List.of(), new EncodedPayload(json, 0, false));
      }
      kept.submitTo(client);
      assertThat(client.flush(TIME_LIMIT)).isTrue();
    }
    assertThat(main.delivered()).isEqualTo(20);
  }
}
