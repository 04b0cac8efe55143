package com.datanadhi.hub.restore;

import com.datanadhi.hub.record.Position;
import com.datanadhi.hub.view.StoredEvent;

/// Up to where a tenant is restored. Transactions stay whole.
public sealed interface Target {
  /// The record with this seq, or the end of the transaction before the one that it is in.
  record Seq(long seq) implements Target {}

  /// The last record that was received then or before.
  ///
  /// @param millis since 1970
  record Time(long millis) implements Target {}

  /// The archive's last record.
  record End() implements Target {}

  /// The last record whose log record is before this offset; for databases of that log.
  record Before(long offset) implements Target {}

  /// Whether a transaction is within the target.
  ///
  /// @param last its last record
  default boolean includes(StoredEvent last) {
    if (this instanceof Before(long end)) {
      Position position = Position.parse(last.position());
      return position != null && position.offset() < end;
    }
    return includes(last.seq(), last.receivedAt());
  }

  /// Whether a history with this end is within the target.
  ///
  /// @param receivedAt of its last record, in milliseconds since 1970
  default boolean includes(long seq, long receivedAt) {
    return switch (this) {
      case Seq(long wanted) -> seq <= wanted;
      case Time(long millis) -> receivedAt <= millis;
      case End() -> true;
      // Neither tells the offset.
      case Before _ -> false;
    };
  }
}
