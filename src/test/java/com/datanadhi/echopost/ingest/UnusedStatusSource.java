package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.control.AgentStatus;
import com.datanadhi.echopost.upstream.ServerHealth;

/// For tests in which no operator calls.
public final class UnusedStatusSource implements StatusSource {
  @Override
  public AgentStatus status() {
    throw new UnsupportedOperationException();
  }

  @Override
  public ServerHealth serverHealth() {
    throw new UnsupportedOperationException();
  }

  @Override
  public String metrics(boolean openMetrics) {
    throw new UnsupportedOperationException();
  }
}
