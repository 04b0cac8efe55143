package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.control.AgentStatus;

/// For tests in which no operator asks.
final class UnusedAgentInfo implements AgentInfo {
  @Override
  public AgentStatus status() {
    throw new UnsupportedOperationException();
  }

  @Override
  public AgentStatus.ServerState serverState() {
    throw new UnsupportedOperationException();
  }

  @Override
  public String metrics(boolean openMetrics) {
    throw new UnsupportedOperationException();
  }
}
