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
import com.datanadhi.echopost.testkit.StubServer;
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

/// What operators do about rejected records, on the packaged program, with agents that live, leave
/// and are killed.
class RejectedIT extends AcceptanceTest {
  private static final int MANY = 30_000;
  private static final StubServer.Behaviour REFUSE = StubServer.Behaviour.status(422, "no");

  /// Leaves `count` records in `rejected`, and no agent.
  private void rejectedRecords(int count) throws Exception {
    AgentProcess agent = agent();
    send(agent, load(count, 1));
    agent.terminate();
    assertThat(agent.awaitExit(SOON)).isEqualTo(4);
    Rejections.rejectAll(directory, 422);
  }

  private List<String> keys(long count) throws Exception {
    String bufferId = query("SELECT buffer_id FROM meta");
    return LongStream.rangeClosed(1, count).mapToObj(id -> bufferId + "-" + id).toList();
  }

  private List<String> deliveredKeys() {
    return server.deliveries().stream().map(StubServer.Request::key).toList();
  }

  private String ledger() throws Exception {
    return query(
        "SELECT accepted||' '||delivered||' '||pending||' '||rejected||' '||discarded FROM ledger");
  }

  /// The server takes everything from now on, and gets each of `count` records once, in order,
  /// under its first key.
  private void assertAllDeliveredOnce(AgentProcess agent, int count) throws Exception {
    int before = server.deliveries().size();
    server.onDelivery(StubServer.OK);
    server.comeUp();
    assertThat(agent.awaitExit(Duration.ofSeconds(60))).isIn(0, 5);
    assertThat(deliveredKeys().subList(before, server.deliveries().size())).isEqualTo(keys(count));
    assertThat(
            Payloads.check(
                    server.deliveries().subList(before, server.deliveries().size()).stream()
                        .map(StubServer.Request::text)
                        .toList())
                .seqsOf()
                .get(0))
        .isEqualTo(Payloads.whole(count));
    assertThat(ledger()).isEqualTo(count + " " + count + " 0 0 0");
  }

  @Test
  void refused_records_are_listed_redriven_by_the_living_agent_and_delivered_under_their_keys()
      throws Exception {
    AgentProcess agent = agent();
    send(agent, load(20, 1));
    server.onDelivery(REFUSE);
    server.comeUp();
    await().atMost(SOON).until(() -> ledger().equals("20 0 0 20 0"));
    server.goDown();

    Ran list = operator("rejected");
    assertThat(list.exit()).isZero();
    assertThat(list.out())
        .hasLineCount(21)
        .contains("     422         1  20")
        .doesNotContain("key-");

    Ran redrive = operator("redrive", "-all");
    assertThat(redrive)
        .isEqualTo(
            new Ran(
                0, "20 records put back; the agent delivers them when the server is well\n", ""));
    assertThat(ledger()).isEqualTo("20 0 20 0 0");
    assertThat(agent.hasLogged(EventNames.REJECTED_REDRIVEN)).isTrue();
    assertAllDeliveredOnce(agent, 20);
    assertThat(agent.output()).contains("\"rejected\":20,\"redriven\":20,\"pending\":0}");
  }

  @Test
  void without_an_agent_they_wait_for_the_next_one() throws Exception {
    rejectedRecords(20);

    assertThat(operator("rejected").out()).hasLineCount(21);
    assertThat(operator("redrive", "-status", "400").out()).startsWith("nothing to do");
    assertThat(operator("redrive", "-id", "1").out()).startsWith("1 record put back");
    assertThat(operator("redrive", "-all").out()).startsWith("19 records put back");

    assertAllDeliveredOnce(agent(), 20);
  }

