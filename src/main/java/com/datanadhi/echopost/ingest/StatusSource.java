package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.control.AgentStatus;
import com.datanadhi.echopost.upstream.ServerHealth;

/// The agent's status and metrics for operators, who request them over the socket. Any thread.
public interface StatusSource {
  /// The agent's status. Does not block.
  AgentStatus status();

  /// The state of the main server. Does not block.
  ServerHealth serverHealth();

  /// All metrics as text. Reads from the disk.
  ///
  /// @param openMetrics whether in OpenMetrics 1.0 instead of Prometheus' text format
  String metrics(boolean openMetrics);
}
