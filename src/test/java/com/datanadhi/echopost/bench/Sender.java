package com.datanadhi.echopost.bench;

import com.datanadhi.echopost.testkit.LoadClient;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.LongConsumer;

/// Sends loads to whoever serves on a socket, and insists that every record is acknowledged. The
/// numbers of its records go on from load to load.
final class Sender implements AutoCloseable {
  static final int CONNECTIONS = 4;
  static final int IN_FLIGHT = 64;
  static final int RECONNECTING_CLIENTS = 8;

  private final LoadClient client;
  private final LongConsumer progress;
  private long nextSeq;

  Sender(Path socket) {
    this(socket, _ -> {});
  }

  /// @param progress hears now and then how many records it has sent in all
  Sender(Path socket, LongConsumer progress) {
    this.client = new LoadClient(socket);
    this.progress = progress;
  }

  /// As fast as it goes: 4 connections with 64 calls in flight on each.
  LoadClient.Result pipelined(int records) throws InterruptedException {
    return send(records, CONNECTIONS, IN_FLIGHT);
  }

  /// One call at a time on one connection.
  LoadClient.Result single(int records) throws InterruptedException {
    return send(records, 1, 1);
  }

  /// One record on a new connection.
  void one() {
    send(nextSeq++);
  }

  /// Each record on a new connection, from 8 threads.
  ///
  /// @return acknowledged records a second
  double reconnecting(int records) throws InterruptedException, ExecutionException {
    List<Callable<Void>> clients = new ArrayList<>();
    int each = records / RECONNECTING_CLIENTS;
    for (int c = 0; c < RECONNECTING_CLIENTS; c++) {
      long first = nextSeq;
      clients.add(() -> {
        for (long seq = first; seq < first + each; seq++) {
          send(seq);
        }
        return null;
      });
      nextSeq += each;
    }
    return perSecond(clients, each);
  }

  /// The rate of clients that send `each` records, side by side.
  static double perSecond(List<Callable<Void>> clients, int each)
      throws InterruptedException, ExecutionException {
    try (ExecutorService threads = Executors.newFixedThreadPool(clients.size())) {
      long start = System.nanoTime();
      for (Future<Void> done : threads.invokeAll(clients)) {
        done.get();
      }
      return clients.size() * each / ((System.nanoTime() - start) / 1e9);
    }
  }

  private void send(long seq) {
    if (!client.send(LoadClient.request(0, seq, Effort.RECORD_BYTES)).getSuccess()) {
      throw new IllegalStateException("a record was not acknowledged");
    }
  }

  private LoadClient.Result send(int records, int connections, int inFlight)
      throws InterruptedException {
    long before = nextSeq;
    LoadClient.Result result =
        client.run(
            new LoadClient.Load(records, Effort.RECORD_BYTES, connections, inFlight, 0, nextSeq),
            answers -> progress.accept(before + answers));
    nextSeq += records;
    if (result.acknowledged() != records) {
      throw new IllegalStateException(
          "of " + records + " records " + result.failed() + " failed: " + result.firstFailure());
    }
    return result;
  }

  @Override
  public void close() {
    client.close();
  }
}
