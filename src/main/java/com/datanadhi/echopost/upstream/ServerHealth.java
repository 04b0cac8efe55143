package com.datanadhi.echopost.upstream;

/// Whether the main server can take records. The order is that of the numbers in
/// `proto/operator.proto`.
public enum ServerHealth {
  /// No probe has ended yet.
  UNKNOWN,
  /// The last probe succeeded, and no delivery has found the server unavailable since.
  UP,
  /// The last probe failed, or a delivery found the server unavailable after it.
  DOWN
}
