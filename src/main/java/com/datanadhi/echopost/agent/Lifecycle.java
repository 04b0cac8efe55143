package com.datanadhi.echopost.agent;

import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.ingest.Ingest;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.time.Waiter;
import com.datanadhi.echopost.upstream.ServerHealth;
import com.datanadhi.echopost.upstream.ServerState;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// Decides when the run is over: owns the agent's state, and signals *drained* by returning.
///
/// Drained means: the server is well, nothing is pending or in flight, it has been quiet for the
/// [Linger], and after the socket was withdrawn and every last call answered there was still
/// nothing. Whatever came in meanwhile is in the buffer, and the agent serves on.
final class Lifecycle {
  private static final Duration TURN = Duration.ofMillis(50);

  private final Buffer buffer;
  private final Ingest ingest;
  private final ServerState server;
  private final Clock clock;
  private final Waiter waiter = new Waiter();
  private AgentState state = new AgentState.Starting();
  private long shownNanos;
  private volatile @Nullable String stopReason;

  Lifecycle(Buffer buffer, Ingest ingest, ServerState server, Clock clock) {
    this.buffer = buffer;
    this.ingest = ingest;
    this.server = server;
    this.clock = clock;
  }

  /// Asks the run to end, with records pending or not. Any thread.
  void requestStop(String reason) {
    stopReason = reason;
    waiter.wake();
  }

  /// Something is wrong with the storage: look at once. Any thread.
  void wake() {
    waiter.wake();
  }

  /// Runs until drained or stopped.
  AgentState run() throws InterruptedException, IOException, StorageException {
    while (true) {
      AgentState now = turn();
      if (now instanceof AgentState.Drained || now instanceof AgentState.Stopped) {
        return now;
      }
      if (now instanceof AgentState.Serving) {
        waiter.await(TURN);
      }
    }
  }

  /// Makes at most one move.
  AgentState turn() throws InterruptedException, IOException, StorageException {
    StorageException failure = buffer.failure();
    if (failure != null) {
      throw failure;
    }
    // No switch by type: that is compiled when first met, which every start would feel.
    if (state instanceof AgentState.Starting starting) {
      ingest.open();
      shownNanos = clock.nanos();
      state = starting.serve();
    } else if (state instanceof AgentState.Serving serving) {
      state = serveOn(serving);
    } else if (state instanceof AgentState.Draining draining) {
      state = leave(draining);
    }
    return state;
  }

  private AgentState serveOn(AgentState.Serving serving)
      throws InterruptedException, IOException, StorageException {
    String reason = stopReason;
    if (reason != null) {
      ingest.stop();
      Events.info(EventNames.STOP_REQUESTED, "reason", reason);
      return serving.stop();
    }
    if (!isQuiet()) {
      return serving;
    }
    // While the name still stands: what takes long is done before anybody can find it missing.
    tidy();
    if (!isQuiet()) {
      return serving;
    }
    Events.info(EventNames.DRAINING);
    ingest.withdraw();
    return serving.drain();
  }

  private AgentState leave(AgentState.Draining draining) throws InterruptedException, IOException {
    if (ingest.finish() && buffer.isDrained()) {
      return draining.drained(0);
    }
    if (stopReason != null) {
      ingest.stop();
      return draining.stop();
    }
    Events.info(EventNames.SERVING_RESUMED, "pending", buffer.totals().pending());
    ingest.open();
    return draining.serveOn();
  }

  private void tidy() throws InterruptedException, StorageException {
    try {
      buffer.reclaimSpace();
    } catch (StorageException failed) {
      if (!failed.isTransient()) {
        throw failed;
      }
      // Somebody reads the file at this moment, or the disk is full: the log stays as long as it
      // is.
      Events.warning(EventNames.TIDY_FAILED, "reason", failed.getMessage());
    }
  }

  private boolean isQuiet() {
    if (server.health() != ServerHealth.UP || !buffer.isDrained() || ingest.hasUnansweredCalls()) {
      return false;
    }
    long now = clock.nanos();
    long quiet = Math.min(now - ingest.lastRecordNanos(), now - shownNanos);
    return quiet >= Linger.after(ingest.longestGapNanos()).toNanos();
  }
}
