package com.datanadhi.echopost.operator.command;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.buffer.Appended;
import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.buffer.BufferListener;
import com.datanadhi.echopost.buffer.Rejections;
import com.datanadhi.echopost.buffer.Sqlite;
import com.datanadhi.echopost.cli.ExitCode;
import com.datanadhi.echopost.operator.print.Terminal;
import com.datanadhi.echopost.time.ManualClock;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Runs commands in this process, on real buffers without an agent.
abstract class CommandFixture {
  private static final JsonMapper JSON = new JsonMapper();

  @TempDir private Path directory;
  @TempDir Path elsewhere;

  /// The agent's directory on which the next command is run.
  Path target;

  /// The standard input of the next command.
  byte[] in = {};

  /// Answers the next command's question; null if there is no terminal.
  @Nullable UnaryOperator<String> answer;

  /// Whether standard output is a terminal with colours.
  boolean isTerminal;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @BeforeEach
  void startInTheDirectory() {
    target = directory;
  }

  /// Runs a command on [#target] and checks its exit status.
  ///
  /// @return its standard output
  String run(ExitCode expected, String line) throws Exception {
    return runExactly(expected, line + " -datanadhi " + target);
  }

  /// Runs a command on [#target], which must succeed.
  String run(String line) throws Exception {
    return run(ExitCode.DONE, line);
  }

  /// Runs a command without adding the flag `-datanadhi`. It must succeed.
  String runWithoutDirectory(String line) throws Exception {
    return runExactly(ExitCode.DONE, line);
  }

  private String runExactly(ExitCode expected, String line) throws Exception {
    out.reset();
    err.reset();
    List<String> words = List.of(line.split(" "));
    Terminal terminal =
        new Terminal(
            new ByteArrayInputStream(in),
            new PrintStream(out, false, UTF_8),
            new PrintStream(err, true, UTF_8),
            answer,
            isTerminal,
            isTerminal);
    assertThat(Commands.run(words.getFirst(), words.subList(1, words.size()), terminal))
        .isEqualTo(expected);
    return standardOutput();
  }

  String standardOutput() {
    return out.toString(UTF_8);
  }

  byte[] standardOutputBytes() {
    return out.toByteArray();
  }

  String standardError() {
    return err.toString(UTF_8);
  }

  void createBuffer(String... payloads) throws Exception {
    try (Buffer buffer = Buffer.open(target, new ManualClock(), BufferListener.NONE)) {
      Appended.store(buffer, payloads);
    }
  }

  /// Creates a buffer with three rejected records, the second with another status.
  void createBufferWithRejectedRecords() throws Exception {
    createBuffer("{\"a\":1}", "{\"b\":\n[31m2}", "{\"c\":3}");
    Rejections.rejectAll(target, 422);
    execute("UPDATE rejected SET status=400 WHERE id=2");
  }

  void execute(String statement) throws Exception {
    try (Sqlite sqlite = new Sqlite(target)) {
      sqlite.execute(statement);
    }
  }

  String query(String sql) throws Exception {
    try (Sqlite sqlite = new Sqlite(target)) {
      return sqlite.query(sql);
    }
  }

  String ledger() throws Exception {
    return query(
        "SELECT accepted||' '||delivered||' '||pending||' '||rejected||' '||discarded FROM ledger");
  }

  static String[] payloads(int count) {
    return IntStream.rangeClosed(1, count)
        .mapToObj(n -> "{\"n\":" + n + "}")
        .toArray(String[]::new);
  }

  static JsonNode json(String line) {
    return JSON.readTree(line);
  }
}
