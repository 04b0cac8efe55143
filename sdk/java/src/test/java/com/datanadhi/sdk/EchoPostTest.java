package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.sdk.internal.echopost.EchoPost;
import com.datanadhi.sdk.internal.echopost.SendResult;
import com.datanadhi.sdk.internal.echopost.Timeouts;
import com.datanadhi.sdk.internal.http.JdkTransport;
import com.datanadhi.sdk.internal.http.Proxies;
import com.datanadhi.sdk.internal.listener.FailureReports;
import com.datanadhi.sdk.internal.logging.RateLimitedLog;
import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import com.datanadhi.sdk.internal.time.Clock;
import com.datanadhi.sdk.internal.time.Waiter;
import com.datanadhi.sdk.testkit.Agents;
import com.datanadhi.sdk.testkit.ApplicationProcess;
import com.datanadhi.sdk.testkit.FileServer;
import com.datanadhi.testkit.PackagedProgram;
import java.io.IOException;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A real agent, as a process: downloaded, started, killed, stopped, and shared by processes. */
class EchoPostTest extends AbstractSdkTest {
  @BeforeEach
  void stopServers() {
    main.goDown();
    fallback.goDown();
  }

  private Path socket() {
    return directory.resolve("echopost/data-nadhi-agent.sock");
  }

  private ProcessHandle agent() {
    return await()
        .atMost(TIME_LIMIT)
        .until(() -> Agents.running(directory), java.util.Optional::isPresent)
        .orElseThrow();
  }

  private static void signal(String name, long pid) throws Exception {
    assertThat(new ProcessBuilder("kill", "-" + name, "--", Long.toString(pid)).start().waitFor())
        .isZero();
  }

  private void assertMainServerGetsAllInOrder(int count) throws IOException {
    main.comeUp();
    await().atMost(TIME_LIMIT).until(() -> main.keys().size() >= count);
    assertThat(seqs(main.deliveries())).isEqualTo(range(0, count));
    assertThat(main.keys()).hasSize(count);
    assertThat(droppedFiles()).isEmpty();
  }

  @Test
  void echopost_is_downloaded_started_and_used() throws Exception {
    FileServer files = closeAfterTest(FileServer.withProgram());
    DataNadhi client = open(configuration().downloadUrl(files.url()));
    submit(client, 0, 10);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(client.counters().deliveredToEchoPost()).isEqualTo(10);
    assertMainServerGetsAllInOrder(10);
  }

  @Test
  void a_program_that_cannot_start_is_tried_again_after_a_cooldown() throws Exception {
    fallback.comeUp();
    Path program = directory.resolve("echopost/echopost");
    Files.createDirectories(program.getParent());
    Files.writeString(program, "#!/bin/sh\nexit 2\n");
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
    DataNadhi client = open(configuration());
    await().until(() -> client.counters().echoPost().status() == EchoPostState.Status.READY);
    submit(client, 0, 10);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(client.counters().echoPost().detail()).contains("ended with status 2");
    assertThat(seqs(fallback.deliveries())).isEqualTo(range(0, 10));

    Files.deleteIfExists(program);
    Agents.install(directory);
    await()
        .atMost(TIME_LIMIT)
        .untilAsserted(() -> {
          submit(client, 10, 11);
          assertThat(client.flush(TIME_LIMIT)).isTrue();
          assertThat(client.counters().deliveredToEchoPost()).isPositive();
        });
  }

  @Test
  void a_program_that_cannot_start_is_removed_and_downloaded_again() throws Exception {
    fallback.comeUp();
    Path program = directory.resolve("echopost/echopost");
    Files.createDirectories(program.getParent());
    Files.writeString(program, "#!/bin/sh\necho 'Please log in'\nexit 1\n");
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
    FileServer files = closeAfterTest(FileServer.withProgram());
    DataNadhi client = open(configuration().downloadUrl(files.url()));
    await()
        .atMost(TIME_LIMIT)
        .untilAsserted(() -> {
          int next = (int) client.counters().submitted();
          submit(client, next, next + 1);
          assertThat(client.flush(TIME_LIMIT)).isTrue();
          assertThat(client.counters().deliveredToEchoPost()).isPositive();
        });
    assertThat(program).hasSameBinaryContentAs(PackagedProgram.path());
    assertNoRecordIsLost(client, (int) client.counters().submitted());
  }

