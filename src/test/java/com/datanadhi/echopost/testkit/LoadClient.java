package com.datanadhi.echopost.testkit;

import com.datanadhi.echopost.net.Transport;
import com.datanadhi.echopost.proto.LogAgentGrpc;
import com.datanadhi.echopost.proto.LogRequest;
import com.datanadhi.echopost.proto.LogResponse;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.unix.DomainSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/// Sends records over the agent's socket with grpc-java and no SDK. The calls are pipelined, and
/// each connection sends its records in order. The result lists the acknowledged records.
public final class LoadClient implements AutoCloseable {
  private static final Duration PROGRESS_EVERY = Duration.ofMillis(20);

  private final EventLoopGroup loop = Transport.ofThisSystem().newEventLoop("load-client");
  private final Path socket;
  private final @Nullable String apiKey;
  private final Queue<ManagedChannel> channels = new ConcurrentLinkedQueue<>();

  /// @param socket the agent's public socket
  public LoadClient(Path socket) {
    this(socket, null);
  }

  /// @param socket the agent's public socket
  /// @param apiKey the API key in each record, which the agent sends to the main server; null: one
  ///   of each client
  public LoadClient(Path socket, @Nullable String apiKey) {
    this.socket = socket;
    this.apiKey = apiKey;
  }

  /// The records to send, and how to send them.
  ///
  /// @param records the number of records on all connections
  /// @param size the size of each payload, in bytes
  /// @param connections the number of parallel connections
  /// @param inFlight the maximum number of unanswered calls on each connection
  /// @param perSecond records per second on all connections; 0 for no limit
  /// @param firstSeq the first sequence number of each client
  public record Load(
      long records, int size, int connections, int inFlight, double perSecond, long firstSeq) {}

  /// The result of a load.
  ///
  /// @param acknowledged the number of acknowledged records
  /// @param failed the number of records that were refused or got no response
  /// @param ackedSeqs the sequence numbers of each client's acknowledged records, ascending
  /// @param firstFailure the first failure of the first connection that had one; null without one
  /// @param nanos the time from the first connection to the last response, in nanoseconds
  /// @param latencies the latency of each acknowledged call in nanoseconds, sorted
  @SuppressWarnings("ArrayRecordComponent")
  public record Result(
      long acknowledged,
      long failed,
      List<long[]> ackedSeqs,
      @Nullable Status firstFailure,
      long nanos,
      long[] latencies) {
    /// Acknowledged records per second.
    public double perSecond() {
      return acknowledged / (nanos / 1e9);
    }

    /// The latency at `quantile`, which is from 0 to 1, in milliseconds; NaN without latencies.
    public double latencyMillis(double quantile) {
      return latencies.length == 0
          ? Double.NaN
          : latencies[(int) Math.min(latencies.length - 1, quantile * latencies.length)] / 1e6;
    }
  }

  /// A channel whose first attempt to connect to the agent has succeeded or failed.
  public ManagedChannel newChannel() {
    return newChannel(Transport.ofThisSystem().unixChannels());
  }

  /// A channel that never connects again. Its calls reach the agent in their order, or fail: while
  /// a channel connects again, it queues calls, and later calls overtake those in the queue.
  public ManagedChannel newConnection() {
    ChannelFactory<? extends Channel> connections = Transport.ofThisSystem().unixChannels();
    AtomicBoolean used = new AtomicBoolean();
    return newChannel(() -> {
      if (used.getAndSet(true)) {
        throw Status.UNAVAILABLE.withDescription("the connection has ended").asRuntimeException();
      }
      return connections.newChannel();
    });
  }

  private ManagedChannel newChannel(ChannelFactory<? extends Channel> connections) {
    ManagedChannel channel =
        NettyChannelBuilder.forAddress(new DomainSocketAddress(socket.toString()))
            .overrideAuthority("localhost")
            .eventLoopGroup(loop)
            .channelFactory(connections)
            .withOption(ChannelOption.SO_KEEPALIVE, null)
            .usePlaintext()
            .directExecutor()
            .build();
    channels.add(channel);
    ConnectivityState state = channel.getState(true);
    while (state == ConnectivityState.IDLE || state == ConnectivityState.CONNECTING) {
      CountDownLatch changed = new CountDownLatch(1);
      channel.notifyWhenStateChanged(state, changed::countDown);
      try {
        changed.await();
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
        return channel;
      }
      state = channel.getState(true);
    }
    return channel;
  }

  /// Sends one record on a connection of its own, and waits for the response.
  public LogResponse send(LogRequest request) {
    ManagedChannel channel = newChannel();
    try {
      return LogAgentGrpc.newBlockingStub(channel)
          .withDeadlineAfter(60, TimeUnit.SECONDS)
          .sendLog(request);
    } finally {
      end(channel);
    }
  }

  /// A request whose payload has a label: the client and the sequence number.
  public static LogRequest request(int client, long seq, int size) {
    return LogRequest.newBuilder()
        .setJsonData(Payloads.payload(client, seq, size))
        .addPipelines("p1")
        .setApiKey("key-" + client)
        .build();
  }

  private LogRequest withKey(LogRequest request) {
    return apiKey == null ? request : request.toBuilder().setApiKey(apiKey).build();
  }

