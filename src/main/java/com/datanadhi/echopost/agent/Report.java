package com.datanadhi.echopost.agent;

import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.control.AgentStatus;
import com.datanadhi.echopost.health.ServerState;
import com.datanadhi.echopost.ingest.Overview;
import com.datanadhi.echopost.metrics.Rate;
import com.datanadhi.echopost.replay.Replay;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.time.Waiter;
import java.time.Duration;

/// What an operator may know of the running agent, put together from its parts.
final class Report implements Overview {
  private static final Duration TURN = Duration.ofSeconds(1);

  private final AgentIdentity identity;
  private final Buffer buffer;
  private final ServerState server;
  private final Rate accepting;
  private final Rate delivering;

  Report(AgentIdentity identity, Buffer buffer, ServerState server, Replay replay, Clock clock) {
    this.identity = identity;
    this.buffer = buffer;
    this.server = server;
    this.accepting = new Rate(buffer::accepted, clock);
    this.delivering = new Rate(replay::delivered, clock);
  }

  /// Follows the rates until interrupted.
  void run() throws InterruptedException {
    Waiter waiter = new Waiter();
    while (true) {
      accepting.sample();
      delivering.sample();
      waiter.await(TURN);
    }
  }

  @Override
  public AgentStatus status() {
    ServerState.Known known = server.known();
    return new AgentStatus(
        identity.pid(),
        identity.startedAt(),
        identity.version(),
        identity.server(),
        switch (known.health()) {
          case UNKNOWN -> AgentStatus.ServerState.UNKNOWN;
          case UP -> AgentStatus.ServerState.UP;
          case DOWN -> AgentStatus.ServerState.DOWN;
        },
        known.since(),
        storage(),
        accepting.perSecond(),
        delivering.perSecond());
  }

  private AgentStatus.StorageState storage() {
    if (buffer.failure() != null) {
      return AgentStatus.StorageState.FAILED;
    }
    return buffer.shortage() == 0 ? AgentStatus.StorageState.OK : AgentStatus.StorageState.FULL;
  }
}
