package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.sdk.internal.echopost.Timeouts;
import com.datanadhi.sdk.testkit.Agents;
import com.datanadhi.sdk.testkit.StubServer;
import com.datanadhi.sdk.testkit.StubServer.Delivery;
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

/** A directory short enough for a socket, a main server, a fallback server; all gone at the end. */
abstract class AbstractSdkTest {
  /** Long enough for a loaded machine. */
  static final Duration SOON = Duration.ofSeconds(60);

  static final List<String> PIPELINES = List.of("orders", "audit");

  /**
   * As applications get it, but that a loaded machine may take its time, and a cool-down is short.
   */
  static final Timeouts TIMEOUTS =
      new Timeouts(
          Duration.ofSeconds(30),
          Duration.ofSeconds(30),
          Duration.ofSeconds(2),
          Duration.ofMillis(300),
          Duration.ofSeconds(2),
          Duration.ofMillis(200));

  Path directory;
  StubServer main;
  StubServer fallback;
  private final Deque<AutoCloseable> open = new ArrayDeque<>();

  @BeforeEach
  void makeTheWorld() throws IOException {
    directory = Files.createTempDirectory("sdk").toRealPath();
    main = use(StubServer.up());
    fallback = use(StubServer.up());
  }

  @AfterEach
  void endTheWorld() throws Exception {
    while (!open.isEmpty()) {
      open.pop().close();
    }
    Agents.killAll(directory);
    Files.walk(directory).sorted((a, b) -> b.compareTo(a)).forEach(path -> path.toFile().delete());
  }

  <T extends AutoCloseable> T use(T closeable) {
    open.push(closeable);
    return closeable;
  }

  /** For this world, with one worker. */
  Configuration.Builder configuration() {
    return Configuration.builder(directory)
        .apiKey("test-key")
        .serverHost(main.url())
        .fallbackHost(fallback.url())
        .downloadUrl("http://127.0.0.1:9/echopost")
        .workers(1);
  }

  DataNadhi open(Configuration.Builder configuration) {
    return use(new DataNadhi(configuration.build(), TIMEOUTS));
  }

  /** A client whose EchoPost is installed and ready. */
  DataNadhi openWithEchoPost(Configuration.Builder configuration) throws Exception {
    Agents.install(directory);
    DataNadhi client = open(configuration);
    await().until(() -> client.counters().echoPost().status() == EchoPostState.Status.READY);
    return client;
  }

  static void submit(DataNadhi client, int from, int to) {
    for (int seq = from; seq < to; seq++) {
      assertThat(client.submit(PIPELINES, Map.of("seq", seq))).isTrue();
    }
  }

  /** The numbers of what was delivered, in order, without repeats. */
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

  /** Every record is at a server or in a file, and the counters say so. */
  void assertNothingIsLost(DataNadhi client, int count) throws Exception {
    assertThat(client.flush(SOON)).isTrue();
    main.comeUp();
    client.close();
    Agents.drain(directory, main.url());
    Counters end = client.counters();
    assertThat(end.delivered() + end.droppedTotal()).isEqualTo(count).isEqualTo(end.submitted());
    assertThat(dropped()).hasSize((int) end.droppedTotal());
    assertThat(everywhere()).isEqualTo(range(0, count));
  }

  /** The numbers of the records that are at a server or in a file, in their order. */
  List<Integer> everywhere() throws Exception {
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
