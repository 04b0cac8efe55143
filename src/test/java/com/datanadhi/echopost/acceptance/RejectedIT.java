package com.datanadhi.echopost.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.datanadhi.echopost.buffer.Rejections;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.proto.OperatorGrpc;
import com.datanadhi.echopost.proto.RejectedRange;
import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.LoadClient;
import com.datanadhi.echopost.testkit.Payloads;
import com.datanadhi.testkit.PackagedProgram;
import com.datanadhi.testkit.Processes;
import com.datanadhi.testkit.StubServer;
import io.grpc.ManagedChannel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/// The commands for rejected records, with the packaged program: beside a running agent, without
/// one, and when the agent or the command is killed.
class RejectedIT extends AcceptanceTest {
  private static final int MANY = 30_000;
  private static final StubServer.Behaviour REJECT = StubServer.Behaviour.status(422, "no");

  /// Creates a buffer with `count` rejected records and no agent.
  private void createRejectedRecords(int count) throws Exception {
    AgentProcess agent = agent();
    send(agent, load(count, 1));
    agent.terminate();
    assertThat(agent.awaitExit(SOON)).isEqualTo(4);
    Rejections.rejectAll(directory, 422);
  }

  /// The keys that the run has given to its first records, of which the first was delivered first.
  private List<String> keys(long count) {
    String first = deliveredKeys().getFirst();
    assertThat(first).matches("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-1");
    String source = first.substring(0, first.length() - 2);
    return LongStream.rangeClosed(1, count).mapToObj(n -> source + "-" + n).toList();
  }

  private List<String> deliveredKeys() {
    return server.deliveries().stream().map(StubServer.Request::key).toList();
  }

  private String ledger() throws Exception {
    return query(
        "SELECT accepted||' '||delivered||' '||pending||' '||rejected||' '||discarded FROM ledger");
  }

  /// Starts a server that accepts everything, and checks that it receives each of `count` records
  /// once, in order, under its original key.
  private void assertAllDeliveredOnce(AgentProcess agent, int count) throws Exception {
    assertAllDeliveredOnce(agent, count, 0);
  }

  /// The same, behind `others` records of other clients.
  private void assertAllDeliveredOnce(AgentProcess agent, int count, int others) throws Exception {
    int before = server.deliveries().size() + others;
    server.onDelivery(StubServer.OK);
    server.comeUp();
    assertThat(agent.awaitExit(Duration.ofSeconds(60))).isIn(0, 5);
    assertThat(deliveredKeys().subList(before, server.deliveries().size())).isEqualTo(keys(count));
    assertThat(
            Payloads.check(
                    server.deliveries().subList(before, server.deliveries().size()).stream()
                        .map(StubServer.Request::text)
                        .toList())
                .seqsByClient()
                .get(0))
        .isEqualTo(Payloads.sequence(count));
    int all = count + others;
    assertThat(ledger()).isEqualTo(all + " " + all + " 0 0 0");
  }

  @Test
  void rejected_records_are_listed_redriven_by_the_running_agent_and_delivered_under_their_keys()
      throws Exception {
    AgentProcess agent = agent();
    send(agent, load(20, 1));
    server.onDelivery(REJECT);
    server.comeUp();
    await().atMost(SOON).until(() -> ledger().equals("20 0 0 20 0"));
    server.goDown();
    // The agent would exit if the commands took longer than it lingers.
    try (LoadClient other = new LoadClient(agent.socket())) {
      assertThat(other.send(LoadClient.request(1, 0, 100)).getSuccess()).isTrue();
    }

    ProgramResult list = runCommand("rejected");
    assertThat(list.exit()).isZero();
    assertThat(list.out())
        .hasLineCount(21)
        .contains("     422         1  20")
        .doesNotContain("key-");

    ProgramResult redrive = runCommand("redrive", "-all");
    assertThat(redrive)
        .isEqualTo(
            new ProgramResult(
                0, "20 records redriven; the agent delivers them when the server is up\n", ""));
    assertThat(ledger()).isEqualTo("21 0 21 0 0");
    assertThat(agent.hasLogged(EventNames.REJECTED_REDRIVEN)).isTrue();
    assertAllDeliveredOnce(agent, 20, 1);
    assertThat(agent.output()).contains("\"rejected\":20,\"redriven\":20,\"pending\":0}");
  }

  @Test
  void records_redriven_without_an_agent_are_delivered_by_the_next_agent() throws Exception {
    createRejectedRecords(20);

    assertThat(runCommand("rejected").out()).hasLineCount(21);
    assertThat(runCommand("redrive", "-status", "400").out()).startsWith("nothing to do");
    assertThat(runCommand("redrive", "-id", "1").out()).startsWith("1 record redriven");
    assertThat(runCommand("redrive", "-all").out()).startsWith("19 records redriven");

    assertAllDeliveredOnce(agent(), 20);
  }

