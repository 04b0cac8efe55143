package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.control.AgentStatus;
import com.datanadhi.echopost.upstream.ServerHealth;

/// What operators can ask about the agent over the socket. Any thread.
public interface AgentInfo {
  /// The agent's status. Does not block.
  AgentStatus status();

  /// The state of the main server. Does not block.
  ServerHealth serverHealth();

  /// All metrics as text. Reads from the disk.
  ///
  /// @param openMetrics whether in OpenMetrics 1.0 instead of Prometheus' text format
  String metrics(boolean openMetrics);
}
