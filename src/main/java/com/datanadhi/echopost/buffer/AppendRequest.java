package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.record.NewRecord;
import java.util.List;

/// Records that are appended together: one commit covers them, and one call reports its outcome.
///
/// They are grouped because each wake-up can switch threads. A writer thread that is woken for the
/// first of fifty records would commit only that one, and a caller that is woken for each
/// completion would send only one response at a time.
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
    record DiskFull(String message) implements Outcome {}

    /// The commit failed: the records may or may not be stored.
    record Failed(String message) implements Outcome {}

    /// Not stored, since the buffer is closed.
    record Closed() implements Outcome {}
  }
}
