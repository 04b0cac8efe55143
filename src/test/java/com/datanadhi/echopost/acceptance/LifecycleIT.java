package com.datanadhi.echopost.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.proto.LogAgentGrpc;
import com.datanadhi.echopost.proto.LogRequest;
import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.LoadClient;
import com.datanadhi.testkit.PackagedProgram;
import com.datanadhi.testkit.Processes;
import com.datanadhi.testkit.StubServer;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// An agent from its spawn to its exit: the packaged program, as a process that is really killed.
class LifecycleIT extends AcceptanceTest {
  @Test
  void records_taken_while_the_server_is_down_arrive_in_order_once_it_is_up() throws Exception {
    AgentProcess agent = agent();
    send(agent, load(2_000, 4));
    assertThat(query("SELECT count(*) FROM records")).isEqualTo("2000");

    server.comeUp();

    assertThat(agent.awaitExit(SOON)).isZero();
    assertThat(order().inversions()).isZero();
    assertThat(order().repeats()).isZero();
    for (int client = 0; client < 4; client++) {
      assertInOrder(client, 500);
    }
    assertThat(agent.socket()).doesNotExist();
    assertThat(query("SELECT accepted || ' ' || delivered || ' ' || rejected FROM meta"))
        .isEqualTo("2000 2000 0");
    assertThat(query("SELECT count(*) FROM records")).isEqualTo("0");
  }

  @Test
  void an_agent_with_nothing_to_do_exits() throws Exception {
    server.comeUp();
    AgentProcess agent = agent();

    assertThat(agent.awaitExit(SOON)).isZero();

    assertThat(agent.socket()).doesNotExist();
    assertThat(agent.hasLogged(EventNames.AGENT_STOPPED)).isTrue();
  }

  @Test
  void an_agent_stays_while_the_server_is_down() throws Exception {
    server.onProbe(StubServer.Behaviour.status(503, ""));
    server.comeUp();
    AgentProcess agent = agent();

    // The sixth probe comes at least 5.75 s after the first: the longest lingering without records
    // is
    // over by then.
    await().atMost(SOON).until(() -> server.probes() >= 6);

    assertThat(agent.isAlive()).isTrue();
    assertThat(agent.hasLogged(EventNames.DRAINING)).isFalse();
    assertThat(agent.socket()).exists();
  }

  @Test
  void a_flapping_server_gets_everything_in_order() throws Exception {
    AgentProcess agent = agent();
    Thread flapping =
        Thread.ofVirtual()
            .start(() -> {
              try {
                for (int i = 0; i < 6; i++) {
                  server.comeUp();
                  int seen = server.count();
                  await().atMost(SOON).until(() -> server.count() > seen + 50);
                  server.goDown();
                }
                server.comeUp();
              } catch (java.io.IOException broken) {
                throw new java.io.UncheckedIOException(broken);
              }
            });

    send(agent, new LoadClient.Load(3_000, 330, 3, 16, 1_500, 0));

    flapping.join();
    assertThat(agent.awaitExit(SOON)).isZero();
    for (int client = 0; client < 3; client++) {
      assertInOrder(client, 1_000);
    }
  }

  @Test
  void records_acknowledged_before_a_kill_during_ingest_are_delivered_after_it() throws Exception {
    AgentProcess agent = agent();
    CompletableFuture<LoadClient.Result> sending = new CompletableFuture<>();
    LoadClient client = client(agent);
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

    agent.kill();
    sender.join();
    LoadClient.Result result = sending.join();
    server.comeUp();
    AgentProcess next = agent();

    assertThat(next.awaitExit(SOON)).isZero();
    assertThat(order().inversions()).isZero();
    assertThat(result.acknowledged()).isBetween(1_000L, 49_999L);
    for (int c = 0; c < 4; c++) {
      Set<Long> arrived = new HashSet<>(order().seqsByClient().get(c));
      for (long acknowledged : result.ackedSeqs().get(c)) {
        assertThat(arrived).contains(acknowledged);
      }
    }
  }

  @Test
  void a_kill_during_replay_repeats_at_most_one_batch_with_the_same_keys() throws Exception {
    AgentProcess agent = agent();
    send(agent, load(5_000, 1));
    server.comeUp();
    awaitDelivered(1_000);

    agent.kill();
    int atKill = server.count();
    AgentProcess next = agent();

    assertThat(next.awaitExit(SOON)).isZero();
    assertThat(atKill).isLessThan(5_000);
    assertInOrder(0, 5_000);
    assertThat(order().repeats()).isLessThanOrEqualTo(256);
    assertThat(server.distinct()).isEqualTo(5_000);
  }

  @Test
  void a_server_that_goes_down_during_replay_gets_the_rest_later() throws Exception {
    AgentProcess agent = agent();
    send(agent, load(4_000, 1));
    server.comeUp();
    awaitDelivered(500);

    server.goDown();
    await().atMost(SOON).until(() -> agent.hasLogged(EventNames.REPLAY_SUSPENDED));
    server.comeUp();

    assertThat(agent.awaitExit(SOON)).isZero();
    assertInOrder(0, 4_000);
  }

