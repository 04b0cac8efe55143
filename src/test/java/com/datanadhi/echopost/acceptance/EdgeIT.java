package com.datanadhi.echopost.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.datanadhi.echopost.buffer.Sqlite;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.proto.LogAgentGrpc;
import com.datanadhi.echopost.proto.LogRequest;
import com.datanadhi.echopost.proto.LogResponse;
import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.LoadClient;
import com.datanadhi.echopost.testkit.RawConnection;
import com.datanadhi.echopost.testkit.StubServer;
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
import java.nio.charset.StandardCharsets;
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

/// Moments and clients that are out of the ordinary.
class EdgeIT extends AcceptanceTest {
  @Test
  void a_record_that_reaches_the_leaving_agent_is_kept_and_it_serves_on() throws Exception {
    server.comeUp();
    AgentProcess agent = agent();
    ManagedChannel channel = client(agent).newChannel();
    use(channel::shutdownNow);
    var stub = LogAgentGrpc.newBlockingStub(channel);
    assertThat(stub.sendLog(LoadClient.request(0, 0, 100)).getSuccess()).isTrue();
    awaitDelivered(1);
    // What comes now is not delivered before the agent looks for the last time.
    AtomicBoolean slow = new AtomicBoolean(true);
    server.onDelivery((request, out) ->
        (slow.get() ? StubServer.Behaviour.slow(3_000, StubServer.OK) : StubServer.OK)
            .answer(request, out));
    // Connected but silent clients, one of them always young: the agent gives each half a second.
    List<SocketChannel> silent = new ArrayList<>();
    use(() -> closeAll(silent));
    while (Files.exists(agent.socket())) {
      silent.add(connect(agent.socket()));
      await().pollInterval(Duration.ofMillis(1)).pollDelay(Duration.ofMillis(20)).until(() -> true);
    }

    assertThat(stub.sendLog(LoadClient.request(0, 1, 100)).getSuccess()).isTrue();

    await().atMost(SOON).until(() -> agent.hasLogged(EventNames.SERVING_RESUMED));
    await().atMost(SOON).until(() -> Files.exists(agent.socket()));
    slow.set(false);
    assertThat(agent.awaitExit(SOON)).isZero();
    assertInOrder(0, 2);
  }

  @Test
  void a_call_that_begins_while_the_agent_says_goodbye_is_answered() throws Exception {
    server.comeUp();
    AgentProcess agent = agent();
    // A client that has been connected and silent for long, and that does not listen now.
    try (SocketChannel late = connect(agent.socket())) {
      write(late, RawConnection.preface());
      await()
          .atMost(SOON)
          .pollInterval(Duration.ofMillis(1))
          .until(() -> !Files.exists(agent.socket()));
      try (Sqlite buffer = new Sqlite(directory)) {
        // No commit ends before the agent's patience does.
        buffer.execute("BEGIN IMMEDIATE");
        await().pollDelay(Duration.ofMillis(60)).until(() -> true);
        write(late, call(LoadClient.request(0, 0, 100)));
        await().pollDelay(Duration.ofMillis(400)).until(() -> true);
        buffer.execute("ROLLBACK");
      }

      boolean answered = readToEnd(late).contains("stored");

      assertThat(agent.awaitExit(SOON)).isZero();
      // On a machine that stands still the call can come too late to be taken at all.
      assertThat(answered).isEqualTo(query("SELECT accepted FROM ledger").equals("1"));
    }
  }

  private static void write(SocketChannel channel, byte[] bytes) throws IOException {
    try {
      int _ = channel.write(ByteBuffer.wrap(bytes));
    } catch (IOException closed) {
      // It came too late.
    }
  }

  /// A whole call of SendLog on the first stream.
  private static byte[] call(LogRequest request) {
    return RawConnection.join(
        RawConnection.frame(1, 4, 1, RawConnection.sendLogHeaders()),
        RawConnection.frame(0, 1, 1, RawConnection.prefixed(0, request.toByteArray())));
  }

