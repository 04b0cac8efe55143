package com.datanadhi.echopost.torture;

import org.jspecify.annotations.Nullable;

/// Is told what senders of a hub send and what they are answered. Implementations are thread-safe.
interface HubObserver {
  /// A transaction is about to be sent, for the first time or again: from now on it may be stored.
  void sending(HubChecker.Sent transaction);

  /// The hub said that a transaction is stored.
  ///
  /// @param receipt the body of the answer, which must be the same at each repeat; null if this
  ///   request has no receipts
  void acknowledged(HubChecker.Sent transaction, @Nullable String receipt);

  /// The hub answered with an error.
  void refused(int status, String body);
}
