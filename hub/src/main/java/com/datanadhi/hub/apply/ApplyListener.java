package com.datanadhi.hub.apply;

import java.util.List;

/// Is told what has been applied, after its commit.
public interface ApplyListener {
  /// Called after each commit.
  ///
  /// @param offset up to which log records are applied for this tenant
  /// @param keys of the transactions that were applied, conflicts included, in order
  /// @param bytes of their log records' payloads
  void applied(String tenant, String stream, long offset, List<String> keys, long bytes);
}