  @Test
  void discarded_records_are_gone_whether_or_not_an_agent_lives() throws Exception {
    rejectedRecords(20);
    assertThat(operator("rejected", "-discard", "-id", "3", "-yes").out())
        .isEqualTo("1 record deleted for good\n");
    assertThat(ledger()).isEqualTo("20 0 0 19 1");

    AgentProcess agent = agent();
    Ran unasked = operator("rejected", "-discard", "-all");
    assertThat(unasked.exit()).isEqualTo(2);
    assertThat(unasked.err()).contains("say -yes").hasLineCount(1);
    assertThat(operator("rejected", "-discard", "-all", "-yes").out())
        .isEqualTo("19 records deleted for good\n");

    assertThat(ledger()).isEqualTo("20 0 0 0 20");
    assertThat(agent.hasLogged(EventNames.REJECTED_DISCARDED)).isTrue();
    server.comeUp();
    assertThat(agent.awaitExit(SOON)).isZero();
    assertThat(server.count()).isZero();
  }

  @Test
  void a_person_at_a_terminal_is_asked() throws Exception {
    rejectedRecords(2);
    for (String answer : List.of("n", "y")) {
      Process script =
          new ProcessBuilder(
                  "script",
                  "-qec",
                  AgentProcess.program() + " rejected -discard -all -datanadhi " + directory,
                  "/dev/null")
              .redirectErrorStream(true)
              .start();
      use(() -> AgentProcess.kill(script));
      script
          .getOutputStream()
          .write((answer + "\n").getBytes(java.nio.charset.StandardCharsets.US_ASCII));
      script.getOutputStream().flush();
      Ran ran = end(script);
      assertThat(ran.exit()).isZero();
      assertThat(ran.out()).contains("Delete 2 records for good? [y/N]");
      assertThat(ledger()).isEqualTo(answer.equals("y") ? "2 0 0 0 2" : "2 0 0 2 0");
    }
  }

  @Test
  void two_operators_at_once_put_each_record_back_once() throws Exception {
    rejectedRecords(MANY);
    assertTogether(
        operating(directory, "redrive", "-all"), operating(directory, "redrive", "-all"), MANY);
    assertAllDeliveredOnce(agent(), MANY);
  }

  @Test
  void two_operators_at_once_share_the_living_agent() throws Exception {
    rejectedRecords(MANY);
    AgentProcess agent = agent();
    assertTogether(
        operating(directory, "redrive", "-all"), operating(directory, "redrive", "-all"), MANY);
    assertAllDeliveredOnce(agent, MANY);
  }

  private static void assertTogether(Process first, Process second, int count) throws Exception {
    Ran one = end(first);
    Ran two = end(second);
    assertThat(List.of(one.exit(), two.exit())).as("%s %s", one, two).containsOnly(0);
    assertThat(putBack(one) + putBack(two)).as("%s %s", one, two).isEqualTo(count);
  }

  private static long putBack(Ran ran) {
    String first = ran.out().split(" ", 2)[0];
    return first.equals("nothing") ? 0 : Long.parseLong(first);
  }

  @Test
  void an_agent_that_is_spawned_in_the_middle_of_a_redrive_starts_in_time_and_goes_on_with_it()
      throws Exception {
    rejectedRecords(MANY);
    Process redrive = operating(directory, "redrive", "-all");
    await().pollInterval(Duration.ofMillis(1)).atMost(SOON).until(() -> !pendingRows().equals("0"));
    // An SDK waits for two seconds.
    AgentProcess agent = spawn();
    long nanos = agent.awaitSocket();
    System.out.println("socket after " + nanos / 1_000_000 + " ms, while a redrive was under way");
    assertThat(end(redrive).exit()).isZero();
    assertAllDeliveredOnce(agent, MANY);
  }

  private String pendingRows() throws Exception {
    return query("SELECT count(*) FROM (SELECT 1 FROM records LIMIT 1)");
  }

  @Test
  void kill_9_of_a_redrive_loses_and_doubles_nothing() throws Exception {
    rejectedRecords(MANY);
    for (int round = 0; round < 3; round++) {
      String before = query("SELECT pending FROM ledger");
      Process redrive = operating(directory, "redrive", "-all");
      await()
          .pollInterval(Duration.ofMillis(1))
          .atMost(SOON)
          .until(() -> !query("SELECT pending FROM ledger").equals(before) || !redrive.isAlive());
      AgentProcess.kill(redrive);
      int _ = redrive.waitFor();
    }
    assertThat(query("SELECT pending + rejected FROM ledger")).isEqualTo(Integer.toString(MANY));

    assertThat(operator("redrive", "-all").exit()).isZero();
    assertAllDeliveredOnce(agent(), MANY);
  }

