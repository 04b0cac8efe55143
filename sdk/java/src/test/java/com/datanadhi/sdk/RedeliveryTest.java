package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.datanadhi.sdk.testkit.Agents;
import com.datanadhi.sdk.testkit.ApplicationProcess;
import com.datanadhi.sdk.testkit.LogServer.Delivery;
import com.datanadhi.sdk.testkit.SdkLog;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Records in files are delivered without being asked when a destination is available again. */
class RedeliveryTest extends AbstractSdkTest {
  private final Queue<String> logged = new ConcurrentLinkedQueue<>();

  @BeforeEach
  void collectLog() {
    SdkLog unused = closeAfterTest(new SdkLog(message -> logged.add(message.getMessage())));
  }

  private DataNadhiConfiguration.Builder automatic() {
    return configuration().echoPostDisabled(true).redeliverAutomatically(true);
  }

  /** Both servers go down, and the records go into files. */
  private void submitToFiles(DataNadhi client, int from, int to) throws Exception {
    main.goDown();
    fallback.goDown();
    submit(client, from, to);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(client.counters().dropped()).containsEntry("undeliverable", (long) (to - from));
  }

  private List<Path> filesOfAnyName() throws IOException {
    try (Stream<Path> all = Files.list(directory.resolve("dropped"))) {
      return all.filter(file -> file.getFileName().toString().contains(".jsonl")).toList();
    }
  }

  /** A file as other SDKs write it, with the time at which it was last written. */
  private Path foreignFile(String name, Duration age, String text) throws IOException {
    Path file = Files.createDirectories(directory.resolve("dropped")).resolve(name);
    Files.writeString(file, text);
    Files.setLastModifiedTime(
        file, FileTime.fromMillis(System.currentTimeMillis() - age.toMillis()));
    return file;
  }

  private static void assertCountersAddUp(DataNadhi client) {
    Counters end = client.counters();
    assertThat(end.delivered() + end.droppedTotal() + end.lost()).isEqualTo(end.submitted());
    assertThat(end.queueBytes()).isZero();
  }

  @Test
  void files_are_redelivered_in_order_and_under_the_same_keys_when_a_server_is_up()
      throws Exception {
    DataNadhi client = open(automatic());
    submitToFiles(client, 0, 250);
    List<String> keys =
        dropped().stream().map(r -> r.get("idempotency_key").getAsString()).toList();
    assertThat(keys).hasSize(250);
    main.comeUp();
    await().atMost(TIME_LIMIT).until(() -> client.counters().redelivered() == 250);
    assertThat(seqs(main.deliveries())).isEqualTo(range(0, 250));
    assertThat(main.keys()).containsExactlyElementsOf(keys);
    await().atMost(TIME_LIMIT).until(() -> filesOfAnyName().isEmpty());
    client.close();
    assertCountersAddUp(client);
    assertThat(client.counters().droppedTotal()).isEqualTo(250);
  }

  @Test
  void files_of_an_earlier_process_are_redelivered_through_the_fallback_server_or_echopost()
      throws Exception {
    DataNadhi earlier = open(configuration().echoPostDisabled(true));
    submitToFiles(earlier, 0, 50);
    earlier.close();
    fallback.comeUp();
    DataNadhi second = open(automatic());
    await().atMost(TIME_LIMIT).until(() -> second.counters().redelivered() == 50);
    assertThat(seqs(fallback.deliveries())).isEqualTo(range(0, 50));

    submitToFiles(second, 50, 100);
    second.close();
    DataNadhi third = openWithEchoPost(configuration().redeliverAutomatically(true));
    await().atMost(TIME_LIMIT).until(() -> third.counters().redelivered() == 50);
    third.close();
    main.comeUp();
    Agents.drain(directory, main.url());
    assertThat(seqs(main.deliveries())).isEqualTo(range(50, 100));
    assertThat(filesOfAnyName()).isEmpty();
  }

  @Test
  void records_that_the_main_server_rejects_are_not_sent_again_without_being_asked()
      throws Exception {
    DataNadhi client = open(automatic());
    submitToFiles(client, 0, 20);
    main.offerBatches();
    main.onBatch(main.rejectLines(new HashSet<>(List.of(3, 4))));
    // Found by the first deliveries one by one.
    main.answer(422);
    main.comeUp();
    await()
        .atMost(TIME_LIMIT)
        .untilAsserted(() ->
            assertThat(filesOfAnyName())
                .isNotEmpty()
                .allSatisfy(file ->
                    assertThat(file.getFileName().toString())
                        .matches("primary_failed_\\d+.jsonl")));
    assertThat(droppedSeqs()).isEqualTo(range(0, 20));
    assertThat(client.counters().redelivered()).isZero();
    main.answer(200);
    assertThat(client.redeliver()).isEqualTo(new Redelivery(18, 2, 0));
    assertThat(droppedSeqs()).containsExactly(3, 4);
    assertThat(client.counters().redelivered()).isEqualTo(18);
    client.close();
    assertCountersAddUp(client);
  }

