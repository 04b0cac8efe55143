package com.datanadhi.echopost.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.echopost.buffer.Sqlite;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.LoadClient;
import com.datanadhi.testkit.SmallDisk;
import io.grpc.Status;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Other processes delete, replace or move the agent's files while it runs.
class DeletedFilesIT extends AcceptanceTest {
  /// Deletes everything below `top`, as `rm -rf top/*` does.
  private static void deleteContent(Path top) throws IOException {
    try (Stream<Path> all = Files.walk(top)) {
      for (Path one : all.sorted(Comparator.reverseOrder()).toList()) {
        if (!one.equals(top)) {
          Files.deleteIfExists(one);
        }
      }
    }
  }

  private void delete(String names) throws IOException {
    if (names.equals("*")) {
      deleteContent(directory);
      return;
    }
    for (String name : names.split(" ", -1)) {
      Files.delete(directory.resolve(name));
    }
  }

  /// Deletes `top` as `rm -rf` does, again if the agent has put files back meanwhile.
  private static void deleteAll(Path top) {
    await()
        .atMost(SOON)
        .ignoreExceptionsInstanceOf(DirectoryNotEmptyException.class)
        .until(() -> {
          deleteContent(top);
          return Files.deleteIfExists(top);
        });
  }

  private static void awaitLogged(AgentProcess agent, String event, int count) {
    await().atMost(SOON).until(() -> agent.logged(event) >= count);
  }

  private static LoadClient.Load loadFrom(long first, long records) {
    return new LoadClient.Load(records, 330, 1, 64, 0, first);
  }

