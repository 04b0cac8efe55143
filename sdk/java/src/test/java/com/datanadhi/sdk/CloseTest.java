package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import com.datanadhi.sdk.internal.time.Clock;
import com.datanadhi.sdk.internal.time.Waiter;
import com.datanadhi.sdk.testkit.Agents;
import com.datanadhi.sdk.testkit.FileServer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What a client leaves when it is closed. */
class CloseTest extends AbstractSdkTest {
  /** The threads of the SDK and its libraries, without those that are known. */
  static Set<Thread> threadsBut(Set<Thread> known) {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> !known.contains(thread))
        .filter(thread -> thread.getName().matches("(?i)datanadhi.*|HttpClient.*|grpc.*|okhttp.*"))
        .collect(Collectors.toSet());
  }

  /** The application may hold the closed clients: the threads must not wait for a collection. */
  @Test
  void a_closed_client_leaves_no_threads() throws Exception {
    Agents.install(directory);
    Set<Thread> before = Thread.getAllStackTraces().keySet();
    List<DataNadhi> closed = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      if (i == 25) {
        main.goDown();
      }
      DataNadhi client = newClient(configuration().build(), TIMEOUTS);
      submit(client, i, i + 1);
      assertThat(client.flush(TIME_LIMIT)).isTrue();
      client.close();
      closed.add(client);
    }
    await()
        .atMost(Duration.ofSeconds(10))
        .untilAsserted(() -> assertThat(threadsBut(before)).isEmpty());
    assertThat(main.delivered()).isPositive();
    assertThat(closed).hasSize(50);
  }

  @Test
  void a_redelivery_of_a_closed_client_ends_and_keeps_the_records() throws Exception {
    main.goDown();
    fallback.goDown();
    DataNadhi client = open(configuration().echoPostDisabled(true));
    submit(client, 0, 10);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    client.close();
    main.comeUp();
    Redelivery result = assertTimeoutPreemptively(Duration.ofSeconds(20), client::redeliver);
    assertThat(result).isEqualTo(new Redelivery(0, 10, 0));
    assertThat(droppedSeqs()).isEqualTo(range(0, 10));
  }

  @Test
  void close_ends_every_look_for_a_newer_program() throws Exception {
    FileServer files = closeAfterTest(new FileServer());
    files.serve(FileServer.programPath() + ".sha256", 200, "0".repeat(64).getBytes());
    Path program = directory.resolve("echopost/echopost");
    Files.createDirectories(program.getParent());
    Files.writeString(program, "#!/bin/sh\nsleep 1000\n");
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
    Set<Thread> before = Thread.getAllStackTraces().keySet();
    DataNadhi client =
        closeAfterTest(
            newClient(
                configuration().downloadUrl(files.url()).build(),
                updatedEvery(Duration.ofMillis(200))));
    await().atMost(TIME_LIMIT).until(() -> files.requestedPaths().size() == 1);
    // Another look begins meanwhile, and finds the lock taken.
    Thread.sleep(1_000);
    client.close();
    await()
        .atMost(Duration.ofSeconds(10))
        .untilAsserted(() -> assertThat(threadsBut(before)).isEmpty());
  }

  @Test
  void a_record_that_is_just_being_accepted_is_not_lost() throws Exception {
    CountDownLatch accepting = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    closeAfterTest(goOn::countDown);
    String late = "late-submit";
    Clock clock =
        new Clock() {
          @Override
          public long millis() {
            return Clock.system().millis();
          }

          @Override
          public long nanos() {
            // The queue has counted the record, and does not hold it yet.
            if (Thread.currentThread().getName().equals(late)) {
              accepting.countDown();
              awaitUninterruptibly(goOn);
            }
            return Clock.system().nanos();
          }
        };
    AtomicReference<Thread> submitting = new AtomicReference<>();
    Waiter waiter =
        time -> {
          Waiter.system().sleep(time);
          if (Thread.currentThread().getName().equals("datanadhi-close")) {
            goOn.countDown();
            submitting.get().join();
          }
        };
    DataNadhi client =
        closeAfterTest(
            new DataNadhi(
                configuration().echoPostDisabled(true).exitTimeout(Duration.ZERO).build(),
                TIMEOUTS,
                clock,
                waiter));
    submit(client, 0, 1);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    Thread thread = new Thread(() -> submit(client, 1, 2), late);
    submitting.set(thread);
    thread.start();
    assertThat(accepting.await(60, TimeUnit.SECONDS)).isTrue();
    client.close();
    goOn.countDown();
    thread.join();
    assertThat(client.counters().lost()).isZero();
    assertThat(client.counters().submitted()).isEqualTo(2);
    assertThat(droppedSeqs()).isEqualTo(range(1, 2));
  }

  private static void awaitUninterruptibly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException impossible) {
      throw new AssertionError(impossible);
    }
  }
}