  /// Sends a load. `progress` gets the number of responses so far, about every 20 ms.
  public Result run(Load load, LongConsumer progress) throws InterruptedException {
    AtomicLong responses = new AtomicLong();
    List<Connection> connections = new ArrayList<>();
    long start = System.nanoTime();
    List<Thread> senders = new ArrayList<>();
    for (int c = 0; c < load.connections(); c++) {
      long share =
          load.records() / load.connections() + (c < load.records() % load.connections() ? 1 : 0);
      Connection connection = new Connection(c, (int) share, load, responses);
      connections.add(connection);
      senders.add(Thread.ofPlatform().start(connection::send));
    }
    for (Thread sender : senders) {
      // A sender ends with its last response. A join, unlike a poll, measures the exact time.
      while (!sender.join(PROGRESS_EVERY)) {
        progress.accept(responses.get());
      }
    }
    long nanos = System.nanoTime() - start;
    progress.accept(responses.get());
    List<long[]> ackedSeqs = new ArrayList<>();
    long acknowledged = 0;
    long failed = 0;
    @Nullable Status first = null;
    long[] latencies = new long[(int) load.records()];
    int n = 0;
    for (Connection connection : connections) {
      ackedSeqs.add(connection.acked());
      acknowledged += connection.ackedCount;
      failed += connection.failedCount;
      first = first == null ? connection.failure : first;
      for (int i = 0; i < connection.latency.length; i++) {
        if (connection.latency[i] > 0) {
          latencies[n++] = connection.latency[i];
        }
      }
      end(connection.channel);
    }
    latencies = Arrays.copyOf(latencies, n);
    Arrays.sort(latencies);
    return new Result(acknowledged, failed, ackedSeqs, first, nanos, latencies);
  }

  /// A connection and its responses. One event loop calls back with all of them.
  private final class Connection {
    final ManagedChannel channel = newConnection();
    final int client;
    final Load load;
    final long[] latency;
    final Semaphore slots;
    final AtomicLong responses;
    final CountDownLatch done;
    long ackedCount;
    long failedCount;
    volatile @Nullable Status failure;

    Connection(int client, int records, Load load, AtomicLong responses) {
      this.client = client;
      this.load = load;
      this.latency = new long[records];
      this.slots = new Semaphore(load.inFlight());
      this.responses = responses;
      this.done = new CountDownLatch(records);
    }

    void send() {
      LogAgentGrpc.LogAgentStub stub = LogAgentGrpc.newStub(channel);
      long start = System.nanoTime();
      double interval = load.perSecond() == 0 ? 0 : 1e9 * load.connections() / load.perSecond();
      for (int i = 0; i < latency.length; i++) {
        if (interval > 0) {
          LockSupport.parkNanos(start + (long) (i * interval) - System.nanoTime());
        }
        slots.acquireUninterruptibly();
        int index = i;
        long sent = System.nanoTime();
        stub.sendLog(
            withKey(request(client, load.firstSeq() + i, load.size())),
            new StreamObserver<>() {
              @Override
              public void onNext(LogResponse response) {
                latency[index] = response.getSuccess() ? System.nanoTime() - sent : 0;
              }

              @Override
              public void onError(Throwable thrown) {
                failure = failure == null ? Status.fromThrowable(thrown) : failure;
                end();
              }

              @Override
              public void onCompleted() {
                end();
              }

              private void end() {
                slots.release();
                done.countDown();
                responses.incrementAndGet();
              }
            });
      }
      try {
        done.await();
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
      }
      for (long nanos : latency) {
        if (nanos > 0) {
          ackedCount++;
        } else {
          failedCount++;
        }
      }
    }

    long[] acked() {
      long[] seqs = new long[(int) ackedCount];
      int n = 0;
      for (int i = 0; i < latency.length; i++) {
        if (latency[i] > 0) {
          seqs[n++] = load.firstSeq() + i;
        }
      }
      return seqs;
    }
  }

  /// Closes a connection, and waits for that: an event loop that ends before can leave it open.
  private void end(ManagedChannel channel) {
    channel.shutdownNow();
    channels.remove(channel);
    try {
      boolean _ = channel.awaitTermination(10, TimeUnit.SECONDS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    channels.forEach(this::end);
    var _ = loop.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
  }

  /// `LoadClient SOCKET [records] [size] [connections] [in-flight] [per-second]`
  public static void main(String[] args) throws InterruptedException {
    long[] numbers = {10_000, 330, 4, 64, 0};
    for (int i = 1; i < args.length; i++) {
      numbers[i - 1] = Long.parseLong(args[i]);
    }
    try (LoadClient client = new LoadClient(Path.of(args[0]))) {
      Progress progress = new Progress("sent", numbers[0]);
      Result result =
          client.run(
              new Load(
                  numbers[0], (int) numbers[1], (int) numbers[2], (int) numbers[3], numbers[4], 0),
              progress::show);
      progress.end();
      System.out.printf(
          "acknowledged %d, failed %d%s, %.0f/s, p50 %.2f ms, p99 %.2f ms%n",
          result.acknowledged(),
          result.failed(),
          result.firstFailure() == null ? "" : " (" + result.firstFailure() + ")",
          result.perSecond(),
          result.latencyMillis(0.5),
          result.latencyMillis(0.99));
      if (result.failed() > 0) {
        System.exit(1);
      }
    }
  }
}