  @Test
  void kill_9_of_the_agent_in_the_middle_of_a_redrive_loses_and_doubles_nothing() throws Exception {
    rejectedRecords(MANY);
    AgentProcess agent = agent();
    Process redrive = operating(directory, "redrive", "-all");
    await().pollInterval(Duration.ofMillis(1)).atMost(SOON).until(() -> !pendingRows().equals("0"));
    agent.kill();

    Ran ran = end(redrive);

    // Without the agent the command goes on by itself.
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
  void what_an_operator_gets_wrong_is_one_line_and_exit_2() throws Exception {
    for (List<String> words :
        List.of(
            List.of("rejected"),
            List.of("redrive", "-all"),
            List.of("redrive"),
            List.of("redrive", "-frobnicate"))) {
      Ran ran = operator(words.toArray(String[]::new));
      assertThat(ran.exit()).isEqualTo(2);
      assertThat(ran.err()).startsWith("echopost: ").hasLineCount(1);
      assertThat(ran.out()).isEmpty();
    }
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void a_command_unpacks_the_program_into_its_directory_where_there_is_no_cache() throws Exception {
    Path data = Files.createDirectory(directory.resolve("data"));
    Ran ran = run(Map.of(), "rejected", "-datanadhi", "data");
    assertThat(ran.err())
        .isEqualTo(
            "echopost: there is no buffer in data: name the agent's directory with -datanadhi\n");
    assertThat(data.resolve(".runtime")).isDirectory();
  }

  @Test
  void an_operators_changes_by_hand_end_in_a_severe_event_and_exit_1() throws Exception {
    rejectedRecords(5);
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
  void another_user_who_may_send_records_may_not_decide_about_rejected_ones() throws Exception {
    Path setpriv = Path.of("/usr/bin/setpriv");
    assumeTrue(
        Files.isExecutable(setpriv)
            && Files.getAttribute(directory, "unix:uid").equals(0)
            && Path.of(System.getProperty("java.home")).startsWith("/usr"),
        "skipped: to become another user takes root, setpriv and a JDK that all can read");
    rejectedRecords(3);
    AgentProcess agent =
        use(AgentProcess.spawn(directory, server.url(), Map.of("ECHOPOST_SOCKET_MODE", "0666")));
    agent.awaitReady();
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    Path theirs = Files.createDirectory(directory.resolve("theirs"));
    Files.setPosixFilePermissions(theirs, PosixFilePermissions.fromString("rwxrwxrwx"));
    Path outside = theirs.resolve("s");
    // Without its package, whose directories it would have to lie in.
    Path source =
        Files.writeString(
            theirs.resolve("Relay.java"),
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
    use(() -> AgentProcess.kill(relay));
    await().atMost(Duration.ofSeconds(60)).until(() -> Files.exists(outside));
    LoadClient stranger = use(new LoadClient(outside));
    RejectedRange all = RejectedRange.newBuilder().setThroughId(Long.MAX_VALUE).build();

    // The name is there a moment before the relay listens.
    await()
        .atMost(SOON)
        .ignoreExceptions()
        .until(() -> stranger.send(LoadClient.request(1, 0, 100)).getSuccess());
    ManagedChannel channel = stranger.newChannel();
    use(channel::shutdownNow);
    assertThatThrownBy(() -> OperatorGrpc.newBlockingStub(channel).discard(all))
        .hasMessageStartingWith("PERMISSION_DENIED: only the user that the agent runs as");
    assertThatThrownBy(() -> OperatorGrpc.newBlockingStub(channel).redrive(all))
        .hasMessageStartingWith("PERMISSION_DENIED");

    assertThat(ledger()).isEqualTo("4 0 1 3 0");
    ManagedChannel own = client(agent).newChannel();
    use(own::shutdownNow);
    assertThat(OperatorGrpc.newBlockingStub(own).discard(all).getCount()).isEqualTo(3);
  }
}
