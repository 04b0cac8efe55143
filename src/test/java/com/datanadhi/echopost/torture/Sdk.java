package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.proto.LogAgentGrpc;
import com.datanadhi.echopost.proto.LogRequest;
import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.LoadClient;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

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
  private final List<Instant> deletions = new ArrayList<>();

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
    ///
    /// @param noName whether the connect failed because there was no such name any more
    record NobodyThere(Instant looked, Instant tried, boolean noName) implements Sent {}

    /// Anything else, which there may not be.
    record Failed(Instant looked, Instant tried, String how) implements Sent {}
  }

  /// Sends record `seq` of `client`.
  Sent send(int client, int seq) throws IOException {
    Instant looked = Instant.now();
    if (!Files.exists(socket)) {
      Instant found = start();
      if (found == null) {
        return new Sent.Failed(
            looked,
            Instant.now(),
            "no socket " + TimeUnit.NANOSECONDS.toSeconds(PATIENCE_NANOS) + " s after a spawn");
      }
      looked = found;
    }
    long begun = System.nanoTime();
    ManagedChannel channel = clients.newChannel();
    try {
      if (channel.getState(false) != ConnectivityState.READY) {
        Instant tried = Instant.now();
        return new Sent.NobodyThere(looked, tried, foundNoName(channel));
      }
      boolean stored =
          LogAgentGrpc.newBlockingStub(channel)
              .withDeadlineAfter(PATIENCE_NANOS, TimeUnit.NANOSECONDS)
              .sendLog(LoadClient.request(client, seq, 200))
              .getSuccess();
      if (!stored) {
        return new Sent.Failed(looked, Instant.now(), "the answer was no success");
      }
      witness.acknowledged(client, seq);
      tally.took(Tally.LATENCY, System.nanoTime() - begun);
      return new Sent.Acknowledged();
    } catch (StatusRuntimeException failed) {
      return new Sent.Failed(looked, Instant.now(), failed + ", by " + failed.getCause());
    } finally {
      channel.shutdownNow();
    }
  }

  /// Whether it was that why `channel` could not connect.
  private static boolean foundNoName(ManagedChannel channel) {
    try {
      var _ = LogAgentGrpc.newBlockingStub(channel).sendLog(LogRequest.getDefaultInstance());
    } catch (StatusRuntimeException failed) {
      for (Throwable cause = failed; cause != null; cause = cause.getCause()) {
        if (cause instanceof FileNotFoundException) {
          return true;
        }
      }
    }
    return false;
  }

  /// Sees to it that there is a socket.
  ///
  /// @return when it was looked for and found, or null
  private synchronized @Nullable Instant start() throws IOException {
    if (!Files.exists(socket)) {
      Instant now = Instant.now();
      if (Files.deleteIfExists(socket)) {
        // Another process's agent published it in this moment.
        deletions.add(now);
      }
      agents.add(AgentProcess.spawn(directory, url));
    }
    long begun = System.nanoTime();
    Instant looked = Instant.now();
    while (!Files.exists(socket)) {
      if (System.nanoTime() - begun > PATIENCE_NANOS) {
        return null;
      }
      LockSupport.parkNanos(LOOK_AGAIN_NANOS);
      looked = Instant.now();
    }
    long took = System.nanoTime() - begun;
    tally.took("wait for the socket", took);
    if (took > SDK_PATIENCE_NANOS) {
      tally.add("sockets after more than 2 s", 1);
    }
    return looked;
  }

  /// The agents that were spawned here and have not ended.
  synchronized List<AgentProcess> agents() {
    return List.copyOf(agents);
  }

  /// An agent that has ended.
  ///
  /// @param output what it printed
  record Ended(int exit, String output) {}

  /// Takes the ended ones out.
  synchronized List<Ended> ended() throws Exception {
    List<Ended> ended = new ArrayList<>();
    for (AgentProcess agent : agents()) {
      if (!agent.isAlive()) {
        ended.add(new Ended(agent.awaitExit(java.time.Duration.ZERO), agent.output()));
        agents.remove(agent);
        agent.close();
      }
    }
    return ended;
  }

  /// When this process deleted a name that was there.
  synchronized List<Instant> deletions() {
    return List.copyOf(deletions);
  }

  @Override
  public void close() throws IOException, InterruptedException {
    for (AgentProcess agent : agents()) {
      agent.close();
    }
    clients.close();
  }
}
