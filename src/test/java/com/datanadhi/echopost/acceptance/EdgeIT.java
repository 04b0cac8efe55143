package com.datanadhi.echopost.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import com.datanadhi.echopost.buffer.Sqlite;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.proto.LogAgentGrpc;
import com.datanadhi.echopost.proto.LogRequest;
import com.datanadhi.echopost.proto.LogResponse;
import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.FrameClient;
import com.datanadhi.echopost.testkit.LoadClient;
import com.datanadhi.echopost.testkit.RawConnection;
import com.datanadhi.testkit.PackagedProgram;
import com.datanadhi.testkit.Processes;
import com.datanadhi.testkit.StubServer;
import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// Rare moments and unusual clients.
class EdgeIT extends AcceptanceTest {
  @Test
  void a_record_that_reaches_a_leaving_agent_is_stored_and_serving_resumes() throws Exception {
    server.comeUp();
    AgentProcess agent = agent();
    ManagedChannel channel = client(agent).newChannel();
    use(channel::shutdownNow);
    var stub = LogAgentGrpc.newBlockingStub(channel);
    assertThat(stub.sendLog(LoadClient.request(0, 0, 100)).getSuccess()).isTrue();
    awaitDelivered(1);
    // A record that comes now is not delivered before the agent's last check for pending records.
    AtomicBoolean slow = new AtomicBoolean(true);
    server.onDelivery((request, out) ->
        (slow.get() ? StubServer.Behaviour.slow(3_000, StubServer.OK) : StubServer.OK)
            .respond(request, out));
    // Connected but silent clients, one of which is always new: the agent waits half a second for
    // each.
    List<SocketChannel> silent = new ArrayList<>();
    use(() -> closeAll(silent));
    await()
        .atMost(SOON)
        .pollInterval(Duration.ofMillis(20))
        .until(() -> {
          silent.add(connect(agent.socket()));
          return !Files.exists(agent.socket());
        });

    assertThat(stub.sendLog(LoadClient.request(0, 1, 100)).getSuccess()).isTrue();

    await().atMost(SOON).until(() -> agent.hasLogged(EventNames.SERVING_RESUMED));
    await().atMost(SOON).until(() -> Files.exists(agent.socket()));
    slow.set(false);
    assertThat(agent.awaitExit(SOON)).isZero();
    assertInOrder(0, 2);
  }

  @Test
  void a_call_that_begins_after_the_goaway_was_sent_is_answered() throws Exception {
    server.comeUp();
    AgentProcess agent = agent();
    // A client that has long been connected and silent, and does not acknowledge the GOAWAY.
    try (FrameClient late = FrameClient.connect(agent.socket())) {
      await()
          .atMost(SOON)
          .pollInterval(Duration.ofMillis(1))
          .until(() -> !Files.exists(agent.socket()));
      try (Sqlite buffer = new Sqlite(directory)) {
        // No commit ends before the agent stops waiting for it.
        buffer.execute("BEGIN IMMEDIATE");
        FrameClient.Frame _ = late.await(FrameClient.GOAWAY);
        send(late, LoadClient.request(0, 0, 100));
        await()
            .atMost(SOON)
            .until(() -> agent.hasLogged(EventNames.SERVING_RESUMED) || !agent.isAlive());
        buffer.execute("ROLLBACK");
      }

      boolean answered = isStored(late);

      assertThat(agent.awaitExit(SOON)).isZero();
      // On a stalled machine the call can come too late to be accepted at all.
      assertThat(answered).isEqualTo(query("SELECT accepted FROM ledger").equals("1"));
    }
  }

  /// Sends a whole call of SendLog on the first stream.
  private static void send(FrameClient client, LogRequest request) {
    try {
      client.send(
          RawConnection.frame(
              FrameClient.HEADERS, FrameClient.END_HEADERS, 1, RawConnection.sendLogHeaders()),
          RawConnection.frame(
              FrameClient.DATA,
              FrameClient.END_STREAM,
              1,
              RawConnection.prefixed(0, request.toByteArray())));
    } catch (IOException closed) {
      // It came too late.
    }
  }

