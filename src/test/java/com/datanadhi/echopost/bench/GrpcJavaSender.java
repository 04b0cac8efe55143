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

/// Sends records to a socket with grpc-java. Throws if a record is not acknowledged. Sequence
/// numbers continue from call to call. Not thread-safe.
final class GrpcJavaSender implements AutoCloseable {
  static final int CONNECTIONS = 4;
  static final int IN_FLIGHT = 64;
  static final int RECONNECTING_CLIENTS = 8;

  private final LoadClient client;
  private final LongConsumer progress;
  private long nextSeq;

  GrpcJavaSender(Path socket) {
    this(socket, _ -> {});
  }

  /// @param progress is called about every 20 ms with the number of records answered so far
  GrpcJavaSender(Path socket, LongConsumer progress) {
    this.client = new LoadClient(socket);
    this.progress = progress;
  }

  /// Sends at the highest rate: 4 connections with 64 calls in flight on each.
  LoadClient.Result pipelined(int records) throws InterruptedException {
    return send(records, CONNECTIONS, IN_FLIGHT);
  }

  /// Sends one call at a time on one connection.
  LoadClient.Result single(int records) throws InterruptedException {
    return send(records, 1, 1);
  }

  /// Sends one record on a new connection.
  void sendOne() {
    send(nextSeq++);
  }

  /// Sends each record on a new connection, from 8 threads.
  ///
  /// @return acknowledged records per second
  double reconnecting(int records) throws InterruptedException, ExecutionException {
    List<Callable<Void>> clients = new ArrayList<>();
    int recordsPerClient = records / RECONNECTING_CLIENTS;
    for (int c = 0; c < RECONNECTING_CLIENTS; c++) {
      long first = nextSeq;
      clients.add(() -> {
        for (long seq = first; seq < first + recordsPerClient; seq++) {
          send(seq);
        }
        return null;
      });
      nextSeq += recordsPerClient;
    }
    return runConcurrently(clients, recordsPerClient);
  }

  /// Runs clients concurrently, each of which sends `recordsPerClient` records.
  ///
  /// @return records per second
  static double runConcurrently(List<Callable<Void>> clients, int recordsPerClient)
      throws InterruptedException, ExecutionException {
    try (ExecutorService threads = Executors.newFixedThreadPool(clients.size())) {
      long start = System.nanoTime();
      for (Future<Void> done : threads.invokeAll(clients)) {
        done.get();
      }
      return clients.size() * recordsPerClient / ((System.nanoTime() - start) / 1e9);
    }
  }

  private void send(long seq) {
    if (!client.send(LoadClient.request(0, seq, RunSize.RECORD_BYTES)).getSuccess()) {
      throw new IllegalStateException("a record was not acknowledged");
    }
  }

  private LoadClient.Result send(int records, int connections, int inFlight)
      throws InterruptedException {
    long before = nextSeq;
    LoadClient.Result result =
        client.run(
            new LoadClient.Load(records, RunSize.RECORD_BYTES, connections, inFlight, 0, nextSeq),
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
