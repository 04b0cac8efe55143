package com.datanadhi.hub.intake;

import com.datanadhi.hub.record.Content;
import java.time.Duration;

/// What became of a transaction.
public sealed interface Outcome {
  /// It is durable.
  ///
  /// @param replayed whether it was stored before
  /// @param offset of its log record, or -1 if it was applied before
  record Stored(Receipt receipt, boolean replayed, long offset) implements Outcome {}

  /// It can never be stored like this: 400, 413 or 422.
  record Invalid(int status, String title, String detail) implements Outcome {}

  /// Its key is known with another payload: 422. The payload is kept as a conflict.
  record Conflict(String key, Content stored, Content sent) implements Outcome {}

  /// Not now: 503. It is not stored, or may be: the sender sends it again under the same key.
  ///
  /// @param reason for the metric of refusals, in snake_case
  record Unavailable(String reason, String detail, Duration retryAfter) implements Outcome {}
}
