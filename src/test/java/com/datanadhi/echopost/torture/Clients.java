package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.proto.LogAgentGrpc;
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

/// Clients that send one record after the other without end, pipelined, each in order on one
/// connection at a time. What fails is not sent again; when the connection breaks they make another
/// as soon as there is a socket.
final class Clients implements AutoCloseable {
  private static final long TRY_AGAIN_NANOS = 5_000_000;

  private final LoadClient load;
  private final Path socket;
  private final int inFlight;
  private final int size;
  private final long pauseNanos;
  private final Acknowledgements acknowledgements;
  private final Tally tally;
  private final List<Thread> threads = new ArrayList<>();
  private final AtomicInteger refused = new AtomicInteger();
  private final Queue<Long> latencies = new ConcurrentLinkedQueue<>();
  private final AtomicInteger connections = new AtomicInteger();
  private volatile @Nullable Status firstFailure;
  private volatile @Nullable Status lastRefusal;
  private volatile boolean stopped;

  /// Starts them.
  ///
  /// @param count how many
  /// @param inFlight calls at once of each
  /// @param size of a payload in bytes
  /// @param pauseNanos between two records of a client
  Clients(
      Path socket,
      int count,
      int inFlight,
      int size,
      long pauseNanos,
      Acknowledgements acknowledgements,
      Tally tally) {
    this.load = new LoadClient(socket);
    this.socket = socket;
    this.inFlight = inFlight;
    this.size = size;
    this.pauseNanos = pauseNanos;
    this.acknowledgements = acknowledgements;
    this.tally = tally;
    for (int client = 0; client < count; client++) {
      int number = client;
      threads.add(Thread.ofPlatform().name("client-" + client).start(() -> send(number)));
    }
  }

  /// Calls that were answered with an error and not by the end of their connection.
  int refused() {
    return refused.get();
  }

  /// The 99th of a hundred of the latencies since this was last asked, in milliseconds.
  double p99Millis() {
    List<Long> sorted = new ArrayList<>();
    for (Long next = latencies.poll(); next != null; next = latencies.poll()) {
      sorted.add(next);
    }
    sorted.sort(null);
    return sorted.isEmpty() ? Double.NaN : sorted.get(sorted.size() * 99 / 100) / 1e6;
  }

  /// Connections that were made.
  int connections() {
    return connections.get();
  }

  /// How the last of those was answered, or null.
  @Nullable Status lastRefusal() {
    return lastRefusal;
  }

  /// The first failure of all, or null.
  @Nullable Status firstFailure() {
    return firstFailure;
  }

  private void send(int client) {
    int seq = 0;
    while (!stopped) {
      if (!Files.exists(socket)) {
        LockSupport.parkNanos(TRY_AGAIN_NANOS);
        continue;
      }
      ManagedChannel channel = load.newChannel();
      try {
        if (channel.getState(false) == ConnectivityState.READY) {
          connections.incrementAndGet();
          seq = send(client, seq, channel);
        } else {
          LockSupport.parkNanos(TRY_AGAIN_NANOS);
        }
      } finally {
        channel.shutdownNow();
      }
    }
  }

  /// Until the connection breaks.
  ///
  /// @return the number of the next record
  private int send(int client, int firstSeq, ManagedChannel channel) {
    LogAgentGrpc.LogAgentStub stub = LogAgentGrpc.newStub(channel);
    Semaphore slots = new Semaphore(inFlight);
    Semaphore broken = new Semaphore(0);
    int next = firstSeq;
    while (!stopped && broken.availablePermits() == 0) {
      slots.acquireUninterruptibly();
      if (broken.availablePermits() > 0) {
        // The slot is that of the call that failed. Of those behind it gRPC may send again on a new
        // connection what never left, behind one that would begin now.
        slots.release();
        break;
      }
      int seq = next++;
      long sent = System.nanoTime();
      stub.sendLog(
          LoadClient.request(client, seq, size),
          new StreamObserver<>() {
            @Override
            public void onNext(LogResponse response) {
              if (response.getSuccess()) {
                acknowledgements.acknowledged(client, seq);
                long nanos = System.nanoTime() - sent;
                tally.took(Tally.LATENCY, nanos);
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
                  int _ = refused.incrementAndGet();
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
    // Every call has ended before there is another connection: that keeps this client's order.
    slots.acquireUninterruptibly(inFlight);
    return next;
  }

  /// Returns once every call has ended.
  @Override
  public void close() throws InterruptedException {
    stopped = true;
    for (Thread thread : threads) {
      thread.join();
    }
    load.close();
  }
}
