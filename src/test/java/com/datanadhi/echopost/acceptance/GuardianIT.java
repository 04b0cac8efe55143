package com.datanadhi.echopost.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.datanadhi.echopost.buffer.Sqlite;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.LoadClient;
import com.datanadhi.testkit.PackagedProgram;
import com.datanadhi.testkit.Processes;
import com.datanadhi.testkit.StubServer;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The launcher as the agent's guardian: the JVM dies and the launcher survives, or the other way
/// round.
class GuardianIT extends AcceptanceTest {
  private static final int RESTARTS_IN_A_MINUTE = 5;

  /// Sends a signal to the JVM only, and waits until it is dead.
  private static void kill(AgentProcess agent, String signal) {
    ProcessHandle jvm = agent.jvm().orElseThrow();
    Processes.signal(jvm, signal);
    await().pollInterval(Duration.ofMillis(1)).atMost(SOON).until(() -> !jvm.isAlive());
  }

  /// Waits until the agent has been restarted for the `count`th time and serves.
  private static void awaitRestart(AgentProcess agent, int count) {
    await()
        .atMost(SOON)
        .until(() ->
            agent.isAlive()
                && agent.logged(EventNames.RESTARTED_AFTER_CRASH) == count
                && agent.logged(EventNames.AGENT_READY) > count);
  }

  @Test
  void an_agent_killed_during_ingest_is_restarted_and_loses_no_record() throws Exception {
    AgentProcess agent = agent();
    LoadClient client = client(agent);
    CompletableFuture<LoadClient.Result> sending = new CompletableFuture<>();
    Thread sender =
        Thread.ofPlatform()
            .start(() -> {
              try {
                sending.complete(client.run(load(50_000, 4), _ -> {}));
              } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
              }
            });
    await().atMost(SOON).until(() -> Long.parseLong(query("SELECT accepted FROM meta")) > 3_000);

    kill(agent, "KILL");
    sender.join();
    awaitRestart(agent, 1);
    server.comeUp();

