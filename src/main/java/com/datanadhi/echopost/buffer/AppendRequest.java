package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.record.NewRecord;
import java.util.List;

/// Records that are appended together: one commit covers them all, and one call completes them.
///
/// Together, since each wake-up can switch threads: the writer thread, woken for the first of fifty
/// records, would commit one, and so would the caller, woken for each completion, answer one.
public interface AppendRequest {
  /// The records to store, in this order; at least one, and the same at every call.
  List<NewRecord> records();

  /// Called once, after the commit that covers the records has returned or failed, in the writer
  /// thread; after the buffer is closed, in the thread that appends or closes. Must not block and
  /// must not throw.
  void completed(Outcome outcome);

  /// The result, for all of the records.
  sealed interface Outcome {
    /// On stable storage.
    record Stored() implements Outcome {}

    /// Not stored, since the disk is full.
    record NoRoom(String message) implements Outcome {}

    /// The commit failed: the records may or may not be stored.
    record Failed(String message) implements Outcome {}

    /// Not stored, since the buffer is closed.
    record Closed() implements Outcome {}
  }
}