  /// Whether the record of the first stream's call is acknowledged before the connection ends.
  private static boolean isStored(FrameClient client) {
    try {
      return client.answer(1).status() == Status.Code.OK.value();
    } catch (IOException closed) {
      return false;
    }
  }

  private static SocketChannel connect(Path socket) throws IOException {
    SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      boolean _ = channel.connect(UnixDomainSocketAddress.of(socket));
    } catch (IOException gone) {
      channel.close();
    }
    return channel;
  }

  private static void closeAll(List<SocketChannel> channels) throws IOException {
    for (SocketChannel channel : channels) {
      channel.close();
    }
  }

  @Test
  void a_record_that_is_committed_after_the_signal_is_counted_as_pending() throws Exception {
    AgentProcess agent = agent();
    ManagedChannel channel = client(agent).newChannel();
    use(channel::shutdownNow);
    try (Sqlite buffer = new Sqlite(directory)) {
      buffer.execute("BEGIN IMMEDIATE");
      ListenableFuture<LogResponse> call =
          LogAgentGrpc.newFutureStub(channel).sendLog(LoadClient.request(0, 0, 100));
      awaitUncommitted(1);
      assertThat(call.isDone()).isFalse();
      agent.terminate();
      await().atMost(SOON).until(() -> !Files.exists(agent.socket()));
      buffer.execute("ROLLBACK");
    }

    int exit = agent.awaitExit(SOON);

    String stored = query("SELECT count(*) FROM records");
    assertThat(exit).as("stored: " + stored).isEqualTo(stored.equals("0") ? 0 : 4);
    assertThat(agent.output()).contains("\"pending\":" + stored + "}");
  }

  /// Until the agent has `records` that wait for their commit.
  private void awaitUncommitted(int records) {
    await()
        .atMost(SOON)
        .until(
            () ->
                MetricsIT.samples(runCommand("metrics").out()).get("echopost_append_queue_records"),
            Double.valueOf(records)::equals);
  }

  @Test
  void hundreds_of_unfinished_calls_do_not_lock_out_other_clients() throws Exception {
    AgentProcess agent = agent();
    List<SocketChannel> halfOpen = new ArrayList<>();
    use(() -> closeAll(halfOpen));
    for (int i = 0; i < 600; i++) {
      SocketChannel channel = connect(agent.socket());
      halfOpen.add(channel);
      int _ = channel.write(ByteBuffer.wrap(headersWithoutABody()));
    }

    send(agent, load(10, 1));
  }

  @Test
  void thousands_of_short_connections_do_not_lock_out_other_clients() throws Exception {
    AgentProcess agent = agent();
    for (int crowd = 0; crowd < 20; crowd++) {
      List<SocketChannel> channels = new ArrayList<>();
      for (int i = 0; i < 1_000; i++) {
        channels.add(connect(agent.socket()));
      }
      closeAll(channels);
    }
    LoadClient client = client(agent);
    // While the last of them fill the backlog, the kernel refuses other connections.
    await()
        .atMost(SOON)
        .ignoreException(StatusRuntimeException.class)
        .until(() -> client.send(LoadClient.request(0, 0, 100)).getSuccess());
  }

  @Test
  void a_client_that_waited_for_the_disk_is_not_closed_as_idle() throws Exception {
    AgentProcess agent = agent();
    ManagedChannel channel = client(agent).newChannel();
    use(channel::shutdownNow);
    assertThat(
            LogAgentGrpc.newBlockingStub(channel)
                .sendLog(LoadClient.request(0, 0, 100))
                .getSuccess())
        .isTrue();
    List<SocketChannel> crowd = new ArrayList<>();
    use(() -> closeAll(crowd));
    ListenableFuture<LogResponse> waits;
    try (Sqlite buffer = new Sqlite(directory)) {
      buffer.execute("BEGIN IMMEDIATE");
      waits = LogAgentGrpc.newFutureStub(channel).sendLog(LoadClient.request(0, 1, 100));
      awaitUncommitted(1);
      // A client that falls silent now gets a GOAWAY when the other one has been silent for as
      // long.
      RawConnection silent = use(new RawConnection(agent.socket()));
      assertThat(silent.send(RawConnection.preface())).isTrue();
      long end = System.nanoTime() + SOON.toNanos();
      while (!silent.isAnswered() && System.nanoTime() - end < 0) {
        crowd(crowd, agent.socket());
      }
      assertThat(silent.isAnswered()).isTrue();
      buffer.execute("ROLLBACK");
    }
    while (!waits.isDone()) {
      crowd(crowd, agent.socket());
    }
    // The channel must stay open during several of the agent's checks for idle connections, which
    // are
    // 40 ms apart: no condition marks that.
    long end = System.nanoTime() + Duration.ofMillis(300).toNanos();
    while (System.nanoTime() - end < 0) {
      crowd(crowd, agent.socket());
    }

    assertThat(waits.get().getSuccess()).isTrue();
    assertThat(channel.getState(false)).isEqualTo(ConnectivityState.READY);
  }

  private AgentProcess agentWithFewDescriptors() throws IOException {
    AgentProcess agent =
        use(
            AgentProcess.spawn(
                List.of(
                    "sh",
                    "-c",
                    "ulimit -n 64; exec \"$0\" \"$@\"",
                    PackagedProgram.path().toString()),
                directory,
                server.url()));
    agent.awaitReady();
    return agent;
  }

  private List<SocketChannel> moreClientsThanDescriptors(AgentProcess agent) throws IOException {
    List<SocketChannel> crowd = new ArrayList<>();
    use(() -> closeAll(crowd));
    for (int i = 0; i < 200; i++) {
      crowd.add(connect(agent.socket()));
    }
    return crowd;
  }

  private void awaitWholeReserve() {
    Path reserve = directory.resolve("reserve");
    await().atMost(SOON).until(() -> Files.exists(reserve) && Files.size(reserve) == 16 << 20);
  }

  @Test
  void a_lack_of_descriptors_is_not_taken_for_a_full_disk() throws Exception {
    AgentProcess agent = agentWithFewDescriptors();
    List<SocketChannel> crowd = moreClientsThanDescriptors(agent);
    // Long enough for failed attempts to write the reserve, which log nothing.
    await("a lack of descriptors is no full disk")
        .during(Duration.ofSeconds(2))
        .atMost(SOON)
        .until(() -> !agent.hasLogged(EventNames.DISK_FULL));
    closeAll(crowd);

    send(agent, load(100, 1));

    assertThat(agent.hasLogged(EventNames.DISK_FULL)).isFalse();
    awaitWholeReserve();
  }

  /// Without descriptors the agent can neither probe the server nor accept a connection.
  @Test
  void an_agent_without_descriptors_recovers_when_some_are_closed() throws Exception {
    server.comeUp();
    server.onProbe(StubServer.Behaviour.status(503, ""));
    AgentProcess agent = agentWithFewDescriptors();
    awaitWholeReserve();
    List<SocketChannel> crowd = moreClientsThanDescriptors(agent);
    int probes = server.probes();
    await("no descriptor is left for a probe")
        .during(Duration.ofSeconds(3))
        .atMost(SOON)
        .until(() -> server.probes() == probes);
    closeAll(crowd);

    send(agent, load(100, 1));
    server.onProbe(StubServer.OK);

    assertThat(agent.awaitExit(SOON)).isZero();
    assertInOrder(0, 100);
  }

  /// Opens one more silent connection; waits until there is room for it.
  private static void crowd(List<SocketChannel> crowd, Path socket) throws IOException {
    crowd.add(connect(socket));
    if (crowd.size() > 2_000) {
      crowd.removeFirst().close();
    }
  }

  /// A client's preface, its SETTINGS, and the headers of a call of SendLog that has no more.
  private static byte[] headersWithoutABody() {
    return RawConnection.join(
        RawConnection.preface(), RawConnection.frame(1, 4, 1, RawConnection.sendLogHeaders()));
  }

  @Test
  void each_of_many_large_records_is_stored_or_refused() throws Exception {
    AgentProcess agent = agent();
    ManagedChannel channel = client(agent).newChannel();
    use(channel::shutdownNow);
    List<ListenableFuture<LogResponse>> calls = new ArrayList<>();
    for (int seq = 0; seq < 32; seq++) {
      calls.add(LogAgentGrpc.newFutureStub(channel).sendLog(LoadClient.request(0, seq, 4_000_000)));
    }
    int stored = stored(calls);

    assertThat(stored).isPositive();
    assertThat(query("SELECT count(*) FROM records")).isEqualTo(Integer.toString(stored));
    send(agent, load(10, 1));
  }

  @Test
  void clients_that_send_much_at_once_are_slowed_down_and_not_refused() throws Exception {
    AgentProcess agent = agent();
    LogRequest large = LoadClient.request(0, 0, 4_000_000);
    LogRequest medium = LoadClient.request(0, 1, 60_000);
    List<ListenableFuture<LogResponse>> calls = new ArrayList<>();
    for (int client = 0; client < 6; client++) {
      ManagedChannel channel = client(agent).newChannel();
      use(channel::shutdownNow);
      calls.add(LogAgentGrpc.newFutureStub(channel).sendLog(large));
      for (int i = 0; i < 600; i++) {
        calls.add(LogAgentGrpc.newFutureStub(channel).sendLog(medium));
      }
    }

    for (ListenableFuture<LogResponse> call : calls) {
      assertThat(call.get(60, TimeUnit.SECONDS).getSuccess()).isTrue();
    }
    assertThat(query("SELECT count(*) FROM records")).isEqualTo(Integer.toString(calls.size()));
  }

  @Test
  void calls_behind_a_stalled_one_are_bounded_and_answered() throws Exception {
    AgentProcess agent = agent();
    List<ListenableFuture<LogResponse>> calls = new ArrayList<>();
    for (int client = 0; client < 20; client++) {
      ManagedChannel channel = client(agent).newChannel();
      use(channel::shutdownNow);
      beginAndStall(channel);
      for (int i = 0; i < 1_000; i++) {
        calls.add(LogAgentGrpc.newFutureStub(channel).sendLog(LoadClient.request(client, i, 100)));
      }
    }
    int stored = stored(calls);

    assertThat(query("SELECT count(*) FROM records")).isEqualTo(Integer.toString(stored));
    server.comeUp();
    // No call is counted as open that is not.
    assertThat(agent.awaitExit(Duration.ofSeconds(60))).isZero();
    assertThat(server.distinct()).isEqualTo(stored);
    Matcher overloaded =
        Pattern.compile("reason=\"overloaded\"} (\\d+)\n")
            .matcher(Files.readString(agent.lastMetrics()));
    assertThat(overloaded.find()).isTrue();
    // The stalled calls can be among them.
    assertThat(Integer.parseInt(overloaded.group(1)))
        .isPositive()
        .isBetween(calls.size() - stored, calls.size() - stored + 20);
  }

  @Test
  void waiting_calls_are_refused_when_the_agent_is_stopped() throws Exception {
    AgentProcess agent = agent();
    ManagedChannel channel = client(agent).newChannel();
    use(channel::shutdownNow);
    beginAndStall(channel);
    ListenableFuture<LogResponse> behind =
        LogAgentGrpc.newFutureStub(channel).sendLog(LoadClient.request(0, 0, 100));
    // The agent has it once it answers a record that was sent later on another connection.
    send(agent, load(1, 1));

    agent.terminate();

    assertThatThrownBy(() -> behind.get(10, TimeUnit.SECONDS))
        .satisfies(failed -> {
          Status status = Status.fromThrowable(failed);
          assertThat(status.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
          assertThat(status.getDescription()).isEqualTo("the agent is shutting down");
        });
    assertThat(agent.awaitExit(SOON)).isEqualTo(4);
  }

  /// How many of `calls` were stored; the others must be refused for lack of room.
  private static int stored(List<ListenableFuture<LogResponse>> calls) throws Exception {
    int stored = 0;
    for (ListenableFuture<LogResponse> call : calls) {
      try {
        assertThat(call.get(60, TimeUnit.SECONDS).getSuccess()).isTrue();
        stored++;
      } catch (ExecutionException refused) {
        assertThat(Status.fromThrowable(refused).getCode())
            .isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
      }
    }
    return stored;
  }

  /// Begins a call of SendLog and sends no message, like a client that is suspended then.
  private static void beginAndStall(ManagedChannel channel) {
    ClientCall<LogRequest, LogResponse> call =
        channel.newCall(
            LogAgentGrpc.getSendLogMethod().toBuilder()
                .setType(MethodDescriptor.MethodType.CLIENT_STREAMING)
                .build(),
            CallOptions.DEFAULT);
    call.start(new ClientCall.Listener<>() {}, new Metadata());
    call.request(1);
  }

  @Test
  void the_size_limit_applies_to_the_decompressed_record() throws Exception {
    AgentProcess agent = agent();
    ManagedChannel channel = client(agent).newChannel();
    use(channel::shutdownNow);
    var gzip = LogAgentGrpc.newBlockingStub(channel).withCompression("gzip");
    assertThat(gzip.sendLog(LoadClient.request(0, 0, 1_000_000)).getSuccess()).isTrue();

    assertThat(catchThrowable(() -> gzip.sendLog(LoadClient.request(0, 1, 20_000_000))))
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            refused ->
                assertThat(refused.getStatus().getCode())
                    .isEqualTo(Status.Code.RESOURCE_EXHAUSTED));
    assertThat(query("SELECT count(*) FROM records")).isEqualTo("1");
  }

  @Test
  void other_clients_are_served_during_decompression_bombs() throws Exception {
    AgentProcess agent = agent();
    LoadClient other = client(agent);
    send(agent, load(1, 1));
    byte[] bomb = RawConnection.bomb();
    List<RawConnection> bombers = new ArrayList<>();
    for (int i = 0; i < 400; i++) {
      bombers.add(use(new RawConnection(agent.socket())));
    }
    for (RawConnection bomber : bombers) {
      assertThat(bomber.send(bomb)).isTrue();
    }

    assertThat(other.send(LoadClient.request(0, 0, 100)).getSuccess()).isTrue();

    int unanswered = 0;
    for (RawConnection bomber : bombers) {
      unanswered += bomber.isAnswered() ? 0 : 1;
    }
    assertThat(unanswered).isGreaterThan(100);
    for (RawConnection bomber : bombers) {
      await().atMost(SOON).until(bomber::isAnswered);
    }
  }

  @Test
  void a_directory_can_have_any_name_even_in_an_empty_environment() throws Exception {
    Path odd = directory.resolve("größe 100% ?#&");
    Path socket = odd.resolve("data-nadhi-agent.sock");
    Process process =
        new ProcessBuilder(
                "env",
                "-i",
                PackagedProgram.path().toString(),
                "-datanadhi",
                odd.toString(),
                "-health-url",
                server.url())
            .start();
    use(() -> Processes.kill(process));
    await().atMost(SOON).until(() -> Files.exists(socket));
    // By another name: the test's client makes a URI of the path.
    Path link = Files.createSymbolicLink(directory.resolve("link"), odd);
    LoadClient client = use(new LoadClient(link.resolve("data-nadhi-agent.sock")));

    assertThat(client.send(LogRequest.newBuilder().setJsonData("1").build()).getSuccess()).isTrue();
    assertThat(odd.resolve("buffer.db")).isRegularFile();
  }
}