  @Test
  void records_are_discarded_with_and_without_a_running_agent() throws Exception {
    createRejectedRecords(20);
    assertThat(runCommand("rejected", "-discard", "-id", "3", "-yes").out())
        .isEqualTo("1 record deleted permanently\n");
    assertThat(ledger()).isEqualTo("20 0 0 19 1");

    AgentProcess agent = agent();
    ProgramResult unasked = runCommand("rejected", "-discard", "-all");
    assertThat(unasked.exit()).isEqualTo(2);
    assertThat(unasked.err()).contains("add -yes").hasLineCount(1);
    assertThat(runCommand("rejected", "-discard", "-all", "-yes").out())
        .isEqualTo("19 records deleted permanently\n");

    assertThat(ledger()).isEqualTo("20 0 0 0 20");
    assertThat(agent.hasLogged(EventNames.REJECTED_DISCARDED)).isTrue();
    server.comeUp();
    assertThat(agent.awaitExit(SOON)).isZero();
    assertThat(server.count()).isZero();
  }

  @Test
  void at_a_terminal_a_discard_needs_a_confirmation() throws Exception {
    createRejectedRecords(2);
    for (String answer : List.of("n", "y")) {
      Process script =
          new ProcessBuilder(
                  "script",
                  "-qec",
                  PackagedProgram.path() + " rejected -discard -all -datanadhi " + directory,
                  "/dev/null")
              .redirectErrorStream(true)
              .start();
      use(() -> Processes.kill(script));
      script
          .getOutputStream()
          .write((answer + "\n").getBytes(java.nio.charset.StandardCharsets.US_ASCII));
      script.getOutputStream().flush();
      ProgramResult ran = awaitEnd(script);
      assertThat(ran.exit()).isZero();
      assertThat(ran.out()).contains("Delete 2 records permanently? [y/N]");
      assertThat(ledger()).isEqualTo(answer.equals("y") ? "2 0 0 0 2" : "2 0 0 2 0");
    }
  }

  @Test
  void two_redrives_at_the_same_time_redrive_each_record_once() throws Exception {
    createRejectedRecords(MANY);
    assertRedrivenOnce(
        startCommand(directory, "redrive", "-all"),
        startCommand(directory, "redrive", "-all"),
        MANY);
    assertAllDeliveredOnce(agent(), MANY);
  }

  @Test
  void two_redrives_at_the_same_time_through_the_running_agent_redrive_each_record_once()
      throws Exception {
    createRejectedRecords(MANY);
    AgentProcess agent = agent();
    assertRedrivenOnce(
        startCommand(directory, "redrive", "-all"),
        startCommand(directory, "redrive", "-all"),
        MANY);
    assertAllDeliveredOnce(agent, MANY);
  }

  private static void assertRedrivenOnce(Process first, Process second, int count)
      throws Exception {
    ProgramResult one = awaitEnd(first);
    ProgramResult two = awaitEnd(second);
    assertThat(List.of(one.exit(), two.exit())).as("%s %s", one, two).containsOnly(0);
    assertThat(redriven(one) + redriven(two)).as("%s %s", one, two).isEqualTo(count);
  }

  private static long redriven(ProgramResult ran) {
    String first = ran.out().split(" ", 2)[0];
    return first.equals("nothing") ? 0 : Long.parseLong(first);
  }

  @Test
  void an_agent_that_is_spawned_during_a_redrive_starts_in_time_and_continues_it()
      throws Exception {
    createRejectedRecords(MANY);
    Process redrive = startCommand(directory, "redrive", "-all");
    await().pollInterval(Duration.ofMillis(1)).atMost(SOON).until(() -> !pendingRows().equals("0"));
    // An SDK waits for two seconds.
    AgentProcess agent = spawn();
    long nanos = agent.awaitSocket();
    System.out.println("socket after " + nanos / 1_000_000 + " ms, during a redrive");
    assertThat(awaitEnd(redrive).exit()).isZero();
    assertAllDeliveredOnce(agent, MANY);
  }

  private String pendingRows() throws Exception {
    return query("SELECT count(*) FROM (SELECT 1 FROM records LIMIT 1)");
  }

  @Test
  void kill_9_of_a_redrive_neither_loses_nor_duplicates_records() throws Exception {
    createRejectedRecords(MANY);
    for (int round = 0; round < 3; round++) {
      String before = query("SELECT pending FROM ledger");
      Process redrive = startCommand(directory, "redrive", "-all");
      await()
          .pollInterval(Duration.ofMillis(1))
          .atMost(SOON)
          .until(() -> !query("SELECT pending FROM ledger").equals(before) || !redrive.isAlive());
      Processes.kill(redrive);
      int _ = redrive.waitFor();
    }
    assertThat(query("SELECT pending + rejected FROM ledger")).isEqualTo(Integer.toString(MANY));

    assertThat(runCommand("redrive", "-all").exit()).isZero();
    assertAllDeliveredOnce(agent(), MANY);
  }

  @Test
  void kill_9_of_the_agent_during_a_redrive_neither_loses_nor_duplicates_records()
      throws Exception {
    createRejectedRecords(MANY);
    AgentProcess agent = agent();
    Process redrive = startCommand(directory, "redrive", "-all");
    await().pollInterval(Duration.ofMillis(1)).atMost(SOON).until(() -> !pendingRows().equals("0"));
    agent.kill();

    ProgramResult ran = awaitEnd(redrive);

    // Without the agent the command continues on the buffer itself.
    assertThat(ran.exit()).as(ran.err()).isZero();
    assertThat(ledger()).isEqualTo(MANY + " 0 " + MANY + " 0 0");
    assertAllDeliveredOnce(spawnReady(), MANY);
  }

