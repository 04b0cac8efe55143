package com.datanadhi.echopost.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.echopost.proto.LogAgentGrpc;
import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.FrameClient;
import com.datanadhi.echopost.testkit.LoadClient;
import com.datanadhi.echopost.testkit.RawConnection;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A well-behaved client beside many that are not.
class CrowdIT extends AcceptanceTest {
  /// Longer than the second after which the agent may close an idle connection, and the second that
  /// its client then has.
  private static final Duration CROWDED = Duration.ofSeconds(4);

  /// More than the connections that the agent keeps open, less than its backlog.
  private static final int CROWD = 900;

  private final ExecutorService threads = Executors.newCachedThreadPool();

  private ManagedChannel channelWithAStoredRecord(AgentProcess agent) {
    ManagedChannel channel = client(agent).newChannel();
    use(channel::shutdownNow);
    store(channel, 0);
    return channel;
  }

  private static void store(ManagedChannel channel, int seq) {
    assertThat(
            LogAgentGrpc.newBlockingStub(channel)
                .sendLog(LoadClient.request(0, seq, 100))
                .getSuccess())
        .isTrue();
  }

  /// Opens connections and closes them a moment later, as fast as it can.
  private static int comeAndGo(Path socket, AtomicBoolean stop) throws IOException {
    Deque<SocketChannel> open = new ArrayDeque<>();
    int opened = 0;
    try {
      while (!stop.get()) {
        SocketChannel next = SocketChannel.open(StandardProtocolFamily.UNIX);
        open.add(next);
        next.configureBlocking(false);
        try {
          boolean _ = next.connect(UnixDomainSocketAddress.of(socket));
          opened++;
        } catch (IOException full) {
          // The backlog is: the kernel refuses.
          Thread.onSpinWait();
        }
        if (open.size() > CROWD / 2) {
          open.removeFirst().close();
        }
      }
    } finally {
      for (SocketChannel left : open) {
        left.close();
      }
    }
    return opened;
  }

  @Test
  void a_client_with_stored_records_keeps_its_connection_while_a_crowd_comes_and_goes()
      throws Exception {
    AgentProcess agent = agent();
    ManagedChannel channel = channelWithAStoredRecord(agent);
    AtomicBoolean stop = new AtomicBoolean();
    use(() -> {
      stop.set(true);
      threads.close();
    });
    List<Future<Integer>> crowd = new ArrayList<>();
    for (int n = 0; n < 2; n++) {
      crowd.add(threads.submit(() -> comeAndGo(agent.socket(), stop)));
    }

    await("the client stays connected")
        .during(CROWDED)
        .atMost(SOON)
        .until(() -> channel.getState(false) == ConnectivityState.READY);

    store(channel, 1);
    stop.set(true);
    for (Future<Integer> part : crowd) {
      assertThat(part.get()).isGreaterThan(CROWD);
    }
    store(channel, 2);
    assertThat(channel.getState(false)).isEqualTo(ConnectivityState.READY);
  }

  @Test
  void a_client_with_stored_records_keeps_its_connection_while_others_hold_all_places()
      throws Exception {
    AgentProcess agent = agent();
    ManagedChannel channel = channelWithAStoredRecord(agent);
    List<RawConnection> crowd = new ArrayList<>();
    for (int n = 0; n < CROWD; n++) {
      RawConnection silent = use(new RawConnection(agent.socket()));
      crowd.add(silent);
      assertThat(silent.send(RawConnection.preface())).isTrue();
    }

    // The last ones get a place, since the first ones are asked to leave.
    LoadClient other = client(agent);
    assertThat(other.send(LoadClient.request(1, 0, 100)).getSuccess()).isTrue();

    assertThat(channel.getState(false)).isEqualTo(ConnectivityState.READY);
    store(channel, 1);
    assertThat(crowd.getFirst().isAnswered()).isTrue();
  }

  /// 1,024 calls of SendLog on one connection: the most that the agent allows.
  private static byte[] calls(byte[] body) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    // Its fields by their indexes in the table that the first block has filled.
    byte[] again = {(byte) 0x83, (byte) 0x86, (byte) 0xC1, (byte) 0xC0, (byte) 0xBF, (byte) 0xBE};
    for (int n = 0; n < 1_024; n++) {
      byte[] headers = n == 0 ? RawConnection.sendLogHeaders() : again;
      all.writeBytes(
          RawConnection.frame(FrameClient.HEADERS, FrameClient.END_HEADERS, 1 + 2 * n, headers));
      if (body.length > 0) {
        all.writeBytes(RawConnection.frame(FrameClient.DATA, 0, 1 + 2 * n, body));
      }
    }
    return all.toByteArray();
  }

  /// Fifty clients with 1,024 calls that are not complete, without a message or with a part of one:
  /// each time that as many were open as the agent allows, everything waited for 5 s.
  @ParameterizedTest
  @ValueSource(ints = {0, 6})
  void open_calls_of_many_clients_do_not_hold_up_others(int bytesOfAMessage) throws Exception {
    AgentProcess agent = agent();
    ManagedChannel channel = channelWithAStoredRecord(agent);
    byte[] calls = calls(Arrays.copyOf(new byte[] {0, 0, 0, 0, 9, 10}, bytesOfAMessage));
    List<FrameClient> crowd = new ArrayList<>();
    for (int n = 0; n < 50; n++) {
      crowd.add(use(FrameClient.connect(agent.socket())));
    }
    AtomicInteger sent = new AtomicInteger();
    List<Future<?>> senders = new ArrayList<>();
    for (FrameClient hog : crowd) {
      senders.add(
          threads.submit(() -> {
            hog.send(calls);
            return sent.incrementAndGet();
          }));
    }
    use(threads::shutdownNow);

    long start = System.nanoTime();
    for (int seq = 1; seq <= 5; seq++) {
      store(channel, seq);
    }
    assertThat(client(agent).send(LoadClient.request(1, 0, 100)).getSuccess()).isTrue();

    for (Future<?> sender : senders) {
      Object _ = sender.get();
    }
    assertThat(sent).hasValue(crowd.size());
    // A quiet machine takes 2 s; four pauses of 5 s would take longer than this on any machine.
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(19));
  }
}