    assertThat(agent.awaitExit(SOON)).isZero();
    assertThat(agent.output())
        .contains("\"event\":\"" + EventNames.RESTARTED_AFTER_CRASH + "\",\"died_of\":\"SIGKILL\"");
    LoadClient.Result result = sending.join();
    assertThat(result.acknowledged()).isBetween(1_000L, 49_999L);
    for (int c = 0; c < 4; c++) {
      assertThat(new HashSet<>(order().seqsByClient().get(c)))
          .containsAll(java.util.Arrays.stream(result.ackedSeqs().get(c)).boxed().toList());
    }
  }

  @Test
  void an_agent_killed_during_replay_is_restarted_and_continues() throws Exception {
    AgentProcess agent = agent();
    send(agent, load(500, 1));
    server.onDelivery(StubServer.Behaviour.slow(2, StubServer.OK));
    server.comeUp();
    awaitDelivered(100);

    kill(agent, "KILL");
    int atKill = server.count();

    assertThat(agent.awaitExit(SOON)).isZero();
    assertThat(atKill).isLessThan(500);
    assertInOrder(0, 500);
    assertThat(server.distinct()).isEqualTo(500);
    assertThat(order().repeats()).isLessThanOrEqualTo(256);
  }

  @Test
  void an_agent_killed_with_nothing_pending_is_restarted_and_drains() throws Exception {
    AgentProcess agent = agent();
    send(agent, load(10, 1));
    server.comeUp();
    await().atMost(SOON).until(() -> agent.hasLogged(EventNames.REPLAY_COMPLETED));

    kill(agent, "KILL");

    assertThat(agent.awaitExit(SOON)).isZero();
    assertThat(agent.logged(EventNames.RESTARTED_AFTER_CRASH)).isOne();
    assertThat(agent.socket()).doesNotExist();
    assertInOrder(0, 10);
  }

  @Test
  void an_agent_killed_during_its_start_is_restarted_if_records_are_pending() throws Exception {
    AgentProcess first = agent();
    send(first, load(50, 1));
    first.kill();
    long seed = Long.getLong("echopost.seed", new Random().nextLong());
    System.out.println("GuardianIT seed " + seed + " (-Dechopost.seed=" + seed + ")");
    Random random = new Random(seed);
    AgentProcess agent = spawn();
    for (int i = 0; i < RESTARTS_IN_A_MINUTE; i++) {
      long until = System.nanoTime() + random.nextInt(150_000_000);
      ProcessHandle dead =
          await()
              .pollInterval(Duration.ofMillis(1))
              .atMost(SOON)
              .until(
                  () -> System.nanoTime() < until ? null : agent.jvm().orElse(null),
                  p -> p != null);
      Processes.signal(dead, "KILL");
      await().pollInterval(Duration.ofMillis(1)).atMost(SOON).until(() -> !dead.isAlive());
    }

    server.comeUp();

    assertThat(agent.awaitExit(SOON)).isZero();
    assertInOrder(0, 50);
  }

  @Test
  void an_agent_that_dies_before_it_has_a_buffer_is_not_restarted() throws Exception {
    Path own = directory.resolve("own");
    AgentProcess agent = use(AgentProcess.spawn(own, server.url()));
    await().pollInterval(Duration.ofMillis(1)).atMost(SOON).until(() -> agent.jvm().isPresent());

    kill(agent, "KILL");

    assertThat(agent.awaitExit(SOON)).isEqualTo(137);
    assertThat(own.resolve("buffer.db")).doesNotExist();
    assertThat(agent.socket()).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource({"SEGV, SIGSEGV", "BUS, SIGBUS", "ILL, SIGILL", "ABRT, SIGABRT"})
  void an_agent_that_crashes_is_restarted_and_the_signal_is_logged(String signal, String diedOf)
      throws Exception {
    AgentProcess agent = agent();
    send(agent, load(10, 1));

    kill(agent, signal);
    awaitRestart(agent, 1);

    server.comeUp();
    assertThat(agent.awaitExit(SOON)).isZero();
    assertThat(agent.output()).contains("\"died_of\":\"" + diedOf + "\"");
    assertInOrder(0, 10);
  }

  @Test
  void an_agent_that_runs_out_of_memory_is_restarted() throws Exception {
    AgentProcess agent =
        use(AgentProcess.spawn(List.of(withLessMemory().toString()), directory, server.url()));
    agent.awaitReady();
    send(agent, load(100, 1));
    LoadClient client = client(agent);

    assertThatThrownBy(() -> client.send(LoadClient.request(1, 0, 4_000_000)))
        .isInstanceOf(StatusRuntimeException.class);

    awaitRestart(agent, 1);
    assertThat(agent.output())
        .contains(
            "\"event\":\""
                + EventNames.RESTARTED_AFTER_CRASH
                + "\",\"died_of\":\"OutOfMemoryError\"");
    server.comeUp();
    assertThat(agent.awaitExit(SOON)).isZero();
    assertInOrder(0, 100);
  }

  /// The program with a heap that is too small for a large record.
  private Path withLessMemory() throws IOException {
    // Byte for byte of the same length: the archive after the script has a fixed offset.
    String whole =
        Files.readString(PackagedProgram.path(), StandardCharsets.ISO_8859_1)
            .replaceFirst("-Xms16m", "-Xms08m")
            .replaceFirst("-Xmx64m", "-Xmx10m");
    Path program = directory.resolve("less");
    Files.writeString(program, whole, StandardCharsets.ISO_8859_1);
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
    return program;
  }

  @Test
  void an_agent_whose_launcher_is_killed_keeps_serving() throws Exception {
    AgentProcess agent = agent();
    ProcessHandle jvm = agent.jvm().orElseThrow();
    use(jvm::destroyForcibly);

    assertThat(agent.handle().destroyForcibly()).isTrue();
    assertThat(agent.awaitExit(SOON)).isEqualTo(137);

    send(agent, load(100, 1));
    server.comeUp();
    await().atMost(SOON).until(() -> !jvm.isAlive());
    assertInOrder(0, 100);
    assertThat(agent.socket()).doesNotExist();
  }

  @Test
  void after_both_are_killed_the_next_agent_delivers_everything() throws Exception {
    AgentProcess agent = agent();
    ProcessHandle jvm = agent.jvm().orElseThrow();
    send(agent, load(100, 1));

    agent.kill();

    await().atMost(SOON).until(() -> !jvm.isAlive());
    assertThat(agent.socket()).exists();
    server.comeUp();
    assertThat(agent().awaitExit(SOON)).isZero();
    assertInOrder(0, 100);
  }

  @Test
  void
      after_five_restarts_in_a_minute_the_agent_is_not_restarted_and_the_last_line_names_the_cause()
          throws Exception {
    AgentProcess agent = agent();
    send(agent, load(20, 1));
    for (int restart = 1; restart <= RESTARTS_IN_A_MINUTE; restart++) {
      kill(agent, "KILL");
      awaitRestart(agent, restart);
    }

    kill(agent, "KILL");

    assertThat(agent.awaitExit(SOON)).isEqualTo(1);
    assertThat(agent.output().lines().toList().getLast())
        .startsWith("echopost: the agent died again (SIGKILL) after 5 restarts in a minute");
    assertThat(agent.socket()).doesNotExist();
    try (Stream<Path> sessions = Files.list(directory)) {
      Path newest =
          sessions
              .filter(path -> path.getFileName().toString().startsWith("session-"))
              .max(Path::compareTo)
              .orElseThrow();
      assertThat(Files.readAllLines(newest.resolve("agent.log")).getLast())
          .contains("\"level\":\"SEVERE\",\"event\":\"" + EventNames.RESTARTS_GIVEN_UP + "\"");
    }
    server.comeUp();
    assertThat(agent().awaitExit(SOON)).isZero();
    assertInOrder(0, 20);
  }

  @Test
  void an_agent_that_cannot_open_its_buffer_is_not_restarted() throws Exception {
    AgentProcess first = agent();
    send(first, load(5, 1));
    first.terminate();
    assertThat(first.awaitExit(SOON)).isEqualTo(4);
    try (Sqlite buffer = new Sqlite(directory)) {
      buffer.execute("UPDATE meta SET schema_version = 999");
      assertThat(buffer.query("SELECT schema_version FROM meta")).isEqualTo("999");
    }

    AgentProcess agent = spawn();

    assertThat(agent.awaitExit(SOON)).isEqualTo(1);
    assertThat(agent.logged(EventNames.AGENT_STARTED)).isOne();
    assertThat(agent.socket()).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3, 10, 30, 100})
  void a_signal_during_a_restart_ends_the_agent(int millis) throws Exception {
    AgentProcess agent = agent();
    send(agent, load(5, 1));
    kill(agent, "KILL");
    // The signal must hit different moments of the restart, which no condition marks.
    await().pollDelay(Duration.ofMillis(millis)).until(() -> true);

    agent.terminate();

    assertThat(agent.awaitExit(SOON)).isEqualTo(4);
    assertThat(agent.socket()).doesNotExist();
    server.comeUp();
    assertThat(agent().awaitExit(SOON)).isZero();
    assertInOrder(0, 5);
  }

  @Test
  void another_agent_may_take_the_directory_before_the_restarted_one() throws Exception {
    AgentProcess agent = agent();
    send(agent, load(20, 1));
    AgentProcess other = spawn();
    // It waits for the lock from then on.
    await().atMost(SOON).until(() -> other.jvm().isPresent());

    kill(agent, "KILL");

    AgentProcess winner =
        await()
            .atMost(SOON)
            .until(
                () ->
                    other.hasLogged(EventNames.AGENT_READY)
                        ? other
                        : agent.logged(EventNames.AGENT_READY) > 1 ? agent : null,
                ready -> ready != null);
    AgentProcess loser = winner == agent ? other : agent;
    assertThat(loser.awaitExit(SOON)).isEqualTo(3);
    send(winner, new LoadClient.Load(10, 330, 1, 8, 0, 20));
    server.comeUp();
    assertThat(winner.awaitExit(SOON)).isZero();
    assertInOrder(0, 30);
  }
}
