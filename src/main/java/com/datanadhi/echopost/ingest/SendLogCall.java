package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.buffer.AppendRequest;
import com.datanadhi.echopost.grpc.CallFault;
import com.datanadhi.echopost.grpc.GrpcCall;
import com.datanadhi.echopost.record.NewRecord;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// One call of SendLog, from its first byte to its response. Confined to the event loop.
final class SendLogCall extends ServerCall.Listener<SendLogRequest> {
  /// `LogResponse{success=true, message="stored"}` on the wire.
  private static final byte[] STORED = {8, 1, 18, 6, 's', 't', 'o', 'r', 'e', 'd'};

  /// Is notified of the events of a call.
  interface Observer {
    /// The request is complete.
    void requestComplete();

    /// A compressed message that was requested is decompressed, or will never be complete.
    void decompressionEnded();

    /// The record was refused.
    void refused(Refusal.Reason why);

    /// The call was answered or cancelled.
    ///
    /// @param wasComplete whether its request was complete
    void ended(boolean wasComplete);

    /// The call no longer holds up those that were started after it.
    void advance();
  }

  /// The state of a call. Each stage can be followed by any later one.
  private enum Stage {
    /// Its message is not requested.
    STARTED,
    /// Its message may arrive.
    REQUESTED,
    /// Its request is complete: the client waits for the response.
    COMPLETE,
    /// It was answered or cancelled.
    ENDED
  }

  private final GrpcCall<SendLogRequest, byte[]> call;
  private final Observer observer;
  private final byte @Nullable [] origin;
  private Stage stage = Stage.STARTED;
  private @Nullable SendLogRequest request;
  private @Nullable NewRecord record;

  /// @param origin the idempotency key from the call's headers
  SendLogCall(GrpcCall<SendLogRequest, byte[]> call, Observer observer, byte @Nullable [] origin) {
    this.call = call;
    this.observer = observer;
    this.origin = origin;
  }

  /// Lets its message arrive. The request can be complete when this returns.
  void requestMessage() {
    stage = Stage.REQUESTED;
    // Two, so that a second message, which is an error, is noticed.
    call.request(2);
  }

  /// Whether its message was requested and is not complete.
  boolean isRequested() {
    return stage == Stage.REQUESTED;
  }

  /// Whether the next call on its connection may be served: this one holds it up no longer.
  boolean allowsNext() {
    return stage == Stage.COMPLETE || stage == Stage.ENDED;
  }

  boolean isEnded() {
    return stage == Stage.ENDED;
  }

  /// Whether its message can be much larger than its bytes on the wire.
  boolean isCompressed() {
    return call.isCompressed();
  }

  /// The time when bytes of its message were last read. By the clock's nanoseconds.
  long lastBytesNanos() {
    return call.lastBytesNanos();
  }

  // ---- from the client

  @Override
  public void onMessage(SendLogRequest message) {
    if (request == null) {
      request = message;
    } else {
      refuse(
          Refusal.invalid("a SendLog call carries one LogRequest, this one carried more than one"));
    }
  }

  @Override
  public void onHalfClose() {
    if (stage == Stage.ENDED) {
      return;
    }
    boolean wasRequested = stage == Stage.REQUESTED;
    stage = Stage.COMPLETE;
    observer.requestComplete();
    arrivalEnded(wasRequested);
    observer.advance();
  }

  @Override
  public void onCancel() {
    @Nullable CallFault fault = call.fault();
    if (fault != null && stage != Stage.ENDED) {
      observer.refused(Refusal.reason(fault.kind()));
    }
    end();
    observer.advance();
  }

  @Override
  public void onComplete() {
    end();
  }

  @Nullable SendLogRequest request() {
    return request;
  }

  byte @Nullable [] origin() {
    return origin;
  }

  /// Keeps the record that was made of its message.
  void hold(NewRecord content) {
    record = content;
    // The message's bytes are in the record now.
    request = null;
  }

  NewRecord record() {
    return Objects.requireNonNull(record);
  }

  // ---- to the client

  /// Sends the response; if that fails, closes the connection.
  void answer(AppendRequest.Outcome outcome) {
    try {
      completed(outcome);
    } catch (RuntimeException | OutOfMemoryError broken) {
      // Netty throws an OutOfMemoryError of its own for direct memory: it does not end the process.
      call.connection().fail(broken);
    }
  }

  private void completed(AppendRequest.Outcome outcome) {
    // A switch by type would be compiled at run time for the first record of each run
    // (docs/performance-log.md).
    if (!(outcome instanceof AppendRequest.Outcome.Stored)) {
      refuse(refusal(outcome));
    } else if (stage != Stage.ENDED) {
      call.sendHeaders(new Metadata());
      call.sendMessage(STORED);
      call.connection().prefer();
      close(Status.OK);
    }
  }

  private static Refusal refusal(AppendRequest.Outcome outcome) {
    return switch (outcome) {
      case AppendRequest.Outcome.DiskFull(String message) -> Refusal.diskFull(message);
      case AppendRequest.Outcome.Failed(String message) ->
          Refusal.storageFailed("the record may or may not be stored, send it again: " + message);
      case AppendRequest.Outcome.Closed() -> Refusal.SHUTTING_DOWN;
      case AppendRequest.Outcome.Stored() ->
          throw new IllegalArgumentException("a stored record is not refused");
    };
  }

  /// Ends the call without its record, unless it has ended.
  void refuse(Refusal refusal) {
    if (stage != Stage.ENDED) {
      observer.refused(refusal.reason());
      close(refusal.status());
    }
  }

  private void close(Status status) {
    if (stage != Stage.ENDED) {
      end();
      call.close(status, new Metadata());
      observer.advance();
    }
  }

  private void end() {
    if (stage != Stage.ENDED) {
      Stage before = stage;
      stage = Stage.ENDED;
      arrivalEnded(before == Stage.REQUESTED);
      observer.ended(before == Stage.COMPLETE);
    }
  }

  private void arrivalEnded(boolean wasRequested) {
    if (wasRequested && isCompressed()) {
      observer.decompressionEnded();
    }
  }
}