  @Test
  void a_line_without_a_key_gets_one_that_stays_and_other_lines_stay() throws Exception {
    Path file =
        foreignFile(
            "exit_%d.jsonl".formatted(System.currentTimeMillis()),
            Duration.ofMinutes(2),
            """
            not a record
            {"pipelines":["a"],"log_data":{"seq":1}}

            {"pipelines":["a"],"log_data":{"seq":2}}\
            """);
    main.goDown();
    fallback.answer(500);
    DataNadhi client = open(automatic().droppedMaxAge(Duration.ofDays(3650)));
    // Sent and refused at least once before it is delivered.
    int seen = fallback.requests();
    await().atMost(TIME_LIMIT).until(() -> fallback.requests() > seen);
    fallback.answer(200);
    await().atMost(TIME_LIMIT).until(() -> client.counters().redelivered() == 2);
    await().atMost(TIME_LIMIT).until(() -> droppedFiles().equals(List.of(file)));
    assertThat(Files.readAllLines(file))
        .filteredOn(line -> !line.isEmpty())
        .containsExactly("not a record");
    assertThat(fallback.keys()).hasSize(2);
  }

  @Test
  void a_file_that_another_sdk_still_writes_is_not_touched() throws Exception {
    Path file = foreignFile("exit_1000000000000.jsonl", Duration.ZERO, "");
    String line = "{\"pipelines\":[\"a\"],\"log_data\":{\"seq\":%d}}\n";
    DataNadhi client = open(automatic());
    try (OutputStream writer = Files.newOutputStream(file)) {
      writer.write(line.formatted(1).getBytes(StandardCharsets.UTF_8));
      // A younger one, so that a pass has come past the older one when it is delivered.
      submitToFiles(client, 3, 4);
      main.comeUp();
      await().atMost(TIME_LIMIT).until(() -> main.delivered() == 1);
      writer.write(line.formatted(2).getBytes(StandardCharsets.UTF_8));
    }
    assertThat(seqs(main.deliveries())).containsExactly(3);
    Files.setLastModifiedTime(
        file, FileTime.fromMillis(System.currentTimeMillis() - Duration.ofMinutes(2).toMillis()));
    await().atMost(TIME_LIMIT).until(() -> filesOfAnyName().isEmpty());
    assertThat(seqs(main.deliveries())).containsExactly(3, 1, 2);
  }

  @Test
  void a_file_that_cannot_be_read_does_not_keep_younger_ones() throws Exception {
    Path dropped = Files.createDirectories(directory.resolve("dropped"));
    Path noFile = Files.createDirectory(dropped.resolve("exit_1.jsonl"));
    // A regular file, which can be opened, but not read.
    Files.createSymbolicLink(
        dropped.resolve("exit_1000000000000.jsonl"), Path.of("/proc/self/mem"));
    DataNadhi client = open(automatic());
    submitToFiles(client, 0, 20);
    main.comeUp();
    await().atMost(TIME_LIMIT).until(() -> client.counters().redelivered() == 20);
    assertThat(seqs(main.deliveries())).isEqualTo(range(0, 20));
    assertThat(logged).anyMatch(message -> message.contains("exit_1000000000000.jsonl"));

    main.goDown();
    submit(client, 20, 30);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    main.comeUp();
    await()
        .atMost(TIME_LIMIT)
        .untilAsserted(
            () -> assertThatThrownBy(client::redeliver).hasMessageContaining("exit_10000000000"));
    await().atMost(TIME_LIMIT).until(() -> client.counters().redelivered() == 30);
    assertThat(noFile).isDirectory();
    Files.delete(noFile);
  }

  @Test
  void files_that_are_too_old_are_deleted_and_counted() throws Exception {
    long now = System.currentTimeMillis();
    String line = "{\"pipelines\":[\"a\"],\"log_data\":{\"seq\":%d}}\n";
    Path unused =
        foreignFile(
            "primary_failed_%d.jsonl".formatted(now - 3_700_000),
            Duration.ofMillis(3_700_000),
            line.formatted(1) + line.formatted(2) + "not a record\n");
    Path young =
        foreignFile(
            "primary_failed_%d.jsonl".formatted(now - 3_700_000 + 1),
            Duration.ofMillis(3_500_000),
            line.formatted(3));
    DataNadhi client = open(configuration().droppedMaxAge(Duration.ofHours(1)));
    await().atMost(TIME_LIMIT).until(() -> client.counters().expired() == 3);
    assertThat(filesOfAnyName()).containsExactly(young);
    assertThat(logged).anyMatch(message -> message.contains("3 records are deleted"));
    assertCountersAddUp(client);
  }

