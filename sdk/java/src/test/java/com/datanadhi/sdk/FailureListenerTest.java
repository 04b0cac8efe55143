package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.sdk.DeliveryFailure.Kind;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The application's listener is told of all failures, and cannot hinder the client. */
class FailureListenerTest extends AbstractSdkTest {
  private final List<DeliveryFailure> told = new CopyOnWriteArrayList<>();

  private DataNadhiConfiguration.Builder configured(FailureListener listener) {
    return configuration().echoPostMode(EchoPostMode.NEVER).failureListener(listener);
  }

  private long records(Kind kind) {
    return told.stream()
        .filter(failure -> failure.kind() == kind)
        .mapToLong(DeliveryFailure::records)
        .sum();
  }

  private List<String> subjects(Kind kind) {
    return told.stream()
        .filter(failure -> failure.kind() == kind)
        .map(DeliveryFailure::subject)
        .distinct()
        .toList();
  }

  @Test
  void it_is_told_of_servers_that_are_down_and_of_records_in_files() throws Exception {
    main.goDown();
    fallback.goDown();
    DataNadhi client = open(configured(told::add));
    submit(client, 0, 20);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    client.close();
    assertThat(records(Kind.KEPT_IN_FILE))
        .isEqualTo(20)
        .isEqualTo(client.counters().droppedTotal());
    assertThat(subjects(Kind.KEPT_IN_FILE))
        .containsExactlyInAnyOrderElementsOf(client.counters().dropped().keySet());
    assertThat(subjects(Kind.SERVER_DOWN))
        .containsExactlyInAnyOrder("main server", "fallback server");
    assertThat(told).allSatisfy(failure -> assertThat(failure.detail()).isNotEmpty());
  }

  @Test
  void it_is_told_of_records_that_the_main_server_rejects() throws Exception {
    main.answer(422);
    DataNadhi client = open(configured(told::add));
    submit(client, 0, 3);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    client.close();
    assertThat(records(Kind.REJECTED)).isEqualTo(3);
    assertThat(records(Kind.KEPT_IN_FILE)).isZero();
    assertThat(told.get(0).detail()).contains("422", droppedFiles().get(0).toString());
  }

  @Test
  void it_is_told_once_of_records_from_files_that_the_main_server_rejects() throws Exception {
    main.goDown();
    fallback.goDown();
    DataNadhi client = open(configured(told::add));
    submit(client, 0, 3);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    main.answer(422);
    main.comeUp();
    await()
        .atMost(TIME_LIMIT)
        .untilAsserted(() -> {
          Redelivery unused = client.redeliver();
          assertThat(dropped()).hasSize(3);
          assertThat(droppedFiles().toString()).contains("primary_failed").doesNotContain("undel");
        });
    // They are sent and rejected again.
    assertThat(client.redeliver()).isEqualTo(new Redelivery(0, 3, 0));
    client.close();
    assertThat(records(Kind.REJECTED)).isEqualTo(3);
    assertThat(subjects(Kind.REJECTED)).containsExactly("primary_failed");
    assertThat(told.get(told.size() - 1).detail())
        .contains("422", droppedFiles().get(0).toString());
  }

  @Test
  void it_is_told_of_an_echopost_that_cannot_be_used() {
    DataNadhi unused = open(configured(told::add).echoPostMode(EchoPostMode.AUTO));
    await()
        .atMost(TIME_LIMIT)
        .untilAsserted(
            () -> assertThat(subjects(Kind.ECHOPOST_UNAVAILABLE)).containsExactly("COOLING_DOWN"));
  }

  @Test
  void it_is_told_of_lost_records_before_close_returns() throws Exception {
    main.goDown();
    fallback.goDown();
    Files.writeString(directory.resolve("dropped"), "a file in place of the directory");
    DataNadhi client = open(configured(told::add).exitTimeout(Duration.ZERO));
    submit(client, 0, 5);
    client.close();
    assertThat(records(Kind.LOST)).isEqualTo(5).isEqualTo(client.counters().lost());
  }

  @Test
  void it_is_told_of_a_hook_that_fails() throws Exception {
    DataNadhi client =
        open(
            configured(told::add)
                .beforeSend((pipelines, payload) -> {
                  throw new IllegalStateException();
                }));
    assertThat(client.submit(PIPELINES, Map.of()).isAccepted()).isTrue();
    client.close();
    assertThat(records(Kind.WITHHELD)).isEqualTo(1);
  }

  @Test
  void a_listener_that_blocks_delays_no_submit_and_gets_the_sum_later() throws Exception {
    main.hang();
    CountDownLatch goOn = new CountDownLatch(1);
    CountDownLatch called = new CountDownLatch(1);
    closeAfterTest(goOn::countDown);
    DataNadhi client =
        open(
            configured(
                    failure -> {
                      told.add(failure);
                      called.countDown();
                      try {
                        goOn.await();
                      } catch (InterruptedException closing) {
                        Thread.currentThread().interrupt();
                      }
                    })
                .queueSize(10));
    // Files would take what the queue cannot: the spill needs the directory.
    Files.writeString(directory.resolve("dropped"), "");
    fallback.goDown();
    long refused = 0;
    while (refused < 10_000) {
      refused += client.submit(PIPELINES, Map.of("seq", 0)).isAccepted() ? 0 : 1;
    }
    assertThat(called.await(60, TimeUnit.SECONDS)).isTrue();
    assertThat(told).hasSize(1);
    assertThat(client.counters().refused()).isEqualTo(refused);

    goOn.countDown();
    await().atMost(TIME_LIMIT).until(() -> records(Kind.REFUSED) == 10_000);
    assertThat(subjects(Kind.REFUSED)).containsExactly("QUEUE_FULL");
    main.comeUp();
  }

  @Test
  void a_listener_that_throws_is_called_again() throws Exception {
    main.answer(422);
    DataNadhi client =
        open(
            configured(failure -> {
              told.add(failure);
              throw new IllegalStateException("a fault of the application");
            }));
    submit(client, 0, 1);
    await().atMost(TIME_LIMIT).until(() -> records(Kind.REJECTED) == 1);
    submit(client, 1, 2);
    await().atMost(TIME_LIMIT).until(() -> records(Kind.REJECTED) == 2);
  }

  @Test
  void a_listener_that_blocks_for_ever_does_not_outlive_the_client() {
    main.answer(422);
    CountDownLatch interrupted = new CountDownLatch(1);
    Thread[] thread = new Thread[1];
    DataNadhi client =
        open(
            configured(failure -> {
              thread[0] = Thread.currentThread();
              try {
                new CountDownLatch(1).await();
              } catch (InterruptedException closing) {
                interrupted.countDown();
              }
            }));
    submit(client, 0, 1);
    await().atMost(TIME_LIMIT).until(() -> thread[0] != null);
    client.close();
    await().atMost(TIME_LIMIT).until(() -> interrupted.getCount() == 0);
    await().atMost(TIME_LIMIT).until(() -> !thread[0].isAlive());
  }

  @Test
  void a_builder_keeps_the_listener() {
    FailureListener listener = told::add;
    assertThat(
            configuration().failureListener(listener).build().toBuilder().build().failureListener())
        .containsSame(listener);
  }
}
