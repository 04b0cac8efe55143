package com.datanadhi.echopost.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.buffer.BufferListener;
import com.datanadhi.echopost.buffer.Sqlite;
import com.datanadhi.echopost.control.AgentStatus;
import com.datanadhi.echopost.net.Transport;
import com.datanadhi.echopost.proto.LogAgentGrpc;
import com.datanadhi.echopost.testkit.FrameClient;
import com.datanadhi.echopost.testkit.LoadClient;
import com.datanadhi.echopost.testkit.RawConnection;
import com.datanadhi.echopost.time.AdaptiveSpin;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.time.ManualClock;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConnectionsTest {
  private static final long PIECE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);
  private static final long BUSY_NANOS = TimeUnit.MILLISECONDS.toNanos(900);

  static final AgentInfo NOBODY_ASKS =
      new AgentInfo() {
        @Override
        public AgentStatus status() {
          throw new UnsupportedOperationException();
        }

        @Override
        public AgentStatus.ServerState serverState() {
          throw new UnsupportedOperationException();
        }

        @Override
        public String metrics(boolean openMetrics) {
          throw new UnsupportedOperationException();
        }
      };

  @TempDir Path directory;
  private final Transport transport = Transport.ofThisSystem();
  private final EventLoopGroup accepting = transport.newEventLoop("accept");
  private final EventLoopGroup working = transport.newEventLoop("ingest");
  private final EventLoop loop = working.next();

  /// The loop does not ask it by itself here.
  private final AdaptiveSpin lookout = new AdaptiveSpin(new ManualClock(), 2);

  private Path socket;
  private Buffer buffer;
  private Connections connections;
  private SocketListener door;

  @BeforeEach
  void open() throws Exception {
    socket = directory.resolve("s");
    buffer = Buffer.open(directory, Clock.system(), BufferListener.NONE);
    connections = new Connections(loop, lookout, Clock.system());
    connections.takeInto(buffer, NOBODY_ASKS);
    door =
        SocketListener.open(
            socket,
            transport,
            accepting,
            loop,
            connections,
            new ServiceRegistry(connections, new PeerCredentials(transport, directory)),
            Clock.system());
  }

  @AfterEach
  void close() throws Exception {
    door.close(Duration.ofSeconds(1));
    buffer.close();
    var _ = accepting.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
    var _ = working.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
  }

  /// As when it unpacks one message after the other: ticks come in between, reads do not.
  private void keepBusy(CountDownLatch begun) {
    long end = System.nanoTime() + BUSY_NANOS;
    loop.execute(
        new Runnable() {
          @Override
          public void run() {
            begun.countDown();
            LockSupport.parkNanos(PIECE_NANOS);
            connections.tickSoon(true);
            if (System.nanoTime() - end < 0) {
              loop.execute(this);
            }
          }
        });
  }

  /// Each once was kept until the end of the connection, and then gone through on one stack.
  @Test
  void a_goodbye_is_heard_once_however_often_it_is_answered() throws Exception {
    try (FrameClient client = FrameClient.greeting(socket)) {
      byte[] headers =
          RawConnection.frame(
              FrameClient.HEADERS, FrameClient.END_HEADERS, 1, RawConnection.sendLogHeaders());
      client.send(headers);
      // One that comes in the moment of the goodbye is not let in.
      await().until(connections::hasUnansweredCalls);
      boolean _ = door.goAway(Duration.ofMillis(1));
      byte[] ack =
          RawConnection.frame(
              FrameClient.PING, FrameClient.ACK, 0, client.await(FrameClient.PING).payload());
      byte[] acks = RawConnection.join(Collections.nCopies(1_000, ack).toArray(byte[][]::new));
      for (int n = 0; n < 200; n++) {
        client.send(acks);
      }
      client.send(RawConnection.frame(FrameClient.DATA, FrameClient.END_STREAM, 1, new byte[0]));
      assertThat(client.answer(1).status()).isEqualTo(Status.Code.INVALID_ARGUMENT.value());
      assertThat(client.isClosedByTheAgent()).isTrue();
    }
  }

  @Test
  void who_has_sent_something_is_not_idle_when_the_loop_has_not_read_it_yet() throws Exception {
    try (LoadClient client = new LoadClient(socket)) {
      ManagedChannel channel = client.newChannel();
      LogAgentGrpc.LogAgentBlockingStub stub = LogAgentGrpc.newBlockingStub(channel);
      assertThat(stub.sendLog(LoadClient.request(0, 0, 100)).getSuccess()).isTrue();
      AtomicBoolean left = new AtomicBoolean();
      // A goodbye would send it to look for another connection.
      channel.notifyWhenStateChanged(ConnectivityState.READY, () -> left.set(true));
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(700));
      CountDownLatch busy = new CountDownLatch(1);
      keepBusy(busy);
      busy.await();

      assertThat(stub.sendLog(LoadClient.request(0, 1, 100)).getSuccess()).isTrue();

      loop.submit(() -> {}).get();
      assertThat(stub.sendLog(LoadClient.request(0, 2, 100)).getSuccess()).isTrue();
      assertThat(left).isFalse();
      channel.shutdownNow();
    }
  }

  private static ByteBufAllocator exhausted() {
    return (ByteBufAllocator)
        Proxy.newProxyInstance(
            ByteBufAllocator.class.getClassLoader(),
            new Class<?>[] {ByteBufAllocator.class},
            (_, _, _) -> {
              throw new OutOfMemoryError("direct memory, for a test");
            });
  }

  @Test
  void an_answer_that_fails_costs_its_own_client_the_connection_and_nobody_else_an_answer()
      throws Exception {
    try (LoadClient client = new LoadClient(socket)) {
      LogAgentGrpc.LogAgentFutureStub first = LogAgentGrpc.newFutureStub(client.newChannel());
      LogAgentGrpc.LogAgentFutureStub second = LogAgentGrpc.newFutureStub(client.newChannel());
      assertThat(first.sendLog(LoadClient.request(0, 0, 100)).get().getSuccess()).isTrue();
      Channel itsConnection = loop.submit(() -> connections.open.iterator().next().channel()).get();
      assertThat(second.sendLog(LoadClient.request(0, 1, 100)).get().getSuccess()).isTrue();
      CountDownLatch bothSettled = new CountDownLatch(1);
      try (Sqlite foreign = new Sqlite(directory)) {
        foreign.execute("BEGIN IMMEDIATE");
        var failing = first.sendLog(LoadClient.request(0, 2, 100));
        await().until(() -> buffer.waitingRecords() == 1);
        var other = second.sendLog(LoadClient.request(0, 3, 100));
        await().until(() -> buffer.waitingRecords() == 2);
        itsConnection.config().setAllocator(exhausted());
        loop.execute(() -> boundedly(bothSettled));
        foreign.execute("ROLLBACK");
        await().until(() -> buffer.waitingRecords() == 0);
        // Committed behind them.
        buffer.acknowledge(0);
        bothSettled.countDown();

        assertThat(other.get(5, TimeUnit.SECONDS).getSuccess()).isTrue();
        assertThatThrownBy(() -> failing.get(5, TimeUnit.SECONDS))
            .hasMessageContaining("UNAVAILABLE");
        await().until(() -> !connections.hasUnansweredCalls());
      }
    }
  }

  private static void boundedly(CountDownLatch latch) {
    try {
      assertThat(latch.await(1, TimeUnit.MINUTES)).isTrue();
    } catch (InterruptedException ended) {
      throw new IllegalStateException(ended);
    }
  }

  @Test
  void the_loop_looks_out_for_the_commit_of_one_record_after_another() throws Exception {
    try (LoadClient client = new LoadClient(socket)) {
      LogAgentGrpc.LogAgentFutureStub stub = LogAgentGrpc.newFutureStub(client.newChannel());
      assertThat(stub.sendLog(LoadClient.request(0, 0, 100)).get().getSuccess()).isTrue();
      assertThat(loop.submit(lookout::goesOn).get()).isFalse();
      try (Sqlite foreign = new Sqlite(directory)) {
        foreign.execute("BEGIN IMMEDIATE");
        var second = stub.sendLog(LoadClient.request(0, 1, 100));
        await().until(() -> buffer.waitingRecords() == 1);
        assertThat(loop.submit(lookout::goesOn).get()).isTrue();

        var third = stub.sendLog(LoadClient.request(0, 2, 100));
        await().until(() -> buffer.waitingRecords() == 2);
        assertThat(loop.submit(lookout::goesOn).get()).isFalse();

        foreign.execute("ROLLBACK");
        assertThat(second.get().getSuccess()).isTrue();
        assertThat(third.get().getSuccess()).isTrue();
      }
    }
  }
}
