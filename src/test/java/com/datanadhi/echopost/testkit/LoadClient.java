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
import io.netty.channel.EventLoopGroup;
import io.netty.channel.unix.DomainSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/// A client with nothing but the .proto: sends records over the agent's socket, pipelined, each
/// connection in order, and says what was acknowledged.
public final class LoadClient implements AutoCloseable {
  private static final Duration PROGRESS_EVERY = Duration.ofMillis(20);

  private final EventLoopGroup loop = Transport.ofThisSystem().newEventLoop("load-client");
  private final Path socket;

  /// @param socket the agent's
  public LoadClient(Path socket) {
    this.socket = socket;
  }

  /// What to send.
  ///
  /// @param records in all
  /// @param size of each payload, in bytes
  /// @param connections side by side
  /// @param inFlight calls at once on each connection
  /// @param perSecond the rate in all, 0 for as fast as it goes
  /// @param firstSeq where each client's numbers begin
  public record Load(
      long records, int size, int connections, int inFlight, double perSecond, long firstSeq) {}

  /// What came of it.
  ///
  /// @param acknowledged how many
  /// @param failed how many were refused or got no answer
  /// @param ackedSeqs the acknowledged numbers of each client, ascending
  /// @param firstFailure the first failure, or null
  /// @param nanos how long it took
  /// @param latencies of every acknowledged call in nanoseconds, sorted
  @SuppressWarnings("ArrayRecordComponent")
  public record Result(
      long acknowledged,
      long failed,
      List<long[]> ackedSeqs,
      @Nullable Status firstFailure,
      long nanos,
      long[] latencies) {
    /// Acknowledged records a second.
    public double perSecond() {
      return acknowledged / (nanos / 1e9);
    }

    /// A latency in milliseconds.
    public double latencyMillis(double quantile) {
      return latencies.length == 0
          ? Double.NaN
          : latencies[(int) Math.min(latencies.length - 1, quantile * latencies.length)] / 1e6;
    }
  }

  /// A channel that is connected to the agent, or cannot be.
  public ManagedChannel newChannel() {
    ManagedChannel channel =
        NettyChannelBuilder.forAddress(new DomainSocketAddress(socket.toString()))
            .overrideAuthority("localhost")
            .eventLoopGroup(loop)
            .channelFactory(Transport.ofThisSystem().unixChannels())
            .withOption(io.netty.channel.ChannelOption.SO_KEEPALIVE, null)
            .usePlaintext()
            .directExecutor()
            .build();
    // While a grpc-java channel connects it keeps calls in a queue of its own, and lets later ones
    // overtake them.
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

  /// Sends one record and waits for the answer.
  public LogResponse send(LogRequest request) {
    ManagedChannel channel = newChannel();
    try {
      return LogAgentGrpc.newBlockingStub(channel)
          .withDeadlineAfter(60, TimeUnit.SECONDS)
          .sendLog(request);
    } finally {
      channel.shutdownNow();
    }
  }

  /// A request with a labelled payload.
  public static LogRequest request(int client, long seq, int size) {
    return LogRequest.newBuilder()
        .setJsonData(Payloads.payload(client, seq, size))
        .addPipelines("p1")
        .setApiKey("key-" + client)
        .build();
  }

  /// Sends a load; `progress` hears the number of answers now and then.
  public Result run(Load load, LongConsumer progress) throws InterruptedException {
    AtomicLong answers = new AtomicLong();
    List<Connection> connections = new ArrayList<>();
    long start = System.nanoTime();
    List<Thread> senders = new ArrayList<>();
    for (int c = 0; c < load.connections(); c++) {
      long mine =
          load.records() / load.connections() + (c < load.records() % load.connections() ? 1 : 0);
      Connection connection = new Connection(c, (int) mine, load, answers);
      connections.add(connection);
      senders.add(Thread.ofPlatform().start(connection::send));
    }
    for (Thread sender : senders) {
      // A sender ends with its last answer: joined, not polled, so that the time is exact.
      while (!sender.join(PROGRESS_EVERY)) {
        progress.accept(answers.get());
      }
    }
    long nanos = System.nanoTime() - start;
    progress.accept(answers.get());
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
      connection.channel.shutdownNow();
    }
    latencies = Arrays.copyOf(latencies, n);
    Arrays.sort(latencies);
    return new Result(acknowledged, failed, ackedSeqs, first, nanos, latencies);
  }

  /// All of one connection's answers come on one event loop.
  private final class Connection {
    final ManagedChannel channel = newChannel();
    final int client;
    final Load load;
    final long[] latency;
    final Semaphore slots;
    final AtomicLong answers;
    final CountDownLatch done;
    long ackedCount;
    long failedCount;
    volatile @Nullable Status failure;

    Connection(int client, int records, Load load, AtomicLong answers) {
      this.client = client;
      this.load = load;
      this.latency = new long[records];
      this.slots = new Semaphore(load.inFlight());
      this.answers = answers;
      this.done = new CountDownLatch(records);
    }

    void send() {
      LogAgentGrpc.LogAgentStub stub = LogAgentGrpc.newStub(channel);
      long start = System.nanoTime();
      double gap = load.perSecond() == 0 ? 0 : 1e9 * load.connections() / load.perSecond();
      for (int i = 0; i < latency.length; i++) {
        if (gap > 0) {
          LockSupport.parkNanos(start + (long) (i * gap) - System.nanoTime());
        }
        slots.acquireUninterruptibly();
        int index = i;
        long sent = System.nanoTime();
        stub.sendLog(
            request(client, load.firstSeq() + i, load.size()),
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
                answers.incrementAndGet();
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

  @Override
  public void close() {
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
