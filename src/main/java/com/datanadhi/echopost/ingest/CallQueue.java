package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.grpc.ClientConnection;
import com.datanadhi.echopost.grpc.DecompressionLimiter;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// The calls of SendLog on one connection, in the order in which they were started. Confined to the
/// event loop.
///
/// HTTP/2 mixes the frames of concurrent calls, so a large record can be complete after a small one
/// that was sent later. Arrival order is the order in which the calls were started: only the
/// message of the first call is requested, and HTTP/2 flow control holds back what the others send
/// beyond their windows. So at most one incomplete message of each connection is held in memory. If
/// nothing of the first call arrives for 5 s, it is refused, so that it does not hold up the others
/// forever.
final class CallQueue implements SendLogCall.Observer {
  private static final long STALL_NANOS = TimeUnit.SECONDS.toNanos(5);

  private final ClientConnection connection;
  private final RecordIntake intake;
  private final BackPressure pressure;
  private final DecompressionLimiter decompression;
  private final RefusalMetrics refusals;
  private final Deque<SendLogCall> calls = new ArrayDeque<>();
  // One object, since BackPressure and DecompressionLimiter use it as the key.
  private final Runnable retry = this::advance;
  // True while advance() runs, which requests a message that can be complete at once.
  private boolean advancing;

  CallQueue(
      ClientConnection connection,
      RecordIntake intake,
      BackPressure pressure,
      DecompressionLimiter decompression,
      RefusalMetrics refusals) {
    this.connection = connection;
    this.intake = intake;
    this.pressure = pressure;
    this.decompression = decompression;
    this.refusals = refusals;
  }

  /// Adds a call that has just started.
  void add(SendLogCall call) {
    calls.addLast(call);
    connection.queuedCallStarted();
    pressure.callStarted();
    advance();
  }

  /// Passes on the calls that are complete, in order, and requests the message of the next one if
  /// there is room for it.
  @Override
  public void advance() {
    if (advancing) {
      return;
    }
    advancing = true;
    try {
      while (!calls.isEmpty()) {
        SendLogCall first = calls.getFirst();
        if (first.allowsNext()) {
          calls.removeFirst();
          if (!first.isEnded()) {
            intake.accept(first);
          }
        } else if (first.isRequested() || !hasRoomFor(first)) {
          return;
        } else {
          first.requestMessage();
        }
      }
    } finally {
      advancing = false;
    }
  }

  private boolean hasRoomFor(SendLogCall call) {
    return pressure.acceptsMessage(retry) && (!call.isCompressed() || decompression.begin(retry));
  }

  /// The number of its calls that are not passed on yet.
  int size() {
    return calls.size();
  }

  // ---- events of a call

  @Override
  public void requestComplete() {
    connection.queuedCallComplete();
  }

  @Override
  public void decompressionEnded() {
    decompression.ended();
  }

  @Override
  public void refused(Refusal.Reason why) {
    refusals.count(why);
  }

  @Override
  public void ended(boolean wasComplete) {
    connection.queuedCallEnded(wasComplete);
    pressure.callEnded();
  }

  /// The connection has ended, and all its calls.
  void close() {
    pressure.remove(retry);
    decompression.remove(retry);
  }

  // ---- upkeep

  /// Refuses the first call if nothing of it has arrived for too long.
  void tick(long nowNanos) {
    SendLogCall first = calls.peekFirst();
    if (first != null
        && first.isRequested()
        && nowNanos - Math.max(first.lastBytesNanos(), connection.readableSinceNanos())
            > STALL_NANOS) {
      first.refuse(Refusal.incomplete("nothing of the request arrived for 5 s: send it again"));
    }
  }

  /// Refuses every call whose request is not complete.
  void refuseIncomplete(Refusal refusal) {
    for (SendLogCall first = calls.peekFirst();
        first != null && first.isRequested();
        first = calls.peekFirst()) {
      // The refusal requests the next message, which shows whether that is complete.
      first.refuse(refusal);
    }
  }

  /// Refuses every call in this queue: its record is not appended yet.
  void refuseAll(Refusal refusal) {
    for (SendLogCall call : List.copyOf(calls)) {
      call.refuse(refusal);
    }
  }
}
