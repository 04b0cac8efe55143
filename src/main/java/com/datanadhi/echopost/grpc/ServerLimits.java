package com.datanadhi.echopost.grpc;

/// What all connections of a server hold in memory together, with a bound for each kind. Confined
/// to the event loop.
final class ServerLimits {
  /// Incomplete messages are in direct memory, of which the launcher allows 256 MiB.
  private static final long MAX_HELD_BYTES = 96L << 20;

  /// Acknowledgements of settings and pings, and resets, that are not sent yet: some 200 bytes
  /// each. Only floods from clients that do not read leave as many.
  private static final int MAX_CONTROL_FRAMES = 32_768;

  /// Each connection may have as many in any case.
  private static final int MAX_CONTROL_FRAMES_OF_ONE = 64;

  /// Open calls of methods that do not bound theirs.
  private static final int MAX_BOUNDED_CALLS = 1_024;

  private final int maxStreams;
  private final Runnable onTooManyStreams;
  private final Runnable onFewStreams;
  private long heldBytes;
  private int boundedCalls;
  private int streams;
  private int controlFrames;
  private boolean tooManyStreams;

  /// @param maxStreams a call has a stream until its client has taken the response. Only clients
  ///   that do not read leave many of these, at some 700 bytes each
  /// @param onTooManyStreams runs when there are `maxStreams`
  /// @param onFewStreams runs when there are less than half as many again, within the read or write
  ///   that closed one
  ServerLimits(int maxStreams, Runnable onTooManyStreams, Runnable onFewStreams) {
    this.maxStreams = maxStreams;
    this.onTooManyStreams = onTooManyStreams;
    this.onFewStreams = onFewStreams;
  }

  /// Counts `change` bytes more, or fewer, of incomplete messages.
  ///
  /// @return false if the call that has grown must be refused. To stop reading would not help: only
  ///   more bytes complete any of them
  boolean hold(long change) {
    heldBytes += change;
    return change <= 0 || heldBytes <= MAX_HELD_BYTES;
  }

  /// Counts a call of a bounded method.
  ///
  /// @return whether there is room for it; if so, [#boundedCallEnded] has to follow
  boolean startBoundedCall() {
    if (boundedCalls >= MAX_BOUNDED_CALLS) {
      return false;
    }
    boundedCalls++;
    return true;
  }

  void boundedCallEnded() {
    boundedCalls--;
  }

  /// Counts a control frame that waits to be sent; [#controlFrameSent] has to follow.
  ///
  /// @param ofConnection how many its connection has with it
  /// @return whether there is room for it
  boolean controlFrameQueued(int ofConnection) {
    controlFrames++;
    return controlFrames <= MAX_CONTROL_FRAMES || ofConnection <= MAX_CONTROL_FRAMES_OF_ONE;
  }

  void controlFrameSent() {
    controlFrames--;
  }

  void streamOpened() {
    streams++;
    if (streams >= maxStreams && !tooManyStreams) {
      tooManyStreams = true;
      onTooManyStreams.run();
    }
  }

  void streamClosed() {
    streams--;
    if (streams < maxStreams / 2 && tooManyStreams) {
      tooManyStreams = false;
      onFewStreams.run();
    }
  }

  /// Whether there have been `maxStreams`, and since then not less than half as many.
  boolean hasTooManyStreams() {
    return tooManyStreams;
  }

  /// By how many streams half of the bound is exceeded.
  int surplusStreams() {
    return streams - maxStreams / 2;
  }
}
