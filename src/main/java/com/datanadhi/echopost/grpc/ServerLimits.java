package com.datanadhi.echopost.grpc;

/// Limits the memory that all connections of a server use together, with one limit for each kind of
/// use. Confined to the event loop.
final class ServerLimits {
  /// Incomplete messages are in direct memory, of which the launcher allows 256 MiB.
  private static final long MAX_INCOMPLETE_BYTES = 96L << 20;

  /// Acknowledgements of settings and pings, and resets, that are not sent yet: about 200 bytes
  /// each. Only clients that send floods and do not read cause so many.
  private static final int MAX_CONTROL_FRAMES = 32_768;

  /// Each connection may have this many regardless.
  private static final int MAX_CONTROL_FRAMES_OF_ONE = 64;

  /// Open calls of methods without a limit of their own.
  private static final int MAX_OTHER_CALLS = 1_024;

  private final int maxStreams;
  private final Runnable onTooManyStreams;
  private final Runnable onFewStreams;
  private long incompleteBytes;
  private int otherCalls;
  private int streams;
  private int controlFrames;
  private boolean tooManyStreams;

  /// @param maxStreams the limit of open streams. A call's stream is open until its client has read
  ///   the response; only clients that do not read leave many of these, at about 700 bytes each
  /// @param onTooManyStreams runs when the limit is reached
  /// @param onFewStreams runs when the count then falls below half of the limit, within the read or
  ///   write that closed a stream
  ServerLimits(int maxStreams, Runnable onTooManyStreams, Runnable onFewStreams) {
    this.maxStreams = maxStreams;
    this.onTooManyStreams = onTooManyStreams;
    this.onFewStreams = onFewStreams;
  }

  /// Adds `change`, which may be negative, to the bytes of incomplete messages.
  ///
  /// @return false if the call that has grown must be refused. Pausing reads would not help, since
  ///   only more bytes complete a message
  boolean addIncompleteBytes(long change) {
    incompleteBytes += change;
    return change <= 0 || incompleteBytes <= MAX_INCOMPLETE_BYTES;
  }

  /// Counts a call of a method without a limit of its own.
  ///
  /// @return whether there is room for it; if so, [#otherCallEnded] has to follow
  boolean startOtherCall() {
    if (otherCalls >= MAX_OTHER_CALLS) {
      return false;
    }
    otherCalls++;
    return true;
  }

  void otherCallEnded() {
    otherCalls--;
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

  /// Whether the limit was reached and the count has not fallen below half of it since.
  boolean hasTooManyStreams() {
    return tooManyStreams;
  }

  /// The number of streams beyond half of the limit.
  int surplusStreams() {
    return streams - maxStreams / 2;
  }
}
