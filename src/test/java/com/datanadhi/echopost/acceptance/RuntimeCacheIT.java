package com.datanadhi.echopost.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.testkit.PackagedProgram;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Unpacked runtimes of several versions in one cache: those that no process uses are removed.
class RuntimeCacheIT extends AcceptanceTest {
  private Path cache;
  private OtherVersion other;

  @BeforeEach
  void createOtherVersion() throws IOException {
    cache = directory.resolve("cache");
    other = OtherVersion.create(directory.resolve("other"));
  }

  private Map<String, String> withCache() {
    return Map.of(PackagedProgram.RUNTIME_DIR, cache.toString());
  }

  private void runVersion(Path program) throws IOException, InterruptedException {
    ProgramResult result = awaitEnd(start(program, withCache(), "-version"));
    assertThat(result.exit()).as(result.err()).isZero();
  }

  private AgentProcess spawn(Path program, String name) throws IOException {
    AgentProcess agent =
        use(
            AgentProcess.spawn(
                List.of(program.toString()), directory.resolve(name), server.url(), withCache()));
    agent.awaitReady();
    return agent;
  }

  /// The ids of the unpacked runtimes.
  private List<String> runtimes() throws IOException {
    return names().filter(name -> !name.startsWith(".")).sorted().toList();
  }

  private Stream<String> names() throws IOException {
    try (Stream<Path> entries = Files.list(cache)) {
      return entries.map(path -> String.valueOf(path.getFileName())).toList().stream();
    }
  }

  @Test
  void a_command_removes_the_runtime_of_another_version_that_no_process_uses() throws Exception {
    runVersion(other.program());
    assertThat(runtimes()).containsExactly(other.id());

    runVersion(PackagedProgram.path());

    assertThat(runtimes()).containsExactly(other.originalId());
    assertThat(names()).noneMatch(name -> name.startsWith(".old-"));
  }

  @Test
  void an_agent_removes_the_runtime_of_another_version_while_it_serves() throws Exception {
    runVersion(other.program());

    AgentProcess agent = spawn(PackagedProgram.path(), "own");

    await().atMost(SOON).until(() -> runtimes().equals(List.of(other.originalId())));
    assertThat(agent.isAlive()).isTrue();
  }

  @Test
  void the_runtime_of_a_running_agent_stays_and_its_launcher_restarts_it() throws Exception {
    AgentProcess old = spawn(other.program(), "old");

    runVersion(PackagedProgram.path());
    assertThat(runtimes()).contains(other.id());
    assertThat(old.jvm().orElseThrow().destroyForcibly()).isTrue();
    await().atMost(SOON).until(() -> old.logged("agent_ready") == 2);

    old.terminate();
    assertThat(old.awaitExit(SOON)).isZero();
    runVersion(PackagedProgram.path());
    assertThat(runtimes()).containsExactly(other.originalId());
  }

  @Test
  void the_runtime_of_an_agent_without_launcher_stays() throws Exception {
    AgentProcess old = spawn(other.program(), "old");
    ProcessHandle jvm = old.jvm().orElseThrow();
    use(jvm::destroyForcibly);
    assertThat(old.handle().destroyForcibly()).isTrue();

    runVersion(PackagedProgram.path());

    assertThat(runtimes()).contains(other.id());
  }

  @Test
  void the_runtime_of_a_running_command_stays() throws Exception {
    AgentProcess old = spawn(other.program(), "old");
    Process following =
        start(other.program(), withCache(), "logs", "-f", "-datanadhi", old.directory().toString());
    // The first line of the log comes when the command runs.
    assertThat(following.inputReader().readLine()).isNotNull();
    old.terminate();
    assertThat(old.awaitExit(SOON)).isZero();

    runVersion(PackagedProgram.path());

    assertThat(following.isAlive()).isTrue();
    assertThat(runtimes()).contains(other.id());
  }

