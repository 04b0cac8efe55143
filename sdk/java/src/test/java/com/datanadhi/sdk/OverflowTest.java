package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import com.datanadhi.sdk.testkit.Agents;
import com.datanadhi.sdk.testkit.ApplicationProcess;
import com.datanadhi.testkit.Polling;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Records that arrive faster than they can be delivered. */
class OverflowTest extends AbstractSdkTest {
  @Test
  void a_queue_that_is_90_percent_full_is_drained_to_the_fallback_server() throws Exception {
    main.hang();
    DataNadhi client = open(configuration().echoPostDisabled(true).queueSize(200));
    submit(client, 0, 185);
    await().atMost(TIME_LIMIT).until(() -> fallback.delivered() >= 150);
    // The drain stops at 10 %: the worker waits for the main server with the rest.
    await().atMost(TIME_LIMIT).until(() -> client.counters().queueDepth() <= 20);
    assertThat(seqs(fallback.deliveries())).isEqualTo(range(0, fallback.delivered()));
    assertThat(client.counters().dropped()).isEmpty();
    main.goDown();
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(seqs(fallback.deliveries())).isEqualTo(range(0, 185));
  }

  @Test
  void a_queue_that_is_90_percent_full_is_drained_to_echopost_if_the_fallback_server_is_down()
      throws Exception {
    fallback.goDown();
    // The server is up, but too slow for so many records one by one.
    main.slow(Duration.ofMillis(100));
    DataNadhi client = openWithEchoPost(configuration().queueSize(200));
    submit(client, 0, 185);
    await().atMost(TIME_LIMIT).until(() -> client.counters().deliveredToEchoPost() >= 150);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(client.counters().dropped()).isEmpty();
    main.slow(Duration.ZERO);
    assertNoRecordIsLost(client, 185);
  }

  @Test
  void a_burst_of_5000_records_is_accepted_while_everything_is_up() throws Exception {
    main.offerBatches();
    main.slow(Duration.ofMillis(50));
    DataNadhi client = openWithEchoPost(configuration().workers(2));
    submit(client, 0, 5_000);
    assertThat(client.counters().refused()).isZero();
    assertNoRecordIsLost(client, 5_000);
    assertThat(client.counters().dropped()).isEmpty();
  }

