package com.datanadhi.echopost.agent;

import com.datanadhi.echopost.buffer.BufferListener;
import com.datanadhi.echopost.time.Waiter;
import com.datanadhi.echopost.upstream.ServerHealth;
import com.datanadhi.echopost.upstream.ServerState;

/// Wakes the loops that wait for the buffer's writer. The writer's thread calls it.
final class CommitListener implements BufferListener {
  private final Waiter replay;
  private final ServerState server;
  private final RunSignals lifecycle;

  CommitListener(Waiter replay, ServerState server, RunSignals lifecycle) {
    this.replay = replay;
    this.server = server;
    this.lifecycle = lifecycle;
  }

  @Override
  public void stored() {
    // While the server is down, replay has nothing to do; it would wake up hundreds of times a
    // second. The change to UP wakes it.
    if (server.health() == ServerHealth.UP) {
      replay.wake();
    }
  }

  @Override
  public void failed() {
    lifecycle.wake();
  }

  @Override
  public void bufferReplaced() {
    replay.wake();
  }
}
