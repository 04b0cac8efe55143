package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.control.AgentStatus;

/// The agent as a whole, which operators may ask about over the socket. Any thread.
public interface Overview {
  /// How it is doing. Does not block.
  AgentStatus status();
}
