package com.datanadhi.echopost.torture;

/// Is called for each acknowledgement that a client receives. Thread-safe.
interface AcknowledgementListener {
  /// The agent acknowledged record `seq` of `client`.
  void acknowledged(int client, int seq);
}
