package com.datanadhi.echopost.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.control.AgentStatus;
import com.datanadhi.echopost.net.Transport;
import com.datanadhi.echopost.proto.LogAgentGrpc;
import com.datanadhi.echopost.testkit.LoadClient;
import com.datanadhi.echopost.time.Clock;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConnectionsTest {
  private static final long PIECE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);
  private static final long BUSY_NANOS = TimeUnit.MILLISECONDS.toNanos(900);

  private static final Overview NOBODY_ASKS =
      new Overview() {
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

  @AfterEach
  void endLoops() {
    var _ = accepting.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
    var _ = working.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
  }

  /// As when it unpacks one message after the other: ticks come in between, reads do not.
  private static void keepBusy(EventLoop loop, Connections connections, CountDownLatch begun) {
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

  @Test
  void who_has_sent_something_is_not_idle_when_the_loop_has_not_read_it_yet() throws Exception {
    EventLoop loop = working.next();
    Connections connections = new Connections(loop, Clock.system());
    Path socket = directory.resolve("s");
    try (Buffer buffer = Buffer.open(directory, Clock.system(), Buffer.Listener.NOBODY);
        LoadClient client = new LoadClient(socket)) {
      connections.takeInto(buffer, NOBODY_ASKS);
      Door door =
          Door.open(
              socket,
              transport,
              accepting,
              working,
              connections,
              new RareServices(connections, new OwnUser(transport, directory)),
              Clock.system());
      ManagedChannel channel = client.newChannel();
      LogAgentGrpc.LogAgentBlockingStub stub = LogAgentGrpc.newBlockingStub(channel);
      assertThat(stub.sendLog(LoadClient.request(0, 0, 100)).getSuccess()).isTrue();
      AtomicBoolean left = new AtomicBoolean();
      // A goodbye would send it to look for another connection.
      channel.notifyWhenStateChanged(ConnectivityState.READY, () -> left.set(true));
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(700));
      CountDownLatch busy = new CountDownLatch(1);
      keepBusy(loop, connections, busy);
      busy.await();

      assertThat(stub.sendLog(LoadClient.request(0, 1, 100)).getSuccess()).isTrue();

      loop.submit(() -> {}).get();
      assertThat(stub.sendLog(LoadClient.request(0, 2, 100)).getSuccess()).isTrue();
      assertThat(left).isFalse();
      channel.shutdownNow();
      door.close(Duration.ofSeconds(1));
    }
  }
}
