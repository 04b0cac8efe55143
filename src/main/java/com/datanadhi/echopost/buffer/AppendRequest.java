package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.record.NewRecord;
import java.util.List;

/// Records that somebody waits to see stored, together: one commit covers them all.
///
/// Together, since neither side may wake the other for each of them: whoever is woken can run
/// first, and would find one where there are fifty.
public interface AppendRequest {
  /// What is to be stored, in this order; at least one, and always the same.
  List<NewRecord> records();

  /// Called once, after the commit that covers the records has returned or failed, in the writer's
  /// thread; in the offerer's when the buffer is closed. Must not block and must not throw.
  void completed(Outcome outcome);

  /// How it ended, for all of them.
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