  /// Until the answer has come, or the connection's end.
  private static String readToEnd(SocketChannel channel) throws IOException {
    StringBuilder all = new StringBuilder();
    ByteBuffer some = ByteBuffer.allocate(1 << 14);
    try {
      while (all.indexOf("stored") < 0 && channel.read(some.clear()) >= 0) {
        all.append(StandardCharsets.ISO_8859_1.decode(some.flip()));
      }
    } catch (IOException reset) {
      return all.toString();
    }
    return all.toString();
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
  void a_record_that_is_committed_after_the_signal_is_not_forgotten() throws Exception {
    AgentProcess agent = agent();
    ManagedChannel channel = client(agent).newChannel();
    use(channel::shutdownNow);
    try (Sqlite buffer = new Sqlite(directory)) {
      buffer.execute("BEGIN IMMEDIATE");
      ListenableFuture<LogResponse> call =
          LogAgentGrpc.newFutureStub(channel).sendLog(LoadClient.request(0, 0, 100));
      await().pollDelay(Duration.ofMillis(300)).until(() -> !call.isDone());
      agent.terminate();
      await().atMost(SOON).until(() -> !Files.exists(agent.socket()));
      buffer.execute("ROLLBACK");
    }

    int exit = agent.awaitExit(SOON);

    String stored = query("SELECT count(*) FROM records");
    assertThat(exit).as("stored: " + stored).isEqualTo(stored.equals("0") ? 0 : 4);
    assertThat(agent.output()).contains("\"pending\":" + stored + "}");
  }

  @Test
  void half_open_calls_by_the_hundred_do_not_lock_others_out() throws Exception {
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
  void crowds_that_come_and_go_do_not_lock_others_out() throws Exception {
    AgentProcess agent = agent();
    for (int crowd = 0; crowd < 20; crowd++) {
      List<SocketChannel> channels = new ArrayList<>();
      for (int i = 0; i < 1_000; i++) {
        channels.add(connect(agent.socket()));
      }
      closeAll(channels);
    }
    LoadClient client = client(agent);
    // While the last crowd fills the backlog, the kernel refuses others.
    await()
        .atMost(SOON)
        .ignoreException(StatusRuntimeException.class)
        .until(() -> client.send(LoadClient.request(0, 0, 100)).getSuccess());
  }

  @Test
  void who_had_to_wait_for_the_disk_is_not_idle_when_others_need_room() throws Exception {
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
      // Until the agent has had no byte of it for longer than makes a connection idle.
      long end = System.nanoTime() + Duration.ofMillis(1_500).toNanos();
      while (System.nanoTime() - end < 0) {
        crowd(crowd, agent.socket());
      }
      buffer.execute("ROLLBACK");
    }
    while (!waits.isDone()) {
      crowd(crowd, agent.socket());
    }
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
                    AgentProcess.program().toString()),
                directory,
                server.url()));
    agent.awaitReady();
    return agent;
  }

  private List<SocketChannel> moreThanItHasDescriptorsFor(AgentProcess agent) throws IOException {
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
    // While the reserve is being written.
    List<SocketChannel> crowd = moreThanItHasDescriptorsFor(agent);
    await().pollDelay(Duration.ofSeconds(2)).until(() -> true);
    closeAll(crowd);

    send(agent, load(100, 1));

    assertThat(agent.hasLogged(EventNames.DISK_FULL)).isFalse();
    awaitWholeReserve();
  }

  /// Neither the server can be asked then, nor anybody be let in.
  @Test
  void an_agent_whose_descriptors_are_used_up_goes_on_when_there_are_some_again() throws Exception {
    server.comeUp();
    server.onProbe(StubServer.Behaviour.status(503, ""));
    AgentProcess agent = agentWithFewDescriptors();
    awaitWholeReserve();
    List<SocketChannel> crowd = moreThanItHasDescriptorsFor(agent);
    int probes = server.probes();
    await("no descriptor was left to ask with")
        .during(Duration.ofSeconds(3))
        .atMost(SOON)
        .until(() -> server.probes() == probes);
    closeAll(crowd);

    send(agent, load(100, 1));
    server.onProbe(StubServer.OK);

    assertThat(agent.awaitExit(SOON)).isZero();
    assertInOrder(0, 100);
  }

  /// One more connection, on which nothing is said; waits until there is room for it.
  private static void crowd(List<SocketChannel> crowd, Path socket) throws IOException {
    crowd.add(connect(socket));
    if (crowd.size() > 2_000) {
      crowd.removeFirst().close();
    }
  }

  /// A client's preface, its SETTINGS, and a call of SendLog that never goes on.
  private static byte[] headersWithoutABody() {
    return RawConnection.join(
        RawConnection.preface(), RawConnection.frame(1, 4, 1, RawConnection.sendLogHeaders()));
  }

  @Test
  void many_large_records_at_once_are_taken_or_refused_one_by_one() throws Exception {
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
  void calls_behind_one_that_stands_still_are_bounded_and_answered_in_the_end() throws Exception {
    AgentProcess agent = agent();
    List<ListenableFuture<LogResponse>> calls = new ArrayList<>();
    for (int client = 0; client < 20; client++) {
      ManagedChannel channel = client(agent).newChannel();
      use(channel::shutdownNow);
      beginAndStandStill(channel);
      for (int i = 0; i < 1_000; i++) {
        calls.add(LogAgentGrpc.newFutureStub(channel).sendLog(LoadClient.request(client, i, 100)));
      }
    }
    int stored = stored(calls);

    assertThat(query("SELECT count(*) FROM records")).isEqualTo(Integer.toString(stored));
    server.comeUp();
    // Nobody is counted as waiting who is not.
    assertThat(agent.awaitExit(Duration.ofSeconds(60))).isZero();
    assertThat(server.distinct()).isEqualTo(stored);
    Matcher overloaded =
        Pattern.compile("reason=\"overloaded\"} (\\d+)\n")
            .matcher(Files.readString(agent.lastMetrics()));
    assertThat(overloaded.find()).isTrue();
    // Those that stand still can be among them.
    assertThat(Integer.parseInt(overloaded.group(1)))
        .isPositive()
        .isBetween(calls.size() - stored, calls.size() - stored + 20);
  }

  @Test
  void calls_that_wait_in_line_are_told_when_the_agent_is_stopped() throws Exception {
    AgentProcess agent = agent();
    ManagedChannel channel = client(agent).newChannel();
    use(channel::shutdownNow);
    beginAndStandStill(channel);
    ListenableFuture<LogResponse> behind =
        LogAgentGrpc.newFutureStub(channel).sendLog(LoadClient.request(0, 0, 100));
    // The agent has it once it answers what was sent later on another connection.
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

  /// How many of `calls` were taken; the others were refused for want of room.
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

  /// Begins a call of SendLog and sends no message: as a client does that is stopped half-way.
  private static void beginAndStandStill(ManagedChannel channel) {
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
  void a_compressed_record_counts_by_what_it_is_decompressed() throws Exception {
    AgentProcess agent = agent();
    ManagedChannel channel = client(agent).newChannel();
    use(channel::shutdownNow);
    var gzip = LogAgentGrpc.newBlockingStub(channel).withCompression("gzip");
    assertThat(gzip.sendLog(LoadClient.request(0, 0, 1_000_000)).getSuccess()).isTrue();

    assertThat(
            org.assertj.core.api.Assertions.catchThrowable(
                () -> gzip.sendLog(LoadClient.request(0, 1, 20_000_000))))
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            refused ->
                assertThat(refused.getStatus().getCode())
                    .isEqualTo(Status.Code.RESOURCE_EXHAUSTED));
    assertThat(query("SELECT count(*) FROM records")).isEqualTo("1");
  }

  @Test
  void others_are_served_while_small_messages_unpack_to_large_ones() throws Exception {
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
  void a_directory_may_have_any_name_also_in_an_empty_environment() throws Exception {
    Path odd = directory.resolve("größe 100% ?#&");
    Path socket = odd.resolve("data-nadhi-agent.sock");
    Process process =
        new ProcessBuilder(
                "env",
                "-i",
                AgentProcess.program().toString(),
                "-datanadhi",
                odd.toString(),
                "-health-url",
                server.url())
            .start();
    use(() -> AgentProcess.kill(process));
    await().atMost(SOON).until(() -> Files.exists(socket));
    // By another name for it: the test's client makes a URI of the path.
    Path link = Files.createSymbolicLink(directory.resolve("link"), odd);
    LoadClient client = use(new LoadClient(link.resolve("data-nadhi-agent.sock")));

    assertThat(client.send(LogRequest.newBuilder().setJsonData("1").build()).getSuccess()).isTrue();
    assertThat(odd.resolve("buffer.db")).isRegularFile();
  }
}