  @Test
  void files_beyond_their_bound_are_not_begun_and_the_records_stay_in_memory() throws Exception {
    main.goDown();
    fallback.goDown();
    DataNadhi client =
        open(
            configuration()
                .echoPostDisabled(true)
                .droppedMaxBytes(1 << 20)
                .queueBytes(1 << 20)
                .exitTimeout(Duration.ofMillis(100)));
    String filling = "x".repeat(50_000);
    SubmitResult result = SubmitResult.ACCEPTED;
    for (int seq = 0; seq < 200 && result.isAccepted(); seq++) {
      result = client.submit(PIPELINES, Map.of("seq", seq, "x", filling), Duration.ofMillis(2_000));
    }
    assertThat(result).isEqualTo(SubmitResult.QUEUE_FULL);
    assertThat(logged).anyMatch(message -> message.contains("dropped.max_bytes"));
    long size = 0;
    for (Path file : filesOfAnyName()) {
      size += Files.size(file);
    }
    assertThat(size).isBetween(1L << 20, 4L << 20);
    int accepted = (int) client.counters().submitted();
    main.comeUp();
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    client.close();
    assertThat(receivedOrDroppedSeqs()).isEqualTo(range(0, accepted));
    assertCountersAddUp(client);
  }

  @Test
  void no_record_is_lost_when_processes_that_redeliver_are_killed() throws Exception {
    DataNadhi earlier = open(configuration().echoPostDisabled(true));
    submitToFiles(earlier, 0, 600);
    earlier.close();
    List<String> keys =
        dropped().stream().map(r -> r.get("idempotency_key").getAsString()).toList();
    main.comeUp();
    main.slow(Duration.ofMillis(5));
    for (int round = 0; round < 4; round++) {
      int before = main.delivered();
      try (ApplicationProcess application =
          ApplicationProcess.start(
              RedeliveringApplication.class.getName(), directory, main.url())) {
        assertThat(application.line()).isEqualTo("open");
        int some = before + 40 + 31 * round;
        await().atMost(TIME_LIMIT).until(() -> main.delivered() >= some);
      }
    }
    main.slow(Duration.ZERO);
    DataNadhi last = open(automatic());
    await().atMost(TIME_LIMIT).until(() -> filesOfAnyName().isEmpty());
    assertThat(main.keys()).containsExactlyInAnyOrderElementsOf(keys);
    // At most the batch that was being sent is sent again.
    assertThat(main.delivered()).isLessThanOrEqualTo(600 + 4 * 100);
    last.close();
    assertCountersAddUp(last);
  }

  @Test
  void two_processes_do_not_redeliver_the_same_records() throws Exception {
    DataNadhi earlier = open(configuration().echoPostDisabled(true));
    submitToFiles(earlier, 0, 600);
    earlier.close();
    main.comeUp();
    main.slow(Duration.ofMillis(2));
    try (ApplicationProcess one =
            ApplicationProcess.start(
                RedeliveringApplication.class.getName(), directory, main.url());
        ApplicationProcess two =
            ApplicationProcess.start(
                RedeliveringApplication.class.getName(), directory, main.url())) {
      assertThat(one.line()).isEqualTo("open");
      assertThat(two.line()).isEqualTo("open");
      await().atMost(TIME_LIMIT).until(() -> filesOfAnyName().isEmpty());
    }
    assertThat(main.deliveries().stream().map(Delivery::seq))
        .containsExactlyInAnyOrderElementsOf(range(0, 600));
  }

  @Test
  void a_redelivery_that_races_close_throws_nothing_and_loses_nothing() throws Exception {
    main.slow(Duration.ofMillis(1));
    fallback.goDown();
    AtomicReference<Exception> thrown = new AtomicReference<>();
    List<Integer> all = new ArrayList<>();
    for (int round = 0; round < 20; round++) {
      main.goDown();
      DataNadhi client = newClient(automatic().build(), TIMEOUTS);
      submit(client, 20 * round, 20 * round + 20);
      all.addAll(range(20 * round, 20 * round + 20));
      assertThat(client.flush(TIME_LIMIT)).isTrue();
      main.comeUp();
      Thread redelivering =
          new Thread(() -> {
            try {
              for (int i = 0; i < 20; i++) {
                client.redeliver();
              }
            } catch (IOException | InterruptedException | RuntimeException unexpected) {
              thrown.set(unexpected);
            }
          });
      redelivering.start();
      client.close();
      redelivering.join(TIME_LIMIT.toMillis());
      assertThat(redelivering.isAlive()).isFalse();
    }
    assertThat(thrown).hasValue(null);
    assertThat(logged).noneMatch(message -> message.contains("RejectedExecution"));
    DataNadhi last = open(configuration().echoPostDisabled(true));
    await()
        .atMost(TIME_LIMIT)
        .until(() -> last.redeliver().kept() == 0 && filesOfAnyName().isEmpty());
    assertThat(main.deliveries().stream().map(Delivery::seq).distinct().sorted()).isEqualTo(all);
  }

  @Test
  void that_no_destination_is_available_is_logged_only_when_none_is() throws Exception {
    fallback.goDown();
    main.slow(Duration.ofMillis(50));
    DataNadhi client = openWithEchoPost(configuration().queueBytes(1 << 17));
    for (int seq = 0; seq < 2_000; seq++) {
      assertThat(client.submit(PIPELINES, Map.of("seq", seq), TIME_LIMIT))
          .isEqualTo(SubmitResult.ACCEPTED);
    }
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    client.close();
    assertCountersAddUp(client);
    assertThat(logged).noneMatch(message -> message.contains("No server is up"));
  }
}
