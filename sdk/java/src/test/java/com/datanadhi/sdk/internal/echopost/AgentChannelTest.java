package com.datanadhi.sdk.internal.echopost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import com.datanadhi.sdk.testkit.Agents;
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

/** The connection to an agent, cut by what stands between. */
class AgentChannelTest {
  private static final Duration TIMEOUTS = Duration.ofSeconds(30);
  private static final int CUT_AFTER_BYTES = 50_000;

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(1);
  private Path directory;
  private Path agent;

  @BeforeEach
  void startAnAgent() throws Exception {
    directory = Files.createTempDirectory("sdk").toRealPath();
    Agents.install(directory);
    Agents.start(directory, "http://127.0.0.1:9");
    agent = directory.resolve("echopost/data-nadhi-agent.sock");
    await().atMost(TIMEOUTS).until(() -> AgentStarter.answers(agent));
  }

  @AfterEach
  void endAll() throws Exception {
    threads.shutdownNow();
    timer.shutdownNow();
    Agents.killAll(directory);
    Files.walk(directory).sorted((a, b) -> b.compareTo(a)).forEach(path -> path.toFile().delete());
  }

  @Test
  void where_a_connection_ends_nothing_behind_it_goes_by_another() throws Exception {
    List<OutgoingRecord> entries =
        IntStream.range(0, 100)
            .mapToObj(i ->
                new OutgoingRecord(
                    List.of("p"),
                    "{\"seq\":" + i + ",\"x\":\"" + "x".repeat(10_000) + "\"}",
                    "k-" + i))
            .toList();
    for (int round = 0; round < 10; round++) {
      Path between = directory.resolve("between-" + round);
      try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
          AgentChannel channel = new AgentChannel(between, "key", TIMEOUTS, threads, timer)) {
        listener.bind(UnixDomainSocketAddress.of(between));
        AtomicLong carried = new AtomicLong();
        threads.execute(() -> relay(listener, carried));
        List<Boolean> stored = channel.send(entries).stream().map(Status::isOk).toList();
        assertThat(carried).hasValueGreaterThanOrEqualTo(CUT_AFTER_BYTES);
        assertThat(stored).contains(false);
        assertThat(stored.subList(stored.indexOf(false), stored.size())).doesNotContain(true);
      }
    }
  }

  /**
   * The first connection is cut in the middle of what it carries, all later ones are sound.
   *
   * @param carried counts the bytes that came from the client
   */
  private void relay(ServerSocketChannel listener, AtomicLong carried) {
    long limit = CUT_AFTER_BYTES;
    try {
      while (true) {
        SocketChannel client = listener.accept();
        SocketChannel server = SocketChannel.open(UnixDomainSocketAddress.of(agent));
        long most = limit;
        limit = Long.MAX_VALUE;
        threads.execute(() -> pump(client, server, most, carried));
        threads.execute(() -> pump(server, client, Long.MAX_VALUE, new AtomicLong()));
      }
    } catch (IOException closed) {
      // The round is over.
    }
  }

  private static void pump(SocketChannel from, SocketChannel to, long most, AtomicLong passed) {
    ByteBuffer some = ByteBuffer.allocate(16_384);
    try (from;
        to) {
      while (passed.get() < most && from.read(some) >= 0) {
        some.flip();
        passed.addAndGet(some.remaining());
        while (some.hasRemaining()) {
          to.write(some);
        }
        some.clear();
      }
    } catch (IOException cut) {
      // By the other direction.
    }
  }
}
