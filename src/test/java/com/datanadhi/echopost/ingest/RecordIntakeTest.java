package com.datanadhi.echopost.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.buffer.BufferListener;
import com.datanadhi.echopost.buffer.Sqlite;
import com.datanadhi.echopost.grpc.ClientConnection;
import com.datanadhi.echopost.grpc.GrpcApplication;
import com.datanadhi.echopost.grpc.GrpcCall;
import com.datanadhi.echopost.grpc.GrpcMethod;
import com.datanadhi.echopost.grpc.GrpcServer;
import com.datanadhi.echopost.grpc.SocketListener;
import com.datanadhi.echopost.net.Transport;
import com.datanadhi.echopost.proto.LogAgentGrpc;
import com.datanadhi.echopost.testkit.LoadClient;
import com.datanadhi.echopost.time.AdaptiveSpin;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.time.ManualClock;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecordIntakeTest {
  @TempDir Path directory;
  private final Transport transport = Transport.ofThisSystem();
  private final EventLoopGroup accepting = transport.newEventLoop("accept");
  private final EventLoopGroup working = transport.newEventLoop("ingest");
  private final EventLoop loop = working.next();

  /// The loop itself does not use it in this test.
  private final AdaptiveSpin spin = new AdaptiveSpin(new ManualClock(), 2);

  private final Availability availability = new Availability();
  private final GrpcServer server =
      new GrpcServer(transport, accepting, loop, BackPressure.MAX_STREAMS, Clock.system());
  private final LogAgentService logAgent =
      new LogAgentService(server, availability, spin, Clock.system());

  private final List<ClientConnection> connections = new CopyOnWriteArrayList<>();
  private Path socket;
  private Buffer buffer;
  private SocketListener listener;

  @BeforeEach
  void open() throws Exception {
    socket = directory.resolve("s");
    buffer = Buffer.open(directory, Clock.system(), BufferListener.NONE);
    availability.start(buffer, new UnusedStatusSource());
    listener =
        server.listen(
            socket,
            new GrpcApplication() {
              @Override
              public GrpcMethod<?, ?> method(String fullName) {
                return sendLog();
              }

              @Override
              public void connectionClosed(ClientConnection connection) {
                logAgent.connectionClosed(connection);
              }
            });
  }

  /// Notes the connection of each call.
  private GrpcMethod<SendLogRequest, byte[]> sendLog() {
    GrpcMethod<SendLogRequest, byte[]> original = logAgent.sendLog();
    return new GrpcMethod<>(
        original.descriptor(),
        (call, headers) -> {
          connections.add(((GrpcCall<SendLogRequest, byte[]>) call).connection());
          return logAgent.startCall(call, headers);
        },
        original.maxMessageBytes(),
        original.maxDecompressedBytes(),
        original.usesServerLimit());
  }

  @AfterEach
  void close() throws Exception {
    listener.close(Duration.ofSeconds(1));
    buffer.close();
    var _ = accepting.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
    var _ = working.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
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
  void a_response_that_fails_closes_its_own_connection_and_leaves_others_alone() throws Exception {
    try (LoadClient client = new LoadClient(socket)) {
      LogAgentGrpc.LogAgentFutureStub first = LogAgentGrpc.newFutureStub(client.newChannel());
      LogAgentGrpc.LogAgentFutureStub second = LogAgentGrpc.newFutureStub(client.newChannel());
      assertThat(first.sendLog(LoadClient.request(0, 0, 100)).get().getSuccess()).isTrue();
      Channel firstConnection = connections.getFirst().channel();
      assertThat(second.sendLog(LoadClient.request(0, 1, 100)).get().getSuccess()).isTrue();
      CountDownLatch bothCompleted = new CountDownLatch(1);
      try (Sqlite foreign = new Sqlite(directory)) {
        foreign.execute("BEGIN IMMEDIATE");
        var failing = first.sendLog(LoadClient.request(0, 2, 100));
        await().until(() -> buffer.waitingRecords() == 1);
        var other = second.sendLog(LoadClient.request(0, 3, 100));
        await().until(() -> buffer.waitingRecords() == 2);
        firstConnection.config().setAllocator(exhausted());
        loop.execute(() -> awaitBounded(bothCompleted));
        foreign.execute("ROLLBACK");
        await().until(() -> buffer.waitingRecords() == 0);
        // Committed behind them.
        buffer.acknowledge(0);
        bothCompleted.countDown();

        assertThat(other.get(5, TimeUnit.SECONDS).getSuccess()).isTrue();
        assertThatThrownBy(() -> failing.get(5, TimeUnit.SECONDS))
            .hasMessageContaining("UNAVAILABLE");
        await().until(() -> !logAgent.hasOpenCalls() && availability.waitingRecords() == 0);
      }
    }
  }

  private static void awaitBounded(CountDownLatch latch) {
    try {
      assertThat(latch.await(1, TimeUnit.MINUTES)).isTrue();
    } catch (InterruptedException ended) {
      throw new IllegalStateException(ended);
    }
  }

  @Test
  void the_loop_spins_for_the_commit_of_a_single_record() throws Exception {
    try (LoadClient client = new LoadClient(socket)) {
      LogAgentGrpc.LogAgentFutureStub stub = LogAgentGrpc.newFutureStub(client.newChannel());
      assertThat(stub.sendLog(LoadClient.request(0, 0, 100)).get().getSuccess()).isTrue();
      assertThat(loop.submit(spin::shouldSpin).get()).isFalse();
      try (Sqlite foreign = new Sqlite(directory)) {
        foreign.execute("BEGIN IMMEDIATE");
        var second = stub.sendLog(LoadClient.request(0, 1, 100));
        await().until(() -> buffer.waitingRecords() == 1);
        assertThat(loop.submit(spin::shouldSpin).get()).isTrue();

        var third = stub.sendLog(LoadClient.request(0, 2, 100));
        await().until(() -> buffer.waitingRecords() == 2);
        assertThat(loop.submit(spin::shouldSpin).get()).isFalse();

        foreign.execute("ROLLBACK");
        assertThat(second.get().getSuccess()).isTrue();
        assertThat(third.get().getSuccess()).isTrue();
      }
    }
  }
}
