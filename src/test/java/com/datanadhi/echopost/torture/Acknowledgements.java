package com.datanadhi.echopost.torture;

/// Hears of each record that a client was told is stored. Thread-safe.
interface Acknowledgements {
  /// The agent told `client` that its record `seq` is stored.
  void acknowledged(int client, int seq);
}