  private void awaitFile(String name) {
    await().atMost(SOON).until(() -> Files.exists(directory.resolve(name)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "*",
        "buffer.db",
        "buffer.db-wal",
        "buffer.db-shm",
        "buffer.db buffer.db-wal buffer.db-shm buffer.db-watermark"
      })
  void deleted_files_of_the_buffer_are_put_back_with_all_acknowledged_records(String names)
      throws Exception {
    AgentProcess agent = agent();
    send(agent, loadFrom(0, 1_000));

    delete(names);
    awaitLogged(agent, EventNames.BUFFER_RESTORED, 1);
    awaitFile("data-nadhi-agent.sock");
    send(agent, loadFrom(1_000, 1_000));
    // The next agent has only what the names lead to.
    agent.kill();
    AgentProcess next = agent();
    server.comeUp();

    assertThat(next.awaitExit(SOON)).isZero();
    assertInOrder(0, 2_000);
    assertThat(server.count()).isEqualTo(2_000);
    assertThat(query("SELECT accepted||' '||delivered FROM meta")).isEqualTo("2000 2000");
  }

  @Test
  void records_acknowledged_while_the_files_are_deleted_again_and_again_are_delivered_once()
      throws Exception {
    AgentProcess agent = agent();
    AtomicInteger deletions = new AtomicInteger();
    LoadClient.Result result =
        client(agent)
            .run(
                new LoadClient.Load(30_000, 330, 1, 64, 10_000, 0),
                answers -> {
                  if (agent.logged(EventNames.BUFFER_RESTORED) == deletions.get()
                      && deletions.get() < 2
                      && answers > 5_000) {
                    deletions.incrementAndGet();
                    try {
                      delete("buffer.db buffer.db-wal buffer.db-shm");
                    } catch (IOException failed) {
                      throw new UncheckedIOException(failed);
                    }
                  }
                });
    server.comeUp();

    assertThat(agent.awaitExit(SOON.multipliedBy(2))).isZero();
    assertThat(agent.logged(EventNames.BUFFER_RESTORED)).isEqualTo(2);
    assertThat(result.firstFailure()).isNull();
    assertInOrder(0, 30_000);
    assertThat(server.count()).isEqualTo(30_000);
  }

  @Test
  void files_deleted_during_replay_are_put_back_and_each_record_is_delivered_once()
      throws Exception {
    AgentProcess agent = agent();
    send(agent, load(20_000, 1));
    server.comeUp();
    awaitDelivered(500);

    delete("*");

    assertThat(agent.awaitExit(SOON.multipliedBy(2))).isZero();
    assertThat(agent.hasLogged(EventNames.BUFFER_RESTORED)).isTrue();
    assertInOrder(0, 20_000);
    assertThat(server.count()).isEqualTo(20_000);
  }

  @Test
  void the_log_the_watermark_and_the_reserve_come_back() throws Exception {
    AgentProcess agent = agent();
    send(agent, load(100, 1));
    awaitFile("reserve");

    delete("*");

    awaitLogged(agent, EventNames.BUFFER_RESTORED, 1);
    awaitFile("buffer.db-watermark");
    await().atMost(SOON).until(() -> Files.exists(directory.resolve("reserve")));
    awaitFile("agent.lock");
    await()
        .atMost(SOON)
        .untilAsserted(
            () -> assertThat(runCommand("logs").out()).contains(EventNames.BUFFER_RESTORED));
    delete("buffer.db-watermark");
    awaitFile("buffer.db-watermark");
    assertThat(runCommand("health").exit()).isZero();
  }

  @Test
  void a_file_in_the_place_of_the_buffer_is_set_aside() throws Exception {
    AgentProcess agent = agent();
    send(agent, load(500, 1));
    Path other = directory.resolve("other.db");
    try (Sqlite sqlite = new Sqlite(directory, "other.db")) {
      sqlite.execute("CREATE TABLE mine(x)");
    }

    Files.move(
        other,
        directory.resolve("buffer.db"),
        StandardCopyOption.REPLACE_EXISTING,
        StandardCopyOption.ATOMIC_MOVE);

    awaitLogged(agent, EventNames.BUFFER_RESTORED, 1);
    server.comeUp();
    assertThat(agent.awaitExit(SOON)).isZero();
    assertInOrder(0, 500);
    assertThat(server.count()).isEqualTo(500);
    try (Stream<Path> files = Files.list(directory)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .anyMatch(name -> name.startsWith("buffer.db.replaced-"));
    }
  }

  @Test
  void an_agent_whose_directory_was_renamed_ends_and_the_next_one_there_delivers()
      throws Exception {
    Path first = Files.createDirectory(directory.resolve("first"));
    AgentProcess agent = use(AgentProcess.spawn(first, server.url()));
    agent.awaitReady();
    send(agent, load(500, 1));
    Path second = Files.move(first, directory.resolve("second"));

    assertThat(agent.awaitExit(SOON)).isEqualTo(1);
    assertThat(agent.output())
        .contains("was renamed while the agent ran")
        .doesNotContain("disk_full");
    assertThat(first).doesNotExist();
    AgentProcess next = use(AgentProcess.spawn(second, server.url()));
    server.comeUp();
    assertThat(next.awaitExit(SOON)).isZero();
    assertInOrder(0, 500);
    assertThat(server.count()).isEqualTo(500);
  }

  @Test
  void a_deleted_directory_with_pending_records_is_created_again() throws Exception {
    Path removed = Files.createDirectory(directory.resolve("removed"));
    AgentProcess agent = use(AgentProcess.spawn(removed, server.url()));
    agent.awaitReady();
    send(agent, load(500, 1));

    deleteAll(removed);

    awaitLogged(agent, EventNames.BUFFER_RESTORED, 1);
    server.comeUp();
    assertThat(agent.awaitExit(SOON)).isZero();
    assertInOrder(0, 500);
    assertThat(agent.output()).doesNotContain(EventNames.DISK_FULL);
  }

  @Test
  void a_deleted_directory_without_records_is_not_created_again() throws Exception {
    Path removed = Files.createDirectory(directory.resolve("removed"));
    AgentProcess agent = use(AgentProcess.spawn(removed, server.url()));
    agent.awaitReady();

    deleteAll(removed);

    assertThat(agent.awaitExit(SOON)).isEqualTo(1);
    assertThat(agent.output())
        .contains("was deleted while the agent ran")
        .doesNotContain(EventNames.DISK_FULL);
    assertThat(removed).doesNotExist();
  }

  @Test
  void without_room_for_a_copy_records_are_refused_and_delivery_goes_on() throws Exception {
    SmallDisk disk = use(SmallDisk.mountOrSkip(directory, "45m"));
    AgentProcess agent = agent();
    LoadClient.Load load = new LoadClient.Load(3_000, 6_000, 1, 64, 0, 0);
    send(agent, load);
    Files.delete(directory.resolve("buffer.db"));
    Path filling = disk.fill();
    awaitLogged(agent, EventNames.BUFFER_NOT_RESTORED, 1);

    LoadClient.Result refused = client(agent).run(loadFrom(3_000, 1), _ -> {});
    assertThat(Objects.requireNonNull(refused.firstFailure()).getCode())
        .isEqualTo(Status.Code.INTERNAL);

    server.comeUp();
    awaitDelivered(3_000);
    Files.delete(filling);
    assertThat(agent.awaitExit(SOON.multipliedBy(2))).isZero();
    assertInOrder(0, 3_000);
    assertThat(server.count()).isEqualTo(3_000);
  }

  @ParameterizedTest
  @ValueSource(strings = {"agent.lock", "*"})
  void no_second_agent_starts_after_the_lock_was_deleted(String names) throws Exception {
    AgentProcess agent = agent();
    send(agent, load(300, 1));

    delete(names);
    List<AgentProcess> others = List.of(spawn(), spawn());

    for (AgentProcess other : others) {
      assertThat(other.awaitExit(SOON)).isEqualTo(3);
    }
    awaitLogged(agent, EventNames.LOCK_RESTORED, 1);
    assertThat(Files.readString(directory.resolve("agent.lock")).strip())
        .isEqualTo(Long.toString(agent.agent().pid()));
    server.comeUp();
    assertThat(agent.awaitExit(SOON)).isZero();
    assertInOrder(0, 300);
    assertThat(server.count()).isEqualTo(300);
  }

  @Test
  void a_replaced_lock_is_taken_again() throws Exception {
    AgentProcess agent = agent();
    Path other = Files.writeString(directory.resolve("other.lock"), "1\n");
    Files.move(
        other,
        directory.resolve("agent.lock"),
        StandardCopyOption.REPLACE_EXISTING,
        StandardCopyOption.ATOMIC_MOVE);
    assertThat(spawn().awaitExit(SOON)).isEqualTo(3);
    awaitLogged(agent, EventNames.LOCK_RESTORED, 1);
    assertThat(spawn().awaitExit(SOON)).isEqualTo(3);
  }

  @Test
  void without_free_inodes_an_agent_delivers_what_is_pending() throws Exception {
    use(SmallDisk.mountOrSkip(directory, "64m", "nr_inodes=40"));
    AgentProcess first = agent();
    send(first, load(200, 1));
    first.terminate();
    assertThat(first.awaitExit(SOON)).isEqualTo(4);
    try {
      for (int n = 0; ; n++) {
        Files.createFile(directory.resolve("theirs-" + n));
      }
    } catch (IOException noInode) {
      assertThat(noInode).hasMessageContaining("No space left on device");
    }

    AgentProcess second = spawn();
    server.comeUp();

    assertThat(second.awaitExit(SOON)).isZero();
    assertInOrder(0, 200);
    assertThat(server.count()).isEqualTo(200);
    try (Stream<Path> sessions = Files.list(directory)) {
      assertThat(
              sessions
                  .filter(file -> file.getFileName().toString().startsWith("session-"))
                  .toList())
          .allSatisfy(session -> assertThat(session).isNotEmptyDirectory());
    }
  }

  @Test
  void status_does_not_call_a_run_killed_whose_file_system_became_read_only() throws Exception {
    SmallDisk disk = use(SmallDisk.mountOrSkip(directory, "64m"));
    AgentProcess agent = agent();
    send(agent, load(100, 1));
    agent.kill();
    // The kernel still closes the files of the killed process.
    await()
        .atMost(SOON)
        .ignoreExceptionsInstanceOf(IOException.class)
        .until(() -> {
          disk.remountReadOnly();
          return true;
        });

    assertThat(runCommand("status").out())
        .contains("could not log its end: the file system is read-only");
  }
}