  @Test
  void a_start_in_progress_protects_its_runtime_unless_it_is_older_than_an_hour() throws Exception {
    runVersion(other.program());
    Path mark = Files.createFile(cache.resolve(other.id()).resolve(".start-1"));

    runVersion(PackagedProgram.path());
    assertThat(runtimes()).contains(other.id());

    Files.setLastModifiedTime(mark, FileTime.from(Instant.now().minus(Duration.ofHours(2))));
    runVersion(PackagedProgram.path());
    assertThat(runtimes()).containsExactly(other.originalId());
  }

  @Test
  void a_start_leaves_no_mark_behind() throws Exception {
    runVersion(PackagedProgram.path());
    assertThat(awaitEnd(start(PackagedProgram.path(), withCache(), "-nonsense")).exit())
        .isEqualTo(2);

    assertThat(marks()).isEmpty();
  }

  private List<String> marks() throws IOException {
    try (Stream<Path> files = Files.list(cache.resolve(other.originalId()))) {
      return files
          .map(file -> String.valueOf(file.getFileName()))
          .filter(name -> name.startsWith(".start-"))
          .toList();
    }
  }

  @Test
  void a_command_that_cannot_lock_its_runtime_leaves_no_mark_behind() throws Exception {
    runVersion(PackagedProgram.path());
    Path list = cache.resolve(other.originalId()).resolve("list");
    try (FileChannel channel = FileChannel.open(list, StandardOpenOption.WRITE);
        FileLock lock = channel.lock()) {
      assertThat(lock.isValid()).isTrue();
      ProgramResult help = awaitEnd(start(PackagedProgram.path(), withCache(), "status", "-h"));
      assertThat(help.exit()).as(help.err()).isZero();
    }

    assertThat(marks()).isEmpty();
  }

  @Test
  void the_mark_of_a_start_that_was_killed_is_deleted_after_an_hour() throws Exception {
    runVersion(PackagedProgram.path());
    Path runtime = cache.resolve(other.originalId());
    Path killed = Files.createFile(runtime.resolve(".start-1"));
    Files.setLastModifiedTime(killed, FileTime.from(Instant.now().minus(Duration.ofHours(2))));
    Files.createFile(runtime.resolve(".start-2"));

    runVersion(PackagedProgram.path());

    assertThat(marks()).containsExactly(".start-2");
  }

  @Test
  void a_removal_that_was_interrupted_is_completed() throws Exception {
    runVersion(other.program());
    Path old = cache.resolve(".old-" + other.id());
    Files.move(cache.resolve(other.id()), old);
    Files.delete(old.resolve("list"));

    runVersion(PackagedProgram.path());

    assertThat(old).doesNotExist();
  }

  @Test
  void a_version_that_comes_back_is_kept_for_thirty_days_after_its_last_start() throws Exception {
    runVersion(other.program());
    runVersion(PackagedProgram.path());
    runVersion(other.program());
    assertThat(runtimes()).containsExactly(other.id());

    runVersion(PackagedProgram.path());
    assertThat(runtimes()).containsExactlyInAnyOrder(other.id(), other.originalId());

    Files.setLastModifiedTime(
        cache.resolve(other.id()), FileTime.from(Instant.now().minus(Duration.ofDays(31))));
    runVersion(PackagedProgram.path());
    assertThat(runtimes()).containsExactly(other.originalId());
  }

  @Test
  void directories_of_others_are_left_alone() throws Exception {
    runVersion(PackagedProgram.path());
    Path mine = Files.createDirectory(cache.resolve("backup-2026-11"));
    Files.writeString(mine.resolve("list"), "mine");

    runVersion(PackagedProgram.path());

    assertThat(mine.resolve("list")).hasContent("mine");
  }

  @Test
  void two_versions_that_start_at_the_same_time_both_run() throws Exception {
    for (int round = 0; round < 5; round++) {
      Process first = start(other.program(), withCache(), "-version");
      Process second = start(PackagedProgram.path(), withCache(), "-version");
      Process third = start(other.program(), withCache(), "-version");

      for (Process process : List.of(first, second, third)) {
        ProgramResult result = awaitEnd(process);
        assertThat(result.exit()).as(result.err()).isZero();
      }
    }
  }
}
