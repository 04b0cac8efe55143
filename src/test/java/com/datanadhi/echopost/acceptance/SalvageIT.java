package com.datanadhi.echopost.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.buffer.Rejections;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.testkit.AgentProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Buffers that were damaged while no agent ran, with the packaged program.
class SalvageIT extends AcceptanceTest {
  private static void garbageHeader(Path file) throws IOException {
    try (var out = Files.newByteChannel(file, StandardOpenOption.WRITE)) {
      int _ =
          out.write(
              java.nio.ByteBuffer.wrap("nothing ".repeat(12).getBytes(StandardCharsets.UTF_8)));
    }
  }

  /// Stops the agent first, since its write-ahead log can contain a copy of the header.
  private void damageAfter(AgentProcess agent) throws Exception {
    agent.terminate();
    assertThat(agent.awaitExit(SOON)).isEqualTo(4);
    garbageHeader(directory.resolve("buffer.db"));
  }

  @Test
  void the_undamaged_records_of_a_damaged_buffer_are_delivered_in_order_and_the_exit_status_is_1()
      throws Exception {
    AgentProcess first = agent();
    send(first, load(20_000, 1));
    damageAfter(first);
    AgentProcess second = agent();
    server.comeUp();
    int exit = second.awaitExit(SOON.multipliedBy(2));

    assertThat(exit).isEqualTo(1);
    assertInOrder(0, 20_000);
    assertThat(server.count()).isEqualTo(20_000);
    assertThat(second.hasLogged(EventNames.BUFFER_DAMAGED)).isTrue();
    assertThat(second.hasLogged(EventNames.SALVAGE_COMPLETED)).isTrue();
    assertThat(query("SELECT accepted||' '||delivered||' '||rejected FROM meta"))
        .isEqualTo("20000 20000 0");
  }

  @Test
  void a_kill_during_a_salvage_neither_loses_nor_duplicates_records() throws Exception {
    AgentProcess first = agent();
    send(first, load(30_000, 1));
    damageAfter(first);
    for (int kill = 0; kill < 3; kill++) {
      AgentProcess killed = agent();
      killed.kill();
    }
    AgentProcess last = agent();
    server.comeUp();

    assertThat(last.awaitExit(SOON.multipliedBy(3))).isEqualTo(1);
    assertInOrder(0, 30_000);
    assertThat(server.count()).isEqualTo(30_000);
  }

  @Test
  void the_command_salvages_a_file_from_elsewhere() throws Exception {
    AgentProcess first = agent();
    send(first, load(1_000, 1));
    first.kill();
    Path lost = directory.resolve("lost.db");
    for (String suffix : new String[] {"", "-wal", "-watermark"}) {
      Files.move(directory.resolve("buffer.db" + suffix), directory.resolve("lost.db" + suffix));
    }
    Files.delete(directory.resolve("buffer.db-shm"));
    garbageHeader(lost);
    String[] command = {"salvage", lost.toString()};

    ProgramResult ran = runCommand(command);

    assertThat(ran.err()).isEmpty();
    assertThat(ran.out()).startsWith("found 1000 records to deliver and 0 rejected");
    assertThat(ran.exit()).isZero();
    assertThat(query("SELECT count(*)||' '||count(DISTINCT origin) FROM records"))
        .isEqualTo("1000 1000");

    ProgramResult again = runCommand(command);
    assertThat(again.exit()).isEqualTo(2);
    assertThat(again.err()).contains("was salvaged before", "lost.db-salvaged", "-again");
    assertThat(query("SELECT count(*) FROM records")).isEqualTo("1000");

    AgentProcess agent = agent();
    ProgramResult owned = runCommand(command);
    assertThat(owned.exit()).isEqualTo(3);
    assertThat(owned.err()).contains("an agent or a command is using");
    server.comeUp();
    assertThat(agent.awaitExit(SOON)).isZero();
    assertInOrder(0, 1_000);
  }

  @Test
  void a_salvage_of_a_missing_file_is_a_usage_error() throws Exception {
    ProgramResult ran = runCommand("salvage", "nowhere.db");
    assertThat(ran.exit()).isEqualTo(2);
    assertThat(ran.err()).contains("there is no file nowhere.db");
  }

  /// Creates a buffer with 500 pending records that are only in the write-ahead log and with
  /// rejected records in the database, and a file to import.
  private void crashWithAllRecordsInTheLog() throws Exception {
    AgentProcess earlier = agent();
    send(earlier, load(3, 1));
    earlier.terminate();
    assertThat(earlier.awaitExit(SOON)).isEqualTo(4);
    Rejections.rejectAll(directory, 422);
    AgentProcess first = agent();
    send(first, load(500, 1));
    first.kill();
    Files.delete(directory.resolve("buffer.db-shm"));
    Files.writeString(directory.resolve("lines.jsonl"), "{\"log_data\":1,\"pipelines\":[]}\n");
  }

  private void assertNoRecordIsLost() throws Exception {
    AgentProcess next = agent();
    server.comeUp();
    assertThat(next.awaitExit(SOON)).isEqualTo(1);
    assertInOrder(0, 500);
    assertThat(server.count()).isEqualTo(500);
  }

  /// SQLite deletes the write-ahead log of a database without pages, even if it is only read.
  @ParameterizedTest
  @ValueSource(strings = {"status", "peek", "verify", "redrive -all", "import lines.jsonl"})
  void no_command_deletes_the_write_ahead_log_of_an_emptied_buffer(String command)
      throws Exception {
    crashWithAllRecordsInTheLog();
    Files.write(directory.resolve("buffer.db"), new byte[0]);

    ProgramResult ran = runCommand(command.split(" "));

    assertThat(ran.exit()).isEqualTo(1);
    assertThat(ran.out() + ran.err()).contains("buffer.db is empty, and was not");
    assertNoRecordIsLost();
  }

  /// SQLite treats such a log as empty, and overwrites it with the first commit.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "status",
        "health",
        "export",
        "redrive -all",
        "rejected -discard -all -yes",
        "import lines.jsonl"
      })
  void no_command_overwrites_a_log_with_a_garbage_header_or_reports_an_empty_buffer(String command)
      throws Exception {
    crashWithAllRecordsInTheLog();
    try (var log =
        Files.newByteChannel(directory.resolve("buffer.db-wal"), StandardOpenOption.WRITE)) {
      int _ =
          log.write(
              java.nio.ByteBuffer.wrap("garbage!".repeat(4).getBytes(StandardCharsets.UTF_8)));
    }

    ProgramResult ran = runCommand(command.split(" "));

    assertThat(ran.err()).contains("start an agent");
    assertThat(ran.exit()).isEqualTo(1);
    assertNoRecordIsLost();
  }
}
