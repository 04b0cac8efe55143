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

/// One application process that uses an SDK. For each record it checks for the socket. If there is
/// none it deletes a leftover name and spawns an agent, under a lock of this process, and checks
/// every 50 ms. Then it makes a new connection, sends the record, and closes the connection.
/// Thread-safe.
final class SimulatedSdk implements AutoCloseable {
  private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
  private static final long SDK_TIMEOUT_NANOS = TimeUnit.MILLISECONDS.toNanos(2_000);

  /// Longer than an SDK waits, for a busy machine.
  private static final long TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(30);

  private final Path directory;
  private final Path socket;
  private final String url;
  private final LoadClient clients;
  private final DeliveryChecker checker;
  private final CampaignResult result;
  private final List<AgentProcess> agents = new ArrayList<>();
  private final List<Instant> deletions = new ArrayList<>();

  SimulatedSdk(Path directory, String url, DeliveryChecker checker, CampaignResult result) {
    this.directory = directory;
    this.socket = directory.resolve("data-nadhi-agent.sock");
    this.url = url;
    this.clients = new LoadClient(socket);
    this.checker = checker;
    this.result = result;
  }

  /// The result of one send.
  sealed interface SendResult {
    /// The record was acknowledged.
    record Acknowledged() implements SendResult {}

    /// The socket existed when checked, but the connect failed.
    ///
    /// @param checked when the socket was seen
    /// @param failed when the connect had failed
    /// @param noSuchFile whether it failed because the socket no longer existed
    record NoListener(Instant checked, Instant failed, boolean noSuchFile) implements SendResult {}

    /// The send failed in any other way, which is a violation.
    ///
    /// @param checked when the socket was seen
    /// @param failed when the send had failed
    record Failed(Instant checked, Instant failed, String reason) implements SendResult {}
  }

  /// Sends record `seq` of `client`.
  SendResult send(int client, int seq) throws IOException {
    Instant checked = Instant.now();
    if (!Files.exists(socket)) {
      Instant found = ensureSocket();
      if (found == null) {
        return new SendResult.Failed(
            checked,
            Instant.now(),
            "no socket "
                + TimeUnit.NANOSECONDS.toSeconds(TIMEOUT_NANOS)
                + " s after the spawn of an agent");
      }
      checked = found;
    }
    long start = System.nanoTime();
    ManagedChannel channel = clients.newChannel();
    try {
      if (channel.getState(false) != ConnectivityState.READY) {
        Instant failed = Instant.now();
        return new SendResult.NoListener(checked, failed, foundNoFile(channel));
      }
      boolean stored =
          LogAgentGrpc.newBlockingStub(channel)
              .withDeadlineAfter(TIMEOUT_NANOS, TimeUnit.NANOSECONDS)
              .sendLog(LoadClient.request(client, seq, 200))
              .getSuccess();
      if (!stored) {
        return new SendResult.Failed(checked, Instant.now(), "the response has success = false");
      }
      checker.acknowledged(client, seq);
      result.recordTime(CampaignResult.LATENCY, System.nanoTime() - start);
      return new SendResult.Acknowledged();
    } catch (StatusRuntimeException failed) {
      return new SendResult.Failed(
          checked, Instant.now(), failed + ", caused by " + failed.getCause());
    } finally {
      channel.shutdownNow();
    }
  }

  /// Whether `channel` could not connect because the socket does not exist.
  private static boolean foundNoFile(ManagedChannel channel) {
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

  /// Spawns an agent if there is no socket, and waits for the socket.
  ///
  /// @return when the socket was seen, or null after a timeout
  private synchronized @Nullable Instant ensureSocket() throws IOException {
    if (!Files.exists(socket)) {
      Instant now = Instant.now();
      if (Files.deleteIfExists(socket)) {
        // The agent of another process created the socket just now.
        deletions.add(now);
      }
      agents.add(AgentProcess.spawn(directory, url));
    }
    long start = System.nanoTime();
    Instant checked = Instant.now();
    while (!Files.exists(socket)) {
      if (System.nanoTime() - start > TIMEOUT_NANOS) {
        return null;
      }
      LockSupport.parkNanos(POLL_NANOS);
      checked = Instant.now();
    }
    long took = System.nanoTime() - start;
    result.recordTime("wait for the socket", took);
    if (took > SDK_TIMEOUT_NANOS) {
      result.add("sockets that took more than 2 s", 1);
    }
    return checked;
  }

  /// The agents that this process spawned, except those taken by [#takeEnded].
  synchronized List<AgentProcess> agents() {
    return List.copyOf(agents);
  }

  /// An agent that has ended.
  ///
  /// @param output its standard output and standard error
  record EndedAgent(int exit, String output) {}

  /// Removes and returns the agents that have ended.
  synchronized List<EndedAgent> takeEnded() throws Exception {
    List<EndedAgent> ended = new ArrayList<>();
    for (AgentProcess agent : agents()) {
      if (!agent.isAlive()) {
        ended.add(new EndedAgent(agent.awaitExit(java.time.Duration.ZERO), agent.output()));
        agents.remove(agent);
        agent.close();
      }
    }
    return ended;
  }

  /// When this process deleted a socket that existed.
  synchronized List<Instant> socketDeletions() {
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
