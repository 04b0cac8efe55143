package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import com.datanadhi.sdk.testkit.Agents;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** More than the world takes. */
class OverflowTest extends AbstractSdkTest {
  @Test
  void at_nine_tenths_the_queue_is_drained_through_the_fallback_server() throws Exception {
    main.hang();
    DataNadhi client = open(configuration().echoPostDisabled(true).queueSize(200));
    submit(client, 0, 185);
    await().atMost(SOON).until(() -> fallback.delivered() >= 150);
    // Down to a tenth and no further: the worker waits for the main server with what is left.
    await().atMost(SOON).until(() -> client.counters().queueDepth() <= 20);
    assertThat(seqs(fallback.deliveries())).isEqualTo(range(0, fallback.delivered()));
    assertThat(client.counters().dropped()).isEmpty();
    main.goDown();
    assertThat(client.flush(SOON)).isTrue();
    assertThat(seqs(fallback.deliveries())).isEqualTo(range(0, 185));
  }

  @Test
  void what_the_drain_is_refused_is_kept_in_a_file() throws Exception {
    main.hang();
    fallback.answer(400);
    DataNadhi client = open(configuration().echoPostDisabled(true).queueSize(200));
    submit(client, 0, 185);
    await()
        .atMost(SOON)
        .until(() -> client.counters().dropped().getOrDefault("drain_worker_failed", 0L) >= 100);
  }

  @Test
  void with_everything_hanging_nothing_is_lost_and_a_full_queue_says_no() throws Exception {
    main.hang();
    fallback.hang();
    DataNadhi client =
        open(
            configuration()
                .echoPostDisabled(true)
                .queueSize(100)
                .exitTimeout(Duration.ofMillis(100)));
    int taken = 0;
    for (int seq = 0; taken < 1000; seq++) {
      if (client.submit(PIPELINES, Map.of("seq", seq))) {
        taken++;
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
  void a_directory_that_cannot_be_written_to_keeps_records_in_memory_until_it_can()
      throws Exception {
    main.goDown();
    fallback.goDown();
    // Root may write to any directory, but not below a file.
    Path dropped = Files.writeString(directory.resolve("dropped"), "");
    DataNadhi client = open(configuration().echoPostDisabled(true));
    submit(client, 0, 50);
    assertThat(client.flush(Duration.ofMillis(500))).isFalse();
    Files.delete(dropped);
    assertThat(client.flush(SOON)).isTrue();
    assertThat(droppedSeqs()).isEqualTo(range(0, 50));
    client.close();
    assertThat(client.counters().lost()).isZero();
  }

  @Test
  void what_cannot_even_be_written_at_the_end_is_counted_as_lost() throws Exception {
    main.goDown();
    fallback.goDown();
    Files.writeString(directory.resolve("dropped"), "");
    DataNadhi client =
        open(configuration().echoPostDisabled(true).exitTimeout(Duration.ofMillis(50)));
    submit(client, 0, 5);
    client.close();
    assertThat(client.counters().lost()).isEqualTo(5);
  }

  @Test
  void order_holds_on_each_way_through_a_flapping_world_and_nothing_is_lost() throws Exception {
    int records = Integer.getInteger("sdk.records", 100_000);
    DataNadhi client = openWithEchoPost(configuration());
    for (int seq = 0; seq < records; ) {
      if (seq % (records / 32) == 0) {
        flap(client, seq / (records / 32));
      }
      awaitSomeRoom(client);
      while (!client.submit(PIPELINES, Map.of("seq", seq))) {
        LockSupport.parkNanos(200_000);
      }
      seq++;
    }
    main.answer(200);
    main.comeUp();
    fallback.comeUp();
    assertThat(client.flush(SOON)).isTrue();
    client.close();
    Counters end = client.counters();
    System.out.println("Through a flapping world: " + end);
    assertThat(end.submitted()).isEqualTo(records);
    assertThat(end.lost()).isZero();
    assertThat(end.deliveredToMainServer()).isPositive();
    assertThat(end.deliveredToEchoPost()).isPositive();
    assertThat(end.deliveredToFallback()).isPositive();
    assertThat(end.delivered() + end.droppedTotal()).isEqualTo(records);
    assertThat(dropped()).hasSize((int) end.droppedTotal());

    // The last to be killed may have been the last agent, which has nobody to start it any more.
    assertTimeoutPreemptively(SOON.multipliedBy(2), () -> Agents.drain(directory, main.url()));
    Map<String, Integer> seqs = new HashMap<>();
    Stream.concat(main.deliveries().stream(), fallback.deliveries().stream())
        .forEach(d -> seqs.merge(d.key(), d.seq(), OverflowTest::same));
    dropped()
        .forEach(record ->
            seqs.merge(
                record.get("idempotency_key").getAsString(),
                record.getAsJsonObject("log_data").get("seq").getAsInt(),
                OverflowTest::same));
    // So many keys, one for each record: whatever came again came under its own.
    assertThat(seqs).hasSize(records);
    assertThat(seqs.values().stream().distinct()).hasSize(records);
    assertThat(firsts(fallback.deliveries().stream().map(d -> d.seq()).toList())).isSorted();
    assertThat(firsts(droppedSeqs())).hasSize((int) end.droppedTotal());
    // What EchoPost held back comes to the main server later, in an order of its own.
    List<Integer> direct =
        main.deliveries().stream().filter(d -> !d.fromAgent()).map(d -> d.seq()).toList();
    List<Integer> held =
        main.deliveries().stream().filter(d -> d.fromAgent()).map(d -> d.seq()).toList();
    assertThat(firsts(direct)).isSorted();
    assertThat(firsts(held)).isSorted();
  }

  /** As an application that logs less than all it can; but not one that waits for a server. */
  private static void awaitSomeRoom(DataNadhi client) {
    for (int i = 0; i < 20 && client.counters().queueDepth() > 800; i++) {
      LockSupport.parkNanos(200_000);
    }
  }

  /** The next world, once the one before has been met. */
  private void flap(DataNadhi client, int round) throws Exception {
    Counters before = client.counters();
    switch (round % 8) {
      case 0 -> main.goDown();
      case 1 -> {
        waitAWhile(() -> client.counters().deliveredToEchoPost() > before.deliveredToEchoPost());
        Agents.killOnce(directory);
      }
      case 2 -> fallback.goDown();
      case 3 -> fallback.comeUp();
      case 4 -> main.comeUp();
      case 5 -> {
        waitAWhile(
            () -> client.counters().deliveredToMainServer() > before.deliveredToMainServer());
        main.hang();
      }
      case 6 -> main.comeUp();
      default -> main.answer(round % 16 == 7 ? 503 : 200);
    }
  }

  /** Worlds need not be met; most are. */
  private static void waitAWhile(java.util.function.BooleanSupplier met)
      throws InterruptedException {
    for (int i = 0; i < 200 && !met.getAsBoolean(); i++) {
      Thread.sleep(50);
    }
  }

  private static Integer same(Integer seq, Integer again) {
    assertThat(again).isEqualTo(seq);
    return seq;
  }

  private static List<Integer> firsts(List<Integer> seqs) {
    return seqs.stream().distinct().toList();
  }
}