  private AgentProcess spawnReady() throws IOException {
    AgentProcess agent = spawn();
    agent.awaitReady();
    return agent;
  }

  @Test
  void a_usage_error_prints_one_line_and_exits_with_2() throws Exception {
    for (List<String> words :
        List.of(
            List.of("rejected"),
            List.of("redrive", "-all"),
            List.of("redrive"),
            List.of("redrive", "-frobnicate"))) {
      ProgramResult ran = runCommand(words.toArray(String[]::new));
      assertThat(ran.exit()).isEqualTo(2);
      assertThat(ran.err()).startsWith("echopost: ").hasLineCount(1);
      assertThat(ran.out()).isEmpty();
    }
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void without_a_cache_directory_a_command_unpacks_the_program_into_its_directory()
      throws Exception {
    Path data = Files.createDirectory(directory.resolve("data"));
    ProgramResult ran = run(Map.of(), "rejected", "-datanadhi", "data");
    assertThat(ran.err())
        .isEqualTo(
            "echopost: there is no buffer in data: give the agent's directory with -datanadhi\n");
    assertThat(data.resolve(".runtime")).isDirectory();
  }

  @Test
  void a_manual_change_of_the_database_causes_a_severe_event_and_exit_1() throws Exception {
    createRejectedRecords(5);
    try (var sqlite = new com.datanadhi.echopost.buffer.Sqlite(directory)) {
      sqlite.execute("DELETE FROM rejected WHERE id = 2");
    }
    server.comeUp();
    AgentProcess agent = spawn();
    assertThat(agent.awaitExit(SOON)).isEqualTo(1);
    assertThat(agent.output())
        .contains("\"event\":\"" + EventNames.LEDGER_BROKEN + "\"")
        .contains("\"rejected\":5,\"rejected_counted\":4");
    assertThat(ledger()).isEqualTo("4 0 0 4 0");
    assertThat(spawn().awaitExit(SOON)).isZero();
  }

  @Test
  void another_user_that_may_send_records_may_not_redrive_or_discard_records() throws Exception {
    Path setpriv = Path.of("/usr/bin/setpriv");
    assumeTrue(
        Files.isExecutable(setpriv)
            && Files.getAttribute(directory, "unix:uid").equals(0)
            && Path.of(System.getProperty("java.home")).startsWith("/usr"),
        "skipped: needs root, setpriv and a JDK that all users can read");
    createRejectedRecords(3);
    AgentProcess agent =
        use(AgentProcess.spawn(directory, server.url(), Map.of("ECHOPOST_SOCKET_MODE", "0666")));
    agent.awaitReady();
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    Path strangersDirectory = Files.createDirectory(directory.resolve("theirs"));
    Files.setPosixFilePermissions(strangersDirectory, PosixFilePermissions.fromString("rwxrwxrwx"));
    Path outside = strangersDirectory.resolve("s");
    // Without its package, which would require the directories of that package.
    Path source =
        Files.writeString(
            strangersDirectory.resolve("Relay.java"),
            Files.readString(Path.of("src/test/java/com/datanadhi/echopost/testkit/Relay.java"))
                .replaceFirst("package [^;]+;", ""));
    Files.setPosixFilePermissions(source, PosixFilePermissions.fromString("rw-r--r--"));
    Process relay =
        new ProcessBuilder(
                setpriv.toString(),
                "--reuid=65534",
                "--regid=65534",
                "--clear-groups",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                source.toString(),
                outside.toString(),
                agent.socket().toString())
            .inheritIO()
            .start();
    use(() -> Processes.kill(relay));
    await().atMost(Duration.ofSeconds(60)).until(() -> Files.exists(outside));
    LoadClient stranger = use(new LoadClient(outside));
    RejectedRange all = RejectedRange.newBuilder().setThroughId(Long.MAX_VALUE).build();

    // The socket file exists a moment before the relay accepts connections.
    await()
        .atMost(SOON)
        .ignoreExceptions()
        .until(() -> stranger.send(LoadClient.request(1, 0, 100)).getSuccess());
    ManagedChannel channel = stranger.newChannel();
    use(channel::shutdownNow);
    assertThatThrownBy(() -> OperatorGrpc.newBlockingStub(channel).discard(all))
        .hasMessageStartingWith(
            "PERMISSION_DENIED: only the user that the agent runs as, and root,");
    assertThatThrownBy(() -> OperatorGrpc.newBlockingStub(channel).redrive(all))
        .hasMessageStartingWith("PERMISSION_DENIED");

    assertThat(ledger()).isEqualTo("4 0 1 3 0");
    ManagedChannel own = client(agent).newChannel();
    use(own::shutdownNow);
    assertThat(OperatorGrpc.newBlockingStub(own).discard(all).getCount()).isEqualTo(3);
  }
}
