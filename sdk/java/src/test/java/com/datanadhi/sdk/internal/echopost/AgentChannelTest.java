package com.datanadhi.sdk.internal.echopost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import com.datanadhi.sdk.internal.time.Clock;
import com.datanadhi.sdk.testkit.Agents;
import com.datanadhi.testkit.Directories;
import io.grpc.Status;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The connection to an agent goes through a relay that cuts it. */
class AgentChannelTest {
  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final int CUT_AFTER_BYTES = 50_000;

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(1);
  private final ServerName server = new ServerName("http://127.0.0.1:9");
  private Path directory;
  private Path agent;

  @BeforeEach
  void startAgent() throws Exception {
    directory = Files.createTempDirectory("sdk").toRealPath();
    Agents.install(directory);
    Agents.start(directory, server.url());
    agent = directory.resolve("echopost/data-nadhi-agent.sock");
    await().atMost(TIMEOUT).until(() -> AgentStarter.isListening(agent));
  }

  @AfterEach
  void stopAgent() throws Exception {
    threads.shutdownNow();
    timer.shutdownNow();
    Agents.killAll(directory);
    Directories.delete(directory);
  }

  @Test
  void after_a_connection_ends_no_later_record_is_sent_on_another_one() throws Exception {
    List<OutgoingRecord> records =
        IntStream.range(0, 100)
            .mapToObj(i ->
                new OutgoingRecord(
                    List.of("p"),
                    "{\"seq\":" + i + ",\"x\":\"" + "x".repeat(10_000) + "\"}",
                    "k-" + i))
            .toList();
    for (int round = 0; round < 10; round++) {
      Path relay = directory.resolve("relay-" + round);
      try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
          AgentChannel channel =
              new AgentChannel(relay, "key", server, TIMEOUT, threads, timer, Clock.system())) {
        listener.bind(UnixDomainSocketAddress.of(relay));
        AtomicLong relayedBytes = new AtomicLong();
        threads.execute(() -> relay(listener, relayedBytes));
        List<Boolean> stored = channel.send(records).stream().map(Status::isOk).toList();
        assertThat(relayedBytes).hasValueGreaterThanOrEqualTo(CUT_AFTER_BYTES);
        assertThat(stored).contains(false);
        assertThat(stored.subList(stored.indexOf(false), stored.size())).doesNotContain(true);
      }
    }
  }

  /**
   * Relays connections to the agent. The first one is cut after {@link #CUT_AFTER_BYTES}, later
   * ones are not cut.
   *
   * @param relayedBytes counts the bytes from the client
   */
  private void relay(ServerSocketChannel listener, AtomicLong relayedBytes) {
    long limit = CUT_AFTER_BYTES;
    try {
      while (true) {
        SocketChannel client = listener.accept();
        SocketChannel server = SocketChannel.open(UnixDomainSocketAddress.of(agent));
        long max = limit;
        limit = Long.MAX_VALUE;
        threads.execute(() -> pump(client, server, max, relayedBytes));
        threads.execute(() -> pump(server, client, Long.MAX_VALUE, new AtomicLong()));
      }
    } catch (IOException closed) {
      // The listener is closed at the end of a round.
    }
  }

  private static void pump(SocketChannel from, SocketChannel to, long max, AtomicLong passed) {
    ByteBuffer buffer = ByteBuffer.allocate(16_384);
    try (from;
        to) {
      while (passed.get() < max && from.read(buffer) >= 0) {
        buffer.flip();
        passed.addAndGet(buffer.remaining());
        while (buffer.hasRemaining()) {
          to.write(buffer);
        }
        buffer.clear();
      }
    } catch (IOException cut) {
      // The other direction has closed the channels.
    }
  }
}
