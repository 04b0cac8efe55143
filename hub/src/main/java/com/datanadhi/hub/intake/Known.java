package com.datanadhi.hub.intake;

import com.datanadhi.hub.record.Content;
import org.jspecify.annotations.Nullable;

/// What is stored under a key, or will be when an append is durable.
///
/// @param fingerprint null beyond the key horizon, where nothing is left to compare with
/// @param content null if it has to be read from the log
/// @param durability in force at its append; null when `fingerprint` is
/// @param pending the append that must be durable before anybody hears of it; null if it is
/// @param place its log record's index in `pending`, or else its offset, or -1 if it is applied
record Known(
    @Nullable Fingerprint fingerprint,
    @Nullable Content content,
    @Nullable String durability,
    @Nullable Pending pending,
    long place) {
  static final Known UNVERIFIED = new Known(null, null, null, null, -1);

  boolean isSame(Item item) {
    return fingerprint == null || fingerprint.equals(item.fingerprint());
  }

  boolean isApplied() {
    return pending == null && place < 0;
  }
}
