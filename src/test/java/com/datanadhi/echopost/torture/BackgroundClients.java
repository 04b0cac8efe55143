package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.proto.LogAgentGrpc;
import com.datanadhi.echopost.proto.LogRequest;
import com.datanadhi.echopost.proto.LogResponse;
import com.datanadhi.echopost.testkit.LoadClient;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// Clients that send records until they are closed, each on a thread and a connection of its own,
/// with several calls in flight. A failed record is not sent again; after a broken connection a
/// client reconnects as soon as the socket exists.
final class BackgroundClients implements AutoCloseable {
  private static final long RETRY_NANOS = 5_000_000;

  private final LoadClient load;
  private final Path socket;
  private final @Nullable String apiKey;
  private final int inFlight;
  private final int size;
  private final long pauseNanos;
  private final AcknowledgementListener listener;
  private final CampaignResult result;
  private final List<Thread> threads = new ArrayList<>();
  private final AtomicInteger refusedCalls = new AtomicInteger();
  private final Queue<Long> latencies = new ConcurrentLinkedQueue<>();
  private final AtomicInteger connections = new AtomicInteger();
  private volatile @Nullable Status firstFailure;
  private volatile @Nullable Status lastRefusal;
  private volatile boolean stopped;

  /// Starts clients with the numbers 0 to `count` - 1.
  ///
  /// @param count the number of clients
  /// @param inFlight calls in flight per client
  /// @param size of a payload, in bytes
  /// @param pauseNanos between two records of a client
  /// @param listener is called for every acknowledgement
  BackgroundClients(
      Path socket,
      int count,
      int inFlight,
      int size,
      long pauseNanos,
      AcknowledgementListener listener,
      CampaignResult result) {
    this(socket, null, 0, count, inFlight, size, pauseNanos, listener, result);
  }

  /// As above, with the numbers from `first` on.
  ///
  /// @param apiKey the API key of all records, which the main server knows; null for any key
  BackgroundClients(
      Path socket,
      @Nullable String apiKey,
      int first,
      int count,
      int inFlight,
      int size,
      long pauseNanos,
      AcknowledgementListener listener,
      CampaignResult result) {
    this.load = new LoadClient(socket);
    this.socket = socket;
    this.apiKey = apiKey;
    this.inFlight = inFlight;
    this.size = size;
    this.pauseNanos = pauseNanos;
    this.listener = listener;
    this.result = result;
    for (int client = first; client < first + count; client++) {
      int number = client;
      threads.add(Thread.ofPlatform().name("client-" + client).start(() -> send(number)));
    }
  }

  /// How many calls were answered with an error other than UNAVAILABLE or CANCELLED, which mean a
  /// broken connection.
  int refusedCalls() {
    return refusedCalls.get();
  }

  /// The 99th percentile of the latencies since the last call, in milliseconds; NaN without any.
  double takeP99Millis() {
    List<Long> sorted = new ArrayList<>();
    for (Long next = latencies.poll(); next != null; next = latencies.poll()) {
      sorted.add(next);
    }
    sorted.sort(null);
    return sorted.isEmpty() ? Double.NaN : sorted.get(sorted.size() * 99 / 100) / 1e6;
  }

  /// How many connections were established.
  int connections() {
    return connections.get();
  }

  /// The error of the last refused call, or null.
  @Nullable Status lastRefusal() {
    return lastRefusal;
  }

  /// The first error of any call, or null.
  @Nullable Status firstFailure() {
    return firstFailure;
  }

  private void send(int client) {
    int seq = 0;
    while (!stopped) {
      if (!Files.exists(socket)) {
        LockSupport.parkNanos(RETRY_NANOS);
        continue;
      }
      ManagedChannel channel = load.newConnection();
      try {
        if (channel.getState(false) == ConnectivityState.READY) {
          connections.incrementAndGet();
          seq = send(client, seq, channel);
        } else {
          LockSupport.parkNanos(RETRY_NANOS);
        }
      } finally {
        channel.shutdownNow();
      }
    }
  }

  private LogRequest request(int client, int seq) {
    LogRequest request = LoadClient.request(client, seq, size);
    return apiKey == null ? request : request.toBuilder().setApiKey(apiKey).build();
  }

  /// Sends records until the connection breaks.
  ///
  /// @return the sequence number of the next record
  private int send(int client, int firstSeq, ManagedChannel channel) {
    LogAgentGrpc.LogAgentStub stub = LogAgentGrpc.newStub(channel);
    Semaphore slots = new Semaphore(inFlight);
    Semaphore broken = new Semaphore(0);
    int next = firstSeq;
    while (!stopped && broken.availablePermits() == 0) {
      slots.acquireUninterruptibly();
      int seq = next++;
      long sent = System.nanoTime();
      stub.sendLog(
          request(client, seq),
          new StreamObserver<>() {
            @Override
            public void onNext(LogResponse response) {
              if (response.getSuccess()) {
                listener.acknowledged(client, seq);
                long nanos = System.nanoTime() - sent;
                result.recordTime(CampaignResult.LATENCY, nanos);
                latencies.add(nanos);
              }
            }

            @Override
            public void onError(Throwable thrown) {
              Status failure = Status.fromThrowable(thrown);
              firstFailure = firstFailure == null ? failure : firstFailure;
              switch (failure.getCode()) {
                case UNAVAILABLE, CANCELLED -> broken.release();
                default -> {
                  lastRefusal = failure;
                  int _ = refusedCalls.incrementAndGet();
                }
              }
              slots.release();
            }

            @Override
            public void onCompleted() {
              slots.release();
            }
          });
      if (pauseNanos > 0) {
        LockSupport.parkNanos(pauseNanos);
      }
    }
    // All calls must end before the next connection is made, or this client's order is lost.
    slots.acquireUninterruptibly(inFlight);
    return next;
  }

  /// Stops sending, and returns once every call has ended.
  @Override
  public void close() throws InterruptedException {
    stopped = true;
    for (Thread thread : threads) {
      thread.join();
    }
    load.close();
  }
}