  @Test
  void a_refusal_tells_its_reason() throws Exception {
    main.hang();
    fallback.hang();
    Files.writeString(directory.resolve("dropped"), "");
    DataNadhi client =
        open(configuration().echoPostDisabled(true).queueBytes(1 << 16).exitTimeout(Duration.ZERO));
    String filling = "x".repeat(10_000);
    for (int seq = 0; seq < 6; seq++) {
      assertThat(client.submit(PIPELINES, Map.of("seq", seq, "x", filling)))
          .isEqualTo(SubmitResult.ACCEPTED);
    }
    Map<String, ?> seventh = Map.of("seq", 6, "x", filling);
    assertThat(client.submit(PIPELINES, seventh)).isEqualTo(SubmitResult.QUEUE_FULL);
    assertThat(client.submit(PIPELINES, seventh, Duration.ofMillis(20)))
        .isEqualTo(SubmitResult.QUEUE_FULL);
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> client.submit(PIPELINES, seventh, Duration.ofDays(1)))
        .isInstanceOf(InterruptedException.class);
    client.close();
    assertThat(client.submit(PIPELINES, seventh)).isEqualTo(SubmitResult.CLOSED);
    Counters end = client.counters();
    assertThat(end.refused()).isEqualTo(4);
    assertThat(end.lost()).isEqualTo(6).isEqualTo(end.submitted());
  }

  @Test
  void a_submit_that_may_wait_gets_the_space_that_a_delivery_frees() throws Exception {
    main.slow(Duration.ofMillis(20));
    fallback.goDown();
    Files.writeString(directory.resolve("dropped"), "");
    DataNadhi client = open(configuration().echoPostDisabled(true).queueBytes(1 << 16));
    String filling = "x".repeat(20_000);
    for (int seq = 0; seq < 20; seq++) {
      assertThat(client.submit(PIPELINES, Map.of("seq", seq, "x", filling), TIME_LIMIT))
          .isEqualTo(SubmitResult.ACCEPTED);
    }
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(seqs(main.deliveries())).containsExactlyInAnyOrderElementsOf(range(0, 20));
  }

  @Test
  void records_that_need_more_than_the_space_left_do_not_block_the_queue() throws Exception {
    main.hang();
    fallback.goDown();
    DataNadhi client =
        open(configuration().echoPostDisabled(true).queueBytes(1 << 20).exitTimeout(Duration.ZERO));
    // Four of them do not fit, and three fill less than the share at which files are written.
    String filling = "x".repeat(300_000);
    for (int seq = 0; seq < 20; seq++) {
      assertThat(client.submit(PIPELINES, Map.of("seq", seq, "x", filling), TIME_LIMIT))
          .isEqualTo(SubmitResult.ACCEPTED);
    }
    client.close();
    assertThat(client.counters().droppedTotal()).isEqualTo(20);
    assertThat(droppedSeqs()).containsExactlyInAnyOrderElementsOf(range(0, 20));
  }

  @Test
  void large_records_that_cannot_be_sent_do_not_exhaust_a_heap_of_64_MiB() throws Exception {
    main.hang();
    assertThat(countersOfLargeRecords()).isEqualTo("200 0 200 0");
  }

  @Test
  void large_records_that_are_sent_do_not_exhaust_a_heap_of_64_MiB() throws Exception {
    main.offerBatches();
    String[] counters = countersOfLargeRecords().split(" ");
    assertThat(counters[0]).isEqualTo("200");
    assertThat(Integer.parseInt(counters[1]) + Integer.parseInt(counters[2])).isEqualTo(200);
    assertThat(counters[3]).isEqualTo("0");
  }

  /** Records that were submitted, delivered, written to files and lost. */
  private String countersOfLargeRecords() throws Exception {
    try (ApplicationProcess application =
        ApplicationProcess.startWithSmallHeap(
            LargeRecordsApplication.class.getName(), "64m", directory.resolve("app"), main)) {
      String counters = application.line();
      assertThat(application.exits()).isTrue();
      return counters;
    }
  }

  @Test
  void the_results_of_submit_are_marked_as_not_to_be_ignored() {
    assertThat(DataNadhi.class.getMethods())
        .filteredOn(method -> method.getName().startsWith("submit"))
        .hasSize(3)
        .allSatisfy(method ->
            assertThat(method.getAnnotations())
                .anyMatch(
                    mark -> mark.annotationType().getSimpleName().equals("CheckReturnValue")));
  }

  @Test
  void a_drained_batch_that_is_rejected_is_kept_in_a_file() throws Exception {
    main.hang();
    fallback.answer(400);
    DataNadhi client = open(configuration().echoPostDisabled(true).queueSize(200));
    submit(client, 0, 185);
    await()
        .atMost(TIME_LIMIT)
        .until(() -> client.counters().dropped().getOrDefault("drain_worker_failed", 0L) >= 100);
  }

  @Test
  void no_record_is_lost_while_both_servers_hang_and_a_full_queue_refuses_records()
      throws Exception {
    main.hang();
    fallback.hang();
    DataNadhi client =
        open(
            configuration()
                .echoPostDisabled(true)
                .queueSize(100)
                .exitTimeout(Duration.ofMillis(100)));
    int accepted = 0;
    for (int seq = 0; accepted < 1000; seq++) {
      if (client.submit(PIPELINES, Map.of("seq", seq)).isAccepted()) {
        accepted++;
      }
    }
    assertThat(client.counters().queueDepth()).isLessThanOrEqualTo(300);
    client.close();
    Counters end = client.counters();
    assertThat(end.submitted()).isEqualTo(1000);
    assertThat(end.droppedTotal()).isEqualTo(1000);
    assertThat(dropped()).hasSize(1000);
  }

  @Test
  void records_stay_in_memory_until_a_file_can_be_written() throws Exception {
    main.goDown();
    fallback.goDown();
    // A file in place of the directory: root can write to any directory.
    Path dropped = Files.writeString(directory.resolve("dropped"), "");
    DataNadhi client = open(configuration().echoPostDisabled(true));
    submit(client, 0, 50);
    assertThat(client.flush(Duration.ofMillis(500))).isFalse();
    Files.delete(dropped);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(droppedSeqs()).isEqualTo(range(0, 50));
    client.close();
    assertThat(client.counters().lost()).isZero();
  }

  @Test
  void records_that_cannot_be_written_on_close_are_counted_as_lost() throws Exception {
    main.goDown();
    fallback.goDown();
    Files.writeString(directory.resolve("dropped"), "");
    DataNadhi client =
        open(configuration().echoPostDisabled(true).exitTimeout(Duration.ofMillis(50)));
    submit(client, 0, 5);
    client.close();
    assertThat(client.counters().lost()).isEqualTo(5);
  }

  @ParameterizedTest(name = "batches: {0}")
  @ValueSource(booleans = {false, true})
  void no_record_is_lost_or_reordered_while_servers_and_agents_fail_and_recover(boolean batches)
      throws Exception {
    if (batches) {
      main.offerBatches();
    }
    int records = Integer.getInteger("sdk.records", 100_000);
    DataNadhi client = openWithEchoPost(configuration().queueSize(1_000));
    for (int seq = 0; seq < records; ) {
      int round = seq / (records / 32);
      if (seq % (records / 32) == 0) {
        changeScenario(client, round);
      }
      if (round % 8 == 4) {
        // Records still come when the client's next probe finds the main server up.
        LockSupport.parkNanos(500_000);
      }
      awaitSpaceInQueue(client);
      Map<String, Integer> data = Map.of("seq", seq);
      Polling.until(
          () -> client.submit(PIPELINES, data).isAccepted(),
          Duration.ofNanos(200_000),
          TIME_LIMIT,
          () -> "the queue stays full: " + client.counters());
      seq++;
    }
    main.answer(200);
    main.comeUp();
    fallback.comeUp();
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    client.close();
    Counters end = client.counters();
    System.out.println("With failing servers and agents: " + end);
    assertThat(end.submitted()).isEqualTo(records);
    assertThat(end.lost()).isZero();
    assertThat(end.deliveredToMainServer()).isPositive();
    assertThat(end.deliveredToEchoPost()).isPositive();
    assertThat(end.deliveredToFallback()).isPositive();
    assertThat(end.delivered() + end.droppedTotal()).isEqualTo(records);
    assertThat(dropped()).hasSize((int) end.droppedTotal());

    // The last agent may have been killed, and the closed client starts no other.
    assertTimeoutPreemptively(
        TIME_LIMIT.multipliedBy(2), () -> Agents.drain(directory, main.url()));
    Map<String, Integer> seqs = new HashMap<>();
    Stream.concat(main.deliveries().stream(), fallback.deliveries().stream())
        .forEach(d -> seqs.merge(d.key(), d.seq(), OverflowTest::requireSame));
    dropped()
        .forEach(record ->
            seqs.merge(
                record.get("idempotency_key").getAsString(),
                record.getAsJsonObject("log_data").get("seq").getAsInt(),
                OverflowTest::requireSame));
    // One key per record: a record that arrived twice had the same key.
    assertThat(seqs).hasSize(records);
    assertThat(seqs.values().stream().distinct()).hasSize(records);
    assertThat(withoutDuplicates(fallback.deliveries().stream().map(d -> d.seq()).toList()))
        .isSorted();
    assertThat(withoutDuplicates(droppedSeqs())).hasSize((int) end.droppedTotal());
    // The agent delivers its records later, in order among themselves.
    List<Integer> direct =
        main.deliveries().stream().filter(d -> !d.fromAgent()).map(d -> d.seq()).toList();
    List<Integer> fromAgent =
        main.deliveries().stream().filter(d -> d.fromAgent()).map(d -> d.seq()).toList();
    assertThat(withoutDuplicates(direct)).isSorted();
    assertThat(withoutDuplicates(fromAgent)).isSorted();
  }

  /**
   * Slows the submitting thread down, but for at most 4 ms, so that it does not wait for servers.
   */
  private static void awaitSpaceInQueue(DataNadhi client) {
    for (int i = 0; i < 20 && client.counters().queueDepth() > 800; i++) {
      LockSupport.parkNanos(200_000);
    }
  }

  /** Changes what the servers and the agent do, after records have met the scenario before. */
  private void changeScenario(DataNadhi client, int round) throws Exception {
    Counters before = client.counters();
    switch (round % 8) {
      case 0 -> main.goDown();
      case 1 -> {
        awaitIfPossible(
            () -> client.counters().deliveredToEchoPost() > before.deliveredToEchoPost());
        Agents.killOnce(directory);
      }
      case 2 -> fallback.goDown();
      case 3 -> fallback.comeUp();
      case 4 -> main.comeUp();
      case 5 -> {
        awaitIfPossible(
            () -> client.counters().deliveredToMainServer() > before.deliveredToMainServer());
        main.hang();
      }
      case 6 -> main.comeUp();
      default -> main.answer(round % 16 == 7 ? 503 : 200);
    }
  }

  /** Waits for at most 10 s; the scenario changes even if no record has met it. */
  private static void awaitIfPossible(Callable<Boolean> condition) {
    try {
      await()
          .pollDelay(Duration.ZERO)
          .pollInterval(Duration.ofMillis(50))
          .atMost(Duration.ofSeconds(10))
          .until(condition);
    } catch (ConditionTimeoutException unmet) {
      // No record has met the scenario.
      return;
    }
  }

  private static Integer requireSame(Integer seq, Integer again) {
    assertThat(again).isEqualTo(seq);
    return seq;
  }

  private static List<Integer> withoutDuplicates(List<Integer> seqs) {
    return seqs.stream().distinct().toList();
  }
}
