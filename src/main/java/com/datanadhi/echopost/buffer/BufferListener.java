package com.datanadhi.echopost.buffer;

/// Notified of what the buffer's writer did, in the writer's thread. Must not block.
public interface BufferListener {
  /// Ignores every notification.
  BufferListener NONE =
      new BufferListener() {
        @Override
        public void stored() {}

        @Override
        public void failed() {}
      };

  /// New records are on stable storage.
  void stored();

  /// The storage has become unusable; see [Buffer#failure].
  void failed();

  /// The file was damaged, and a new one has replaced it: [Buffer#salvage] has work to do.
  default void bufferReplaced() {}
}
