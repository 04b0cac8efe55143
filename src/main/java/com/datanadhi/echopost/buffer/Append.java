package com.datanadhi.echopost.buffer;

/// One record that somebody waits to see stored.
public interface Append {
  /// What is to be stored.
  NewRecord record();

  /// Called once, in the writer's thread, after the commit that covers the record has returned or
  /// failed. Must not block and must not throw.
  void settled(Outcome outcome);

  /// How it ended.
  sealed interface Outcome {
    /// On stable storage.
    record Stored() implements Outcome {}

    /// Not stored, since the disk is full.
    record NoRoom(String message) implements Outcome {}

    /// The commit failed: the record may or may not be stored.
    record Failed(String message) implements Outcome {}

    /// Not stored, since the buffer is closed.
    record Closed() implements Outcome {}
  }
}
