package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.sdk.internal.echopost.Timeouts;
import com.datanadhi.sdk.internal.time.Clock;
import com.datanadhi.sdk.internal.time.Waiter;
import com.datanadhi.sdk.testkit.Agents;
import com.datanadhi.sdk.testkit.LogServer;
import com.datanadhi.sdk.testkit.LogServer.Delivery;
import com.datanadhi.testkit.Directories;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/**
 * The fixture of tests with a client: a main server, a fallback server, and a directory whose path
 * is short enough for a socket. All of it is removed after each test.
 */
abstract class AbstractSdkTest {
  /** A time limit for conditions, long enough for a loaded machine. */
  static final Duration TIME_LIMIT = Duration.ofSeconds(60);

  static final List<String> PIPELINES = List.of("orders", "audit");

  /** Long time-outs for a loaded machine, and short intervals so that tests are fast. */
  static final Timeouts TIMEOUTS =
      new Timeouts(
          Duration.ofSeconds(30),
          Duration.ofSeconds(30),
          Duration.ofSeconds(2),
          Duration.ofMillis(300),
          Duration.ofSeconds(2),
          Duration.ofMillis(200),
          Duration.ofDays(1));

  /** The same, with a look for a newer program so often. */
  static Timeouts updatedEvery(Duration interval) {
    return new Timeouts(
        TIMEOUTS.start(),
        TIMEOUTS.call(),
        TIMEOUTS.downloadStall(),
        TIMEOUTS.firstCooldown(),
        TIMEOUTS.maxCooldown(),
        TIMEOUTS.backlogCheckInterval(),
        interval);
  }

  Path directory;
  LogServer main;
  LogServer fallback;
  private final Deque<AutoCloseable> toClose = new ArrayDeque<>();

  @BeforeEach
  void startServers() throws IOException {
    directory = Files.createTempDirectory("sdk").toRealPath();
    main = closeAfterTest(LogServer.up());
    fallback = closeAfterTest(LogServer.up());
  }

  @AfterEach
  void closeAll() throws Exception {
    while (!toClose.isEmpty()) {
      toClose.pop().close();
    }
    Agents.killAll(directory);
    Directories.delete(directory);
  }

  <T extends AutoCloseable> T closeAfterTest(T resource) {
    toClose.push(resource);
    return resource;
  }

  /** A configuration for these servers, with one worker. What is in files stays there. */
  DataNadhiConfiguration.Builder configuration() {
    return DataNadhiConfiguration.builder(directory)
        .apiKey("test-key")
        .serverHost(main.url())
        .fallbackHost(fallback.url())
        .downloadUrl("http://127.0.0.1:9/echopost")
        .redeliverAutomatically(false)
        .workers(1);
  }

  DataNadhi open(DataNadhiConfiguration.Builder configuration) {
    return closeAfterTest(newClient(configuration.build(), TIMEOUTS));
  }

  static DataNadhi newClient(DataNadhiConfiguration configuration, Timeouts timeouts) {
    return new DataNadhi(configuration, timeouts, Clock.system(), Waiter.system());
  }

  /** A client for which EchoPost is installed and ready. */
  DataNadhi openWithEchoPost(DataNadhiConfiguration.Builder configuration) throws Exception {
    Agents.install(directory);
    DataNadhi client = open(configuration);
    await().until(() -> client.counters().echoPost().status() == EchoPostState.Status.READY);
    return client;
  }

  static void submit(DataNadhi client, int from, int to) {
    for (int seq = from; seq < to; seq++) {
      assertThat(client.submit(PIPELINES, Map.of("seq", seq))).isEqualTo(SubmitResult.ACCEPTED);
    }
  }

  /** The sequence numbers of the records that were delivered, in order, without duplicates. */
  static List<Integer> seqs(List<Delivery> deliveries) {
    return deliveries.stream().map(Delivery::seq).distinct().toList();
  }

  static List<Integer> range(int from, int to) {
    return IntStream.range(from, to).boxed().toList();
  }

  List<Integer> droppedSeqs() throws IOException {
    return dropped().stream()
        .map(record -> record.getAsJsonObject("log_data").get("seq").getAsInt())
        .toList();
  }

  /** Asserts that every record is at a server or in a file, and that the counters agree. */
  void assertNoRecordIsLost(DataNadhi client, int count) throws Exception {
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    main.comeUp();
    client.close();
    Agents.drain(directory, main.url());
    Counters end = client.counters();
    assertThat(end.delivered() + end.droppedTotal()).isEqualTo(count).isEqualTo(end.submitted());
    assertThat(dropped()).hasSize((int) end.droppedTotal());
    assertThat(receivedOrDroppedSeqs()).isEqualTo(range(0, count));
  }

  /** The sequence numbers of the records that are at a server or in a file, sorted. */
  List<Integer> receivedOrDroppedSeqs() throws Exception {
    List<Integer> all = new ArrayList<>(seqs(main.deliveries()));
    all.addAll(seqs(fallback.deliveries()));
    all.addAll(droppedSeqs());
    return all.stream().distinct().sorted().toList();
  }

  /** The records in files, oldest file first. */
  List<JsonObject> dropped() throws IOException {
    List<JsonObject> records = new ArrayList<>();
    for (Path file : droppedFiles()) {
      for (String line : Files.readAllLines(file)) {
        records.add(JsonParser.parseString(line).getAsJsonObject());
      }
    }
    return records;
  }

  List<Path> droppedFiles() throws IOException {
    Path dropped = directory.resolve("dropped");
    if (!Files.isDirectory(dropped)) {
      return List.of();
    }
    try (Stream<Path> all = Files.list(dropped)) {
      return all.filter(file -> file.toString().endsWith(".jsonl"))
          .sorted((a, b) -> Long.compare(time(a), time(b)))
          .toList();
    }
  }

  private static long time(Path file) {
    return Long.parseLong(file.toString().replaceFirst(".*_(\\d+)\\.jsonl", "$1"));
  }
}
