package com.datanadhi.sdk.testkit;

import com.datanadhi.sdk.Configuration;
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
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A directory short enough for a socket, a main server, a fallback server; all gone at the end. */
public abstract class SdkTest {
  /** Long enough for a loaded machine. */
  protected static final Duration SOON = Duration.ofSeconds(60);

  protected Path directory;
  protected StubServer main;
  protected StubServer fallback;
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

  protected <T extends AutoCloseable> T use(T closeable) {
    open.push(closeable);
    return closeable;
  }

  /** For this world, with one worker. */
  protected Configuration.Builder configuration() {
    return Configuration.builder(directory)
        .apiKey("test-key")
        .serverHost(main.url())
        .fallbackHost(fallback.url())
        .downloadUrl("http://127.0.0.1:9/echopost")
        .workers(1);
  }

  /** The records in files, oldest file first. */
  protected List<JsonObject> dropped() throws IOException {
    List<JsonObject> records = new ArrayList<>();
    for (Path file : droppedFiles()) {
      for (String line : Files.readAllLines(file)) {
        records.add(JsonParser.parseString(line).getAsJsonObject());
      }
    }
    return records;
  }

  protected List<Path> droppedFiles() throws IOException {
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
