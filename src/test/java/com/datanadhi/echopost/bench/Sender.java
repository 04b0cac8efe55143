package com.datanadhi.echopost.bench;

import com.datanadhi.echopost.testkit.LoadClient;
import java.nio.file.Path;

/// Sends loads to whoever serves on a socket, and insists that every record is acknowledged. The
/// numbers of its records go on from load to load.
final class Sender implements AutoCloseable {
  private static final int CONNECTIONS = 4;
  private static final int IN_FLIGHT = 64;

  private final LoadClient client;
  private long nextSeq;

  Sender(Path socket) {
    this.client = new LoadClient(socket);
  }

  /// As fast as it goes: 4 connections with 64 calls in flight on each.
  LoadClient.Result pipelined(int records) throws InterruptedException {
    return send(records, CONNECTIONS, IN_FLIGHT);
  }

  /// One call at a time on one connection.
  LoadClient.Result single(int records) throws InterruptedException {
    return send(records, 1, 1);
  }

  private LoadClient.Result send(int records, int connections, int inFlight)
      throws InterruptedException {
    LoadClient.Result result =
        client.run(
            new LoadClient.Load(records, Effort.RECORD_BYTES, connections, inFlight, 0, nextSeq),
            _ -> {});
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
