package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.control.AgentStatus;

/// The agent as a whole, which operators may ask about over the socket. Any thread.
public interface AgentInfo {
  /// How it is doing. Does not block.
  AgentStatus status();

  /// How the main server is. Does not block.
  AgentStatus.ServerState serverState();

  /// All that is measured, as text. Reads from the disk.
  ///
  /// @param openMetrics in OpenMetrics 1.0 instead of Prometheus' text format
  String metrics(boolean openMetrics);
}
