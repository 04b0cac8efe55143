package com.datanadhi.hub.log;

/// What became of a call of [Log#append].
public sealed interface Append permits Append.Refused, Append.Accepted {
  /// Nothing was appended, and no offset was used.
  ///
  /// @param cause why
  /// @param detail a sentence for the operator or the sender
  record Refused(Cause cause, String detail) implements Append {}

  /// Why an append is refused.
  enum Cause {
    /// What waits to be written has reached its bound of bytes.
    FULL,
    /// There is no room on the disk, or no segment can be created.
    UNWRITABLE,
    /// The log is closing or closed.
    CLOSED
  }

  /// The records have their place in the order of the stream. Thread-safe.
  non-sealed interface Accepted extends Append {
    /// Waits until the records are as durable as was asked for, or the log has failed. May be
    /// called by many threads.
    Outcome await() throws InterruptedException;
  }

  /// How an accepted append ended.
  sealed interface Outcome {}

  /// The records are durable.
  ///
  /// @param firstOffset the offset of the first; the others follow without gaps
  record Stored(long firstOffset) implements Outcome {}

  /// The records may be in the log or not: callers answer 503, and the sender tries again under the
  /// same key.
  ///
  /// @param detail the failure
  record Unknown(String detail) implements Outcome {}
}