  @Test
  void a_newer_program_takes_over_after_the_agent_that_runs() throws Exception {
    FileServer files = closeAfterTest(FileServer.withProgram());
    DataNadhi client =
        closeAfterTest(
            newClient(
                configuration().downloadUrl(files.url()).build(),
                updatedEvery(Duration.ofSeconds(1))));
    submit(client, 0, 10);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    ProcessHandle before = agent();

    Path used = directory.resolve("newer-was-used");
    byte[] newer =
        """
        #!/bin/sh
        if [ "$1" = -version ]; then echo echopost v1000.0.0; exit; fi
        touch '%s'
        exec '%s' "$@"
        """
            .formatted(used, PackagedProgram.path())
            .getBytes(StandardCharsets.UTF_8);
    String sha256 = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(newer));
    files.serve(FileServer.programPath(), 200, newer);
    files.serve(FileServer.programPath() + ".sha256", 200, sha256.getBytes(StandardCharsets.UTF_8));
    Path program = directory.resolve("echopost/echopost");
    await().atMost(TIME_LIMIT).until(() -> Files.size(program) == newer.length);
    assertThat(program).hasBinaryContent(newer).isExecutable();

    submit(client, 10, 20);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(agent()).isEqualTo(before);
    assertThat(used).doesNotExist();
    assertMainServerGetsAllInOrder(20);
    await().atMost(TIME_LIMIT).until(() -> !before.isAlive() && !Files.exists(socket()));

