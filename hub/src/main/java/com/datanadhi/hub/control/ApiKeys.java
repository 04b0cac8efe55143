package com.datanadhi.hub.control;

import org.jspecify.annotations.Nullable;

/// Who may send and read. Keys are stored as SHA-256 and compared in constant time. Thread-safe.
public interface ApiKeys {
  /// Tells whose key this is.
  ///
  /// @param apiKey as sent; null if none was
  Identity identify(@Nullable String apiKey);

  /// The result of a look-up.
  sealed interface Identity {}

  /// A valid key of this tenant.
  record Known(String tenant) implements Identity {}

  /// No key, or one that is not known or revoked: 401.
  ///
  /// @param detail what to do, for the sender
  record Unknown(String detail) implements Identity {}

  /// The control stream has not been read up to its head: 503.
  record NotReady() implements Identity {}
}
