package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.sdk.internal.files.DroppedFiles;
import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import com.datanadhi.sdk.internal.time.Clock;
import com.datanadhi.sdk.internal.time.ManualTime;
import com.datanadhi.sdk.internal.time.Waiter;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import javax.management.ObjectName;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A client whose start takes long, because a handler of the logging library does not return. */
class SlowStartTest extends AbstractSdkTest {
  private static final Logger SDK_LOGGER = Logger.getLogger("com.datanadhi.sdk");

  private final Queue<String> logged = new ConcurrentLinkedQueue<>();
  private final CountDownLatch logging = new CountDownLatch(1);
  private final CountDownLatch startCanGoOn = new CountDownLatch(1);
  private final Handler blocking =
      new Handler() {
        @Override
        public void publish(LogRecord event) {
          logged.add(event.getMessage());
          if (!event.getMessage().contains("undelivered records")) {
            return;
          }
          logging.countDown();
          try {
            startCanGoOn.await();
          } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
          }
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
      };

  /** With files, the start logs a warning. */
  @BeforeEach
  void blockTheStart() throws Exception {
    Path unused =
        new DroppedFiles(directory, 1 << 20, any -> 0, Clock.system(), Waiter.system())
            .write("exit", List.of(new OutgoingRecord(PIPELINES, "{\"seq\":100}", "key-100")));
    SDK_LOGGER.addHandler(blocking);
  }

  @AfterEach
  void letTheStartGoOn() {
    startCanGoOn.countDown();
    SDK_LOGGER.removeHandler(blocking);
  }

  /** Opens a client that has space for six records of {@link #fill}. */
  private DataNadhi openBlocked(DataNadhiConfiguration.Builder configuration) throws Exception {
    DataNadhi client =
        open(configuration.echoPostDisabled(true).queueBytes(1 << 16).exitTimeout(Duration.ZERO));
    logging.await();
    return client;
  }

  private static SubmitResult submit(DataNadhi client, int seq) {
    return client.submit(PIPELINES, Map.of("seq", seq, "text", "x".repeat(10_000)));
  }

  private static void fill(DataNadhi client) {
    for (int seq = 0; seq < 6; seq++) {
      assertThat(submit(client, seq)).isEqualTo(SubmitResult.ACCEPTED);
    }
    assertThat(submit(client, 6)).isEqualTo(SubmitResult.QUEUE_FULL);
    assertThat(client.counters().queueBytes()).isBetween(60_000L, 65_536L);
  }

  /** Submits a record on another thread, which waits for space. */
  private static CompletableFuture<SubmitResult> submitWaiting(DataNadhi client) {
    CompletableFuture<SubmitResult> result = new CompletableFuture<>();
    Thread waiting =
        new Thread(() -> {
          try {
            result.complete(
                client.submit(
                    PIPELINES,
                    Map.of("seq", 6, "text", "x".repeat(10_000)),
                    Duration.ofMinutes(10)));
          } catch (InterruptedException | RuntimeException failed) {
            result.completeExceptionally(failed);
          }
        });
    waiting.start();
    await().atMost(TIME_LIMIT).until(() -> waiting.getState() == Thread.State.TIMED_WAITING);
    return result;
  }

  @Test
  void records_wait_for_it_and_those_in_files_are_then_sent_again() throws Exception {
    DataNadhi client = openBlocked(configuration().redeliverAutomatically(true));
    fill(client);
    CompletableFuture<SubmitResult> waiting = submitWaiting(client);
    assertThat(client.flush(Duration.ofMillis(10))).isFalse();
    assertThat(main.delivered()).isZero();

    startCanGoOn.countDown();
    assertThat(waiting.get()).isEqualTo(SubmitResult.ACCEPTED);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    // The queue is full when the start is done, so that it is drained to the fallback server too.
    await()
        .atMost(TIME_LIMIT)
        .untilAsserted(() -> {
          assertThat(client.counters().redelivered()).isPositive();
          assertThat(droppedFiles()).isEmpty();
          assertThat(receivedOrDroppedSeqs()).containsExactly(0, 1, 2, 3, 4, 5, 6, 100);
        });
    assertThat(client.counters().queueBytes()).isZero();
  }

  @Test
  void a_client_that_is_closed_meanwhile_writes_its_records_to_a_file() throws Exception {
    DataNadhi client = openBlocked(configuration());
    fill(client);
    CompletableFuture<SubmitResult> waiting = submitWaiting(client);
    client.close();
    assertThat(logged).anyMatch(message -> message.contains("6 records are kept in"));
    assertThat(waiting.get()).isEqualTo(SubmitResult.CLOSED);
    Counters end = client.counters();
    assertThat(end.submitted()).isEqualTo(6);
    assertThat(end.refused()).isEqualTo(2);
    assertThat(end.dropped()).isEqualTo(Map.of("exit", 6L));
    assertThat(end.lost()).isZero();
    assertThat(end.queueBytes()).isZero();
    assertThat(droppedSeqs()).containsExactlyInAnyOrder(0, 1, 2, 3, 4, 5, 100);
  }

  @Test
  void a_close_waits_for_it_as_long_as_the_exit_time_out() throws Exception {
    ManualTime time = new ManualTime();
    DataNadhi client =
        closeAfterTest(
            new DataNadhi(
                configuration().echoPostDisabled(true).exitTimeout(Duration.ofSeconds(3)).build(),
                TIMEOUTS,
                time,
                time));
    logging.await();
    submit(client, 0, 3);
    client.close();
    assertThat(time.elapsed()).isBetween(Duration.ofSeconds(3), Duration.ofMillis(3_100));
    assertThat(client.counters().dropped()).isEqualTo(Map.of("exit", 3L));
  }

  @Test
  void a_start_that_is_done_after_the_close_leaves_no_threads_and_no_counters() throws Exception {
    Set<Thread> before = Thread.getAllStackTraces().keySet();
    DataNadhi client = openBlocked(configuration());
    assertThat(registered()).hasSize(1);
    client.close();
    startCanGoOn.countDown();
    await()
        .atMost(TIME_LIMIT)
        .untilAsserted(() -> {
          assertThat(registered()).isEmpty();
          assertThat(CloseTest.threadsBut(before)).isEmpty();
        });
  }

  private Set<ObjectName> registered() throws Exception {
    return ManagementFactory.getPlatformMBeanServer()
        .queryNames(
            new ObjectName(
                "com.datanadhi.sdk:directory=" + ObjectName.quote("" + directory) + ",*"),
            null);
  }

  @Test
  void files_do_not_become_larger_than_their_bound_then() throws Exception {
    Path large = directory.resolve("dropped/queue_full_1.jsonl");
    Files.writeString(large, "x".repeat(1 << 20));
    DataNadhi client = openBlocked(configuration().droppedMaxBytes(1 << 20));
    fill(client);
    int files = droppedFiles().size();
    client.close();
    Counters end = client.counters();
    assertThat(end.droppedTotal()).isZero();
    assertThat(end.lost()).isEqualTo(6).isEqualTo(end.submitted());
    assertThat(end.queueBytes()).isZero();
    assertThat(droppedFiles()).hasSize(files);
  }
}
