package com.datanadhi.hub.query;

import org.jspecify.annotations.Nullable;

/// The keys whose transactions are durable and not applied yet. Thread-safe.
@FunctionalInterface
public interface UnappliedKeys {
  /// The digest of the transaction under a key, in lower-case hex; null if no transaction under it
  /// is durable and waits to be applied. A key leaves only after the commit that applies it.
  @Nullable String digest(String tenant, String key);
}