    main.goDown();
    submit(client, 20, 30);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(used).exists();
    assertMainServerGetsAllInOrder(30);
  }

  @Test
  void a_socket_path_that_is_too_long_is_reported() throws Exception {
    fallback.comeUp();
    Path deep = directory.resolve("d".repeat(100));
    Agents.install(deep);
    DataNadhi client =
        closeAfterTest(
            newClient(
                DataNadhiConfiguration.builder(deep)
                    .apiKey("test-key")
                    .serverHost(main.url())
                    .fallbackHost(fallback.url())
                    .build(),
                TIMEOUTS));
    await().until(() -> client.counters().echoPost().status() == EchoPostState.Status.READY);
    submit(client, 0, 1);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(client.counters().echoPost().detail()).contains("choose a shorter directory");
    assertThat(fallback.delivered()).isEqualTo(1);
  }

  @Test
  void a_killed_agent_is_started_again_by_its_guardian_or_by_the_sdk() throws Exception {
    DataNadhi client = openWithEchoPost(configuration());
    for (int round = 0; round < 5; round++) {
      submit(client, round * 10, round * 10 + 10);
      assertThat(client.flush(TIME_LIMIT)).isTrue();
      agent().destroyForcibly();
      submit(client, round * 10 + 5 + 5, round * 10 + 10);
    }
    submit(client, 50, 60);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(client.counters().deliveredToEchoPost()).isEqualTo(60);
    assertMainServerGetsAllInOrder(60);
  }

  @Test
  void the_stale_socket_of_a_killed_agent_and_guardian_is_replaced() throws Exception {
    DataNadhi client = openWithEchoPost(configuration());
    for (int round = 0; round < 3; round++) {
      submit(client, round * 10, round * 10 + 10);
      assertThat(client.flush(TIME_LIMIT)).isTrue();
      Agents.killAll(directory);
      assertThat(socket()).exists();
    }
    submit(client, 30, 40);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(client.counters().deliveredToEchoPost()).isEqualTo(40);
    assertThat(Agents.starts(directory)).isEqualTo(4);
    assertMainServerGetsAllInOrder(40);
  }

  @Test
  void no_record_is_lost_or_reordered_if_the_agent_is_killed_while_records_are_sent()
      throws Exception {
    DataNadhi client = openWithEchoPost(configuration().queueSize(5000));
    submit(client, 0, 2000);
    await().atMost(TIME_LIMIT).until(() -> client.counters().deliveredToEchoPost() > 200);
    Agents.killOnce(directory);
    submit(client, 2000, 2500);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(client.counters().deliveredToEchoPost()).isEqualTo(2500);
    assertMainServerGetsAllInOrder(2500);
  }

  @Test
  void an_agent_that_exited_is_started_again_without_a_failed_record() throws Exception {
    DataNadhi client = openWithEchoPost(configuration());
    submit(client, 0, 10);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    signal("TERM", agent().pid());
    await().atMost(TIME_LIMIT).until(() -> !Files.exists(socket()));
    submit(client, 10, 20);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(client.counters().deliveredToEchoPost()).isEqualTo(20);
    assertMainServerGetsAllInOrder(20);
  }

  @Test
  void records_go_to_the_fallback_server_if_the_agent_does_not_answer() throws Exception {
    fallback.comeUp();
    Agents.install(directory);
    DataNadhi client =
        closeAfterTest(
            newClient(
                configuration().build(),
                new Timeouts(
                    TIMEOUTS.start(),
                    Duration.ofSeconds(2),
                    TIMEOUTS.downloadStall(),
                    Duration.ofMinutes(1),
                    Duration.ofHours(1),
                    Duration.ofHours(1),
                    Duration.ofDays(1))));
    await().until(() -> client.counters().echoPost().status() == EchoPostState.Status.READY);
    // On a loaded machine the first record of an agent can take longer than the two seconds.
    submit(client, 0, 1);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    signal("STOP", agent().pid());
    submit(client, 1, 10);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(seqs(fallback.deliveries())).endsWith(9);
    assertThat(client.counters().echoPost().detail()).contains("DEADLINE_EXCEEDED");
  }

  @Test
  void a_record_too_large_for_echopost_goes_to_the_fallback_server() throws Exception {
    fallback.comeUp();
    DataNadhi client = openWithEchoPost(configuration().maxRecordBytes(8 << 20));
    submit(client, 0, 1);
    String large = "{\"seq\":1,\"x\":\"" + "x".repeat(5 << 20) + "\"}";
    client.submitJson(PIPELINES, large);
    submit(client, 2, 3);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(client.counters().deliveredToEchoPost()).isEqualTo(2);
    assertThat(seqs(fallback.deliveries())).containsExactly(1);
  }

  @Test
  void a_record_too_large_for_echopost_is_kept_in_a_file_if_the_fallback_server_is_down()
      throws Exception {
    DataNadhi client = openWithEchoPost(configuration().maxRecordBytes(8 << 20));
    submit(client, 0, 1);
    client.submitJson(PIPELINES, "{\"seq\":1,\"x\":\"" + "x".repeat(5 << 20) + "\"}");
    submit(client, 2, 3);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(client.counters().deliveredToEchoPost()).isEqualTo(2);
    // The first attempt may have sent it to the fallback server and found that server down.
    assertThat(client.counters().dropped()).containsExactly(java.util.Map.entry("too_large", 1L));
    assertThat(droppedSeqs()).containsExactly(1);
  }

  @Test
  void records_that_echopost_refuses_are_reported_apart_from_stored_ones() throws Exception {
    Agents.install(directory);
    var threads = closeAfterTest(new Threads());
    EchoPost echoPost =
        closeAfterTest(
            new EchoPost(
                configuration().build(),
                TIMEOUTS,
                new JdkTransport(HttpClient::newHttpClient, Proxies.none()),
                threads.io(),
                threads.timer(),
                new RateLimitedLog(Clock.system()),
                new FailureReports(Optional.empty(), new RateLimitedLog(Clock.system())),
                Clock.system(),
                Waiter.system()));
    OutgoingRecord first = new OutgoingRecord(PIPELINES, "{\"seq\":0}", "k-1");
    OutgoingRecord invalid = new OutgoingRecord(PIPELINES, "not JSON", "k-2");
    OutgoingRecord last = new OutgoingRecord(PIPELINES, "{\"seq\":1}", "k-3");
    SendResult result = echoPost.send(List.of(first, invalid, last));
    assertThat(result.stored()).containsExactly(first, last);
    assertThat(result.refused()).containsExactly(invalid);
    main.comeUp();
    await().atMost(TIME_LIMIT).until(() -> main.keys().equals(Set.of("k-1", "k-3")));
  }

  private record Threads(ExecutorService io, ScheduledExecutorService timer)
      implements AutoCloseable {
    Threads() {
      this(Executors.newCachedThreadPool(), Executors.newScheduledThreadPool(1));
    }

    @Override
    public void close() {
      io.shutdownNow();
      timer.shutdownNow();
    }
  }

  @Test
  void twenty_threads_in_each_of_five_processes_start_exactly_one_agent() throws Exception {
    // The agent starts so late that all threads have checked for a socket before there is one.
    Agents.install(directory, "sleep 2");
    List<ApplicationProcess> applications = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      applications.add(
          closeAfterTest(
              ApplicationProcess.start(StartRaceApplication.class.getName(), directory)));
    }
    for (ApplicationProcess application : applications) {
      assertThat(application.line()).isEqualTo("ready");
    }
    for (ApplicationProcess application : applications) {
      application.resume();
    }
    for (ApplicationProcess application : applications) {
      assertThat(application.line()).isEqualTo("20 threads found no socket, 20 records stored");
    }
    assertThat(Agents.starts(directory)).isEqualTo(1);
    Agents.killAll(directory);
    main.comeUp();
    Agents.drain(directory, main.url());
    assertThat(main.keys()).hasSize(100);
  }

  @Test
  void the_agent_continues_when_the_process_group_of_the_application_is_killed() throws Exception {
    Agents.install(directory);
    ApplicationProcess application =
        closeAfterTest(ApplicationProcess.start(directory, main, fallback, true, 1, 10, 0));
    assertThat(application.line()).isEqualTo("ready");
    application.resume();
    assertThat(application.line()).startsWith("done true").contains("deliveredToEchoPost=10");

    List<ProcessHandle> agents =
        Agents.all(directory).stream().filter(p -> p.pid() != application.handle().pid()).toList();
    assertThat(agents).hasSize(2);
    for (ProcessHandle process : agents) {
      assertThat(session(process)).isNotEqualTo(session(application.handle()));
      assertThat(descriptors(process, 0, 2)).containsOnly("/dev/null");
      assertThat(descriptors(process, 3, 9999))
          .noneMatch(target -> target.startsWith("pipe:") && !isOwnPipe(process, target))
          .noneMatch(target -> target.endsWith(".jar") && target.contains(".m2"));
    }
    signal("KILL", -application.handle().pid());
    assertThat(application.exits()).isTrue();

    main.comeUp();
    await().atMost(TIME_LIMIT).until(() -> main.keys().size() == 10);
    assertThat(Agents.starts(directory)).isEqualTo(1);
  }

  @Test
  void a_terminated_process_leaves_its_records_with_echopost_or_in_a_file() throws Exception {
    main.comeUp();
    main.hang();
    Agents.install(directory);
    ApplicationProcess application =
        closeAfterTest(ApplicationProcess.start(directory, main, fallback, false, 1, 10, 0));
    assertThat(application.line()).isEqualTo("ready");
    application.resume();
    await().atMost(TIME_LIMIT).until(() -> main.requests() > 0);
    signal("TERM", application.handle().pid());
    assertThat(application.exits()).isTrue();

    main.comeUp();
    Agents.drain(directory, main.url());
    assertThat(main.keys().size() + dropped().size()).isEqualTo(10);
  }

  private static int session(ProcessHandle process) throws IOException {
    // The sixth field in proc(5); the second one is in parentheses.
    String stat = Files.readString(Path.of("/proc/" + process.pid() + "/stat"));
    return Integer.parseInt(stat.substring(stat.lastIndexOf(')') + 2).split(" ")[3]);
  }

  private static Set<String> descriptors(ProcessHandle process, int from, int to)
      throws IOException {
    try (Stream<Path> all = Files.list(Path.of("/proc/" + process.pid() + "/fd"))) {
      return all.filter(
              fd -> {
                int number = Integer.parseInt(fd.getFileName().toString());
                return number >= from && number <= to;
              })
          .map(EchoPostTest::target)
          .collect(Collectors.toSet());
    }
  }

  private static String target(Path link) {
    try {
      return Files.readSymbolicLink(link).toString();
    } catch (IOException closedMeanwhile) {
      return "/dev/null";
    }
  }

  /** Whether no other process has the pipe open. */
  private static boolean isOwnPipe(ProcessHandle process, String pipe) {
    return ProcessHandle.allProcesses()
        .filter(other -> other.pid() != process.pid())
        .noneMatch(other -> {
          try {
            return descriptors(other, 0, 9999).contains(pipe);
          } catch (IOException notOurs) {
            return false;
          }
        });
  }
}
