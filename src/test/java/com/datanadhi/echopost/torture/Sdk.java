package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.proto.LogAgentGrpc;
import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.LoadClient;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// One process of an application with the SDK in it, as it is in the field: it looks for the
/// socket; where there is none it deletes the name and spawns an agent, under a lock of its own,
/// and looks every 50 ms; then a new connection, one record, and the connection is closed.
/// Thread-safe.
final class Sdk implements AutoCloseable {
  private static final long LOOK_AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
  private static final long SDK_PATIENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(2_000);

  /// How long a machine that does other things may take.
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(30);

  private final Path directory;
  private final Path socket;
  private final String url;
  private final LoadClient clients;
  private final Witness witness;
  private final Tally tally;
  private final List<AgentProcess> agents = new ArrayList<>();

  Sdk(Path directory, String url, Witness witness, Tally tally) {
    this.directory = directory;
    this.socket = directory.resolve("data-nadhi-agent.sock");
    this.url = url;
    this.clients = new LoadClient(socket);
    this.witness = witness;
    this.tally = tally;
  }

  /// How one send ended.
  sealed interface Sent {
    /// Stored.
    record Acknowledged() implements Sent {}

    /// The name was there when it was looked for, and when it was connected to nobody was.
    record NobodyThere(Instant looked, Instant tried) implements Sent {}

    /// Anything else, which there may not be.
    record Failed(String how) implements Sent {}
  }

  /// Sends record `seq` of `client`.
  Sent send(int client, int seq) throws IOException {
    Instant looked = Instant.now();
    if (!Files.exists(socket)) {
      if (!start()) {
        return new Sent.Failed("no socket " + PATIENCE_NANOS / 1_000_000_000 + " s after a spawn");
      }
      looked = Instant.now();
    }
    long begun = System.nanoTime();
    ManagedChannel channel = clients.newChannel();
    try {
      if (channel.getState(false) != ConnectivityState.READY) {
        return new Sent.NobodyThere(looked, Instant.now());
      }
      boolean stored =
          LogAgentGrpc.newBlockingStub(channel)
              .withDeadlineAfter(PATIENCE_NANOS, TimeUnit.NANOSECONDS)
              .sendLog(LoadClient.request(client, seq, 200))
              .getSuccess();
      if (!stored) {
        return new Sent.Failed("the answer was no success");
      }
      witness.acknowledged(client, seq);
      tally.took(Tally.LATENCY, System.nanoTime() - begun);
      return new Sent.Acknowledged();
    } catch (StatusRuntimeException failed) {
      return new Sent.Failed(failed.toString());
    } finally {
      channel.shutdownNow();
    }
  }

  private synchronized boolean start() throws IOException {
    if (!Files.exists(socket)) {
      boolean _ = Files.deleteIfExists(socket);
      agents.add(AgentProcess.spawn(directory, url));
    }
    long begun = System.nanoTime();
    while (!Files.exists(socket)) {
      if (System.nanoTime() - begun > PATIENCE_NANOS) {
        return false;
      }
      LockSupport.parkNanos(LOOK_AGAIN_NANOS);
    }
    long took = System.nanoTime() - begun;
    tally.took("wait for the socket", took);
    if (took > SDK_PATIENCE_NANOS) {
      tally.add("sockets after more than 2 s", 1);
    }
    return true;
  }

  /// The agents that were spawned here and have not ended.
  synchronized List<AgentProcess> agents() {
    return List.copyOf(agents);
  }

  /// Takes the ended ones out.
  ///
  /// @return how each of them ended
  synchronized List<Integer> ended() throws Exception {
    List<Integer> exits = new ArrayList<>();
    for (AgentProcess agent : agents()) {
      if (!agent.isAlive()) {
        exits.add(agent.awaitExit(java.time.Duration.ZERO));
        agents.remove(agent);
        agent.close();
      }
    }
    return exits;
  }

  @Override
  public void close() throws IOException, InterruptedException {
    for (AgentProcess agent : agents()) {
      agent.close();
    }
    clients.close();
  }
}