  @Test
  void a_signal_ends_the_agent_with_4_while_records_are_pending() throws Exception {
    AgentProcess agent = agent();
    send(agent, load(100, 1));

    agent.terminate();

    assertThat(agent.awaitExit(SOON)).isEqualTo(4);
    assertThat(agent.socket()).doesNotExist();
    assertThat(agent.output())
        .contains("\"event\":\"" + EventNames.AGENT_STOPPED + "\",\"exit_code\":4");
    server.comeUp();
    assertThat(agent().awaitExit(SOON)).isZero();
    assertInOrder(0, 100);
  }

  @Test
  void an_interrupt_with_nothing_pending_ends_the_agent_with_0() throws Exception {
    // A background process of a shell inherits that SIGINT is ignored.
    String withInterrupts =
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL);"
            + " os.execv(sys.argv[1], sys.argv[1:])";
    List<String> command =
        List.of(
            "python3", "-c", withInterrupts, PackagedProgram.path().toAbsolutePath().toString());
    AgentProcess agent = use(AgentProcess.spawn(command, directory, server.url()));
    agent.awaitReady();

    Processes.signal(agent.handle(), "INT");

    assertThat(agent.awaitExit(SOON)).isZero();
  }

  @Test
  void an_agent_that_waited_for_the_directory_still_serves_for_two_seconds() throws Exception {
    server.comeUp();
    AgentProcess agent;
    try (FileChannel file =
            FileChannel.open(
                DirectoryLayout.lock(directory),
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE);
        FileLock held = file.lock()) {
      agent = spawn();
      await().atMost(SOON).until(() -> agent.jvm().isPresent());
      Instant spawned = agent.jvm().orElseThrow().info().startInstant().orElseThrow();
      // Longer than the linger time, and shorter than the wait for the lock. That the agent does
      // not
      // exit in this time is no condition to wait for.
      await().atMost(SOON).until(() -> Instant.now().isAfter(spawned.plusSeconds(3)));
      assertThat(agent.handle().isAlive()).isTrue();
      assertThat(agent.socket()).doesNotExist();
      assertThat(held.isValid()).isTrue();
    }
    agent.awaitReady();
    long published = System.nanoTime();

    assertThat(agent.awaitExit(SOON)).isZero();

    // Two seconds, less the time between the publication and the read of the clock here.
    assertThat(Duration.ofNanos(System.nanoTime() - published))
        .isGreaterThan(Duration.ofMillis(1_800));
  }

  @Test
  void a_second_agent_exits_with_3_and_the_first_keeps_serving() throws Exception {
    AgentProcess first = agent();
    AgentProcess second = spawn();

    assertThat(second.awaitExit(SOON)).isEqualTo(3);

    assertThat(second.output()).startsWith("echopost: another agent owns");
    send(first, load(10, 1));
  }

  @Test
  void the_socket_file_comes_back_when_another_process_deletes_or_replaces_it() throws Exception {
    AgentProcess agent = agent();

    Files.delete(agent.socket());
    await()
        .pollInterval(Duration.ofMillis(2))
        .atMost(SOON)
        .until(() -> Files.exists(agent.socket()));
    send(agent, load(5, 1));
    Files.delete(agent.socket());
    Files.writeString(agent.socket(), "not a socket");
    await()
        .pollInterval(Duration.ofMillis(2))
        .atMost(SOON)
        .until(() -> !Files.isRegularFile(agent.socket()));

    send(agent, load(5, 1));
    assertThat(Files.exists(agent.directory().resolve(".agent-publish.sock"))).isFalse();
  }

  @Test
  void a_dead_agents_socket_file_is_replaced() throws Exception {
    try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      dead.bind(UnixDomainSocketAddress.of(directory.resolve("data-nadhi-agent.sock")));
    }
    AgentProcess agent = agent();

    send(agent, load(5, 1));
  }

  @Test
  void a_successor_takes_over_while_its_predecessor_leaves() throws Exception {
    server.comeUp();
    AgentProcess first = agent();
    await()
        .pollInterval(Duration.ofMillis(1))
        .atMost(SOON)
        .until(() -> !Files.exists(first.socket()));

    AgentProcess second = agent();

    assertThat(first.awaitExit(SOON)).isZero();
    send(second, load(5, 1));
  }

  @Test
  void records_that_arrive_while_the_agent_leaves_are_delivered() throws Exception {
    server.comeUp();
    AgentProcess agent = agent();
    LoadClient client = client(agent);
    List<Long> acknowledged = new ArrayList<>();
    long seq = 0;
    // One connection per record, with gaps that grow to the time after which the agent leaves, and
    // beyond.
    for (long gap = 100; agent.isAlive() && gap < 30_000; gap += gap < 1_900 ? 600 : 2) {
      long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(gap);
      await()
          .pollInterval(Duration.ofMillis(1))
          .atMost(Duration.ofMinutes(1))
          .until(() -> System.nanoTime() >= until || !agent.isAlive());
      if (sendLikeAnSdk(client, agent, seq)) {
        acknowledged.add(seq);
      }
      seq++;
      if (seq > 12) {
        break;
      }
    }

    assertThat(agent.awaitExit(Duration.ofSeconds(40))).isZero();
    assertThat(acknowledged).isNotEmpty();
    // The record of a failed call may be stored nevertheless.
    assertThat(order().seqsByClient().get(0)).containsSubsequence(acknowledged);
  }

  private static boolean sendLikeAnSdk(LoadClient client, AgentProcess agent, long seq) {
    if (!Files.exists(agent.socket())) {
      return false;
    }
    try {
      return client.send(LoadClient.request(0, seq, 200)).getSuccess();
    } catch (StatusRuntimeException gone) {
      // The one gap is in the client: it checked the name, the name went, and it connected.
      assertThat(gone.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
      return false;
    }
  }

  @Test
  void records_that_the_server_rejects_are_moved_to_rejected_and_the_exit_status_is_5()
      throws Exception {
    AgentProcess agent = agent();
    send(agent, load(10, 1));
    server.onDelivery((request, out) ->
        (request.text().contains("\"seq\":4,")
                ? StubServer.Behaviour.status(422, "no such pipeline")
                : StubServer.OK)
            .respond(request, out));

    server.comeUp();

    assertThat(agent.awaitExit(SOON)).isEqualTo(5);
    assertThat(server.distinct()).isEqualTo(10);
    assertThat(
            query("SELECT id || ' ' || status || ' ' || response || ' ' || attempts FROM rejected"))
        .isEqualTo("5 422 no such pipeline 1");
    assertThat(query("SELECT accepted - delivered - rejected FROM meta")).isEqualTo("0");
  }

  @Test
  void the_order_of_each_connection_is_kept_for_all_record_sizes() throws Exception {
    AgentProcess agent = agent();
    List<Thread> senders = new ArrayList<>();
    for (int c = 0; c < 6; c++) {
      int client = c;
      ManagedChannel channel = client(agent).newChannel();
      use(channel::shutdownNow);
      senders.add(
          Thread.ofPlatform()
              .start(() -> {
                var stub = LogAgentGrpc.newFutureStub(channel);
                var calls = new ArrayList<com.google.common.util.concurrent.ListenableFuture<?>>();
                for (int seq = 0; seq < 200; seq++) {
                  int size = seq % 20 == 0 ? 300_000 : 100 + seq * 37 % 2_000;
                  calls.add(stub.sendLog(LoadClient.request(client, seq, size)));
                }
                calls.forEach(com.google.common.util.concurrent.Futures::getUnchecked);
              }));
    }
    for (Thread sender : senders) {
      sender.join();
    }
    server.comeUp();

    assertThat(agent.awaitExit(Duration.ofSeconds(60))).isZero();
    for (int c = 0; c < 6; c++) {
      assertInOrder(c, 200);
    }
  }

  @Test
  void a_record_is_delivered_byte_for_byte_with_its_key_and_pipelines() throws Exception {
    AgentProcess agent = agent();
    String odd =
        " {\"b\" : 1.0e2 ,\t\"a\":\"\\u00e9 é 😀\", \"big\":123456789012345678901234567890}\n";

    var _ =
        client(agent)
            .send(
                LogRequest.newBuilder()
                    .setJsonData(odd)
                    .addPipelines("a \"quoted\" one")
                    .addPipelines("é")
                    .setApiKey("own key")
                    .build());
    var _ = client(agent).send(LogRequest.newBuilder().setJsonData("[]").build());
    server.comeUp();

    assertThat(agent.awaitExit(SOON)).isZero();
    StubServer.Request first = server.deliveries().get(0);
    assertThat(first.text())
        .isEqualTo("{\"pipelines\":[\"a \\\"quoted\\\" one\",\"é\"],\"log_data\":" + odd + "}");
    assertThat(first.path()).isEqualTo("/log");
    assertThat(first.headers())
        .containsEntry("datanadhi-api-key", "own key")
        .containsEntry("content-type", "application/json");
    assertThat(first.key()).matches("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-1");
    StubServer.Request second = server.deliveries().get(1);
    assertThat(second.key()).isEqualTo(first.key().replaceAll("1$", "2"));
    assertThat(second.text()).isEqualTo("{\"pipelines\":[],\"log_data\":[]}");
    assertThat(second.headers()).containsEntry("datanadhi-api-key", "agent-key");
  }

  @Test
  void files_are_private_and_the_socket_has_the_configured_mode() throws Exception {
    AgentProcess agent =
        use(
            AgentProcess.spawn(
                directory.resolve("new"),
                server.url(),
                java.util.Map.of("ECHOPOST_SOCKET_MODE", "0660")));
    agent.awaitReady();

    assertThat(mode(agent.directory())).isEqualTo("rwx------");
    assertThat(mode(agent.socket())).isEqualTo("rw-rw----");
    for (String name : List.of("agent.lock", "buffer.db", "buffer.db-wal", "buffer.db-shm")) {
      assertThat(mode(agent.directory().resolve(name))).as(name).isEqualTo("rw-------");
    }
  }

  private static String mode(Path file) throws java.io.IOException {
    return java.nio.file.attribute.PosixFilePermissions.toString(
        Files.getPosixFilePermissions(file));
  }
}
