package com.datanadhi.echopost.agent;

import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.ingest.Ingest;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.record.Totals;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.upstream.ServerHealth;
import com.datanadhi.echopost.upstream.ServerState;
import java.io.IOException;
import java.time.Duration;

/// Owns the [AgentState] and decides when the run is over.
///
/// A run is drained when the server is up, nothing is pending or in flight, no record has arrived
/// for the [Linger], and nothing is found after the socket was withdrawn and the last call was
/// answered. A record that arrives before that is in the buffer, and the agent resumes serving.
///
/// [#run] and [#turn] belong to one thread; other threads use [RunSignals].
final class Lifecycle {
  private static final Duration TURN = Duration.ofMillis(50);
  private static final Duration PUBLISH_RETRY = Duration.ofSeconds(1);

  private final Buffer buffer;
  private final Ingest ingest;
  private final ServerState serverState;
  private final Clock clock;
  private final RunSignals signals;
  private AgentState state = new AgentState.Starting();
  private long publishedNanos;
  private boolean isFailureReported;

  Lifecycle(
      Buffer buffer, Ingest ingest, ServerState serverState, Clock clock, RunSignals signals) {
    this.buffer = buffer;
    this.ingest = ingest;
    this.serverState = serverState;
    this.clock = clock;
    this.signals = signals;
  }

  /// Runs until drained or stopped.
  AgentState run() throws InterruptedException, IOException, StorageException {
    while (true) {
      AgentState now = turn();
      if (now instanceof AgentState.Drained || now instanceof AgentState.Stopped) {
        return now;
      }
      if (now instanceof AgentState.Serving) {
        signals.await(TURN);
      } else if (now instanceof AgentState.Starting) {
        signals.await(PUBLISH_RETRY);
      }
    }
  }

  /// Makes at most one transition, and does not sleep in between: ingest's steps take their own
  /// time.
  ///
  /// @return the state after it
  /// @throws StorageException when the buffer has failed
  AgentState turn() throws InterruptedException, IOException, StorageException {
    StorageException failure = buffer.failure();
    if (failure != null) {
      throw failure;
    }
    // A switch by type would be compiled at run time when first used, which delays each start.
    if (state instanceof AgentState.Starting starting) {
      state = publish(starting);
    } else if (state instanceof AgentState.Serving serving) {
      state = serve(serving);
    } else if (state instanceof AgentState.Draining draining) {
      boolean callsAnswered = ingest.finish();
      state = draining.close(callsAnswered, unsettledIds());
    } else if (state instanceof AgentState.Closing closing) {
      state = leave(closing);
    }
    return state;
  }

  private AgentState publish(AgentState.Starting starting)
      throws InterruptedException, StorageException {
    String reason = signals.stopReason();
    if (reason != null) {
      Events.info(EventNames.STOP_REQUESTED, "reason", reason);
      return starting.stop();
    }
    try {
      ingest.publish();
    } catch (IOException failed) {
      if (buffer.isDrained()) {
        throw new StorageException("the socket cannot be created: " + failed, failed);
      }
      if (!isFailureReported) {
        isFailureReported = true;
        Events.severe(
            EventNames.SOCKET_UNUSABLE,
            "reason",
            failed.toString(),
            "action",
            "make room for files in the directory; what is pending is delivered meanwhile");
      }
      return starting;
    }
    publishedNanos = clock.nanos();
    Events.info(EventNames.AGENT_READY);
    return starting.serve();
  }

  private AgentState serve(AgentState.Serving serving)
      throws InterruptedException, IOException, StorageException {
    String reason = signals.stopReason();
    if (reason != null) {
      ingest.stop();
      Events.info(EventNames.STOP_REQUESTED, "reason", reason);
      return serving.stop();
    }
    if (!isQuiet()) {
      return serving;
    }
    // Before the name is withdrawn, since clients that miss it start another agent.
    reclaimSpace();
    if (!isQuiet()) {
      return serving;
    }
    Events.info(EventNames.DRAINING);
    ingest.withdraw();
    return serving.drain();
  }

  private AgentState leave(AgentState.Closing closing) throws InterruptedException, IOException {
    if (closing.isEmpty()) {
      return closing.drained();
    }
    if (signals.stopReason() != null) {
      ingest.stop();
      return closing.stop();
    }
    Events.info(EventNames.SERVING_RESUMED, "pending", buffer.totals().pending());
    ingest.publish();
    return closing.resume();
  }

  private void reclaimSpace() throws InterruptedException, StorageException {
    try {
      buffer.reclaimSpace();
    } catch (StorageException failed) {
      if (!failed.isTransient()) {
        throw failed;
      }
      // Another process reads the file, or the disk is full: the WAL keeps its size.
      Events.warning(EventNames.RECLAIM_SPACE_FAILED, "reason", failed.getMessage());
    }
  }

  private boolean isQuiet() {
    if (serverState.health() != ServerHealth.UP
        || !buffer.isDrained()
        || ingest.hasUnansweredCalls()) {
      return false;
    }
    long now = clock.nanos();
    long quiet = Math.min(now - ingest.lastRecordNanos(), now - publishedNanos);
    return quiet >= Linger.after(ingest.longestIntervalNanos()).toNanos();
  }

  private long unsettledIds() {
    Totals totals = buffer.totals();
    return totals.lastId() - totals.settledThrough();
  }
}
