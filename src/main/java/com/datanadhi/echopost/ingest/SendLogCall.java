package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.buffer.AppendRequest;
import com.datanadhi.echopost.record.NewRecord;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// One call of LogAgentService, from its first byte to its answer.
///
/// Confined to the event loop.
final class SendLogCall extends ServerCall.Listener<SendLogRequest> {
  /// `LogResponse{success=true, message="stored"}` on the wire.
  private static final byte[] STORED = {8, 1, 18, 6, 's', 't', 'o', 'r', 'e', 'd'};

  private final GrpcCall<SendLogRequest, byte[]> call;
  private final ClientConnection connection;
  private final Connections connections;
  private final @Nullable String origin;
  private @Nullable SendLogRequest request;
  private @Nullable NewRecord record;
  private boolean askedFor;
  private boolean complete;
  private boolean ended;

  SendLogCall(
      GrpcCall<SendLogRequest, byte[]> call,
      ClientConnection connection,
      Connections connections,
      @Nullable String origin) {
    this.call = call;
    this.connection = connection;
    this.connections = connections;
    this.origin = origin;
  }

  /// Lets its message come. It can be complete when this returns.
  void askFor() {
    askedFor = true;
    // Two, so that a second message, which is an error, is seen as one.
    call.request(2);
  }

  boolean isAskedFor() {
    return askedFor;
  }

  /// Whether its message may be much larger than what comes over the wire.
  boolean isCompressed() {
    return call.isCompressed();
  }

  @Override
  public void onMessage(SendLogRequest message) {
    if (request == null) {
      request = message;
    } else {
      refuse(Refusal.invalid("a call of SendLog carries one LogRequest, this one carried more"));
    }
  }

  @Override
  public void onHalfClose() {
    if (ended) {
      return;
    }
    complete = true;
    connection.callComplete();
    through();
    connection.advance();
  }

  @Override
  public void onCancel() {
    @Nullable Refusal fault = call.fault();
    if (fault != null && !ended) {
      connections.refusals().count(fault.reason());
    }
    end();
    connection.advance();
  }

  @Override
  public void onComplete() {
    end();
  }

  /// Whether nothing of this call holds up the ones that were begun after it on its connection.
  boolean isThrough() {
    return complete || ended;
  }

  /// Whether the client went away, or has its answer.
  boolean isEnded() {
    return ended;
  }

  /// Since when nothing of the message has come.
  long lastBytesNanos() {
    return call.lastBytesNanos();
  }

  @Nullable SendLogRequest request() {
    return request;
  }

  @Nullable String origin() {
    return origin;
  }

  void hold(NewRecord content) {
    record = content;
    // The message is held once, in the record.
    request = null;
  }

  NewRecord record() {
    return Objects.requireNonNull(record);
  }

  /// Gives the client its answer, or none if that fails: then its connection ends.
  void answer(AppendRequest.Outcome outcome) {
    try {
      completed(outcome);
    } catch (RuntimeException | OutOfMemoryError broken) {
      // Netty throws an OutOfMemoryError of its own, which does not end the process.
      connection.breakOff(broken);
    }
  }

  private void completed(AppendRequest.Outcome outcome) {
    // Not left to the switch, which would be compiled for the first record of each run
    // (docs/PERFORMANCE.md).
    if (!(outcome instanceof AppendRequest.Outcome.Stored)) {
      refuse(refusal(outcome));
    } else if (!ended) {
      call.sendHeaders(new Metadata());
      call.sendMessage(STORED);
      close(Status.OK);
    }
  }

  private static Refusal refusal(AppendRequest.Outcome outcome) {
    return switch (outcome) {
      case AppendRequest.Outcome.NoRoom(String message) -> Refusal.diskFull(message);
      case AppendRequest.Outcome.Failed(String message) ->
          Refusal.storageFailed("the record may or may not be stored, send it again: " + message);
      case AppendRequest.Outcome.Closed() -> Refusal.SHUTTING_DOWN;
      case AppendRequest.Outcome.Stored() -> throw new IllegalArgumentException("it was taken");
    };
  }

  /// Ends the call without having taken its record, unless it is over.
  void refuse(Refusal refusal) {
    if (!ended) {
      connections.refusals().count(refusal.reason());
      close(refusal.status());
    }
  }

  private void close(Status status) {
    if (!ended) {
      end();
      call.close(status, new Metadata());
      connection.advance();
    }
  }

  private void end() {
    if (!ended) {
      boolean wasComplete = complete;
      ended = true;
      if (!wasComplete) {
        through();
      }
      connection.callEnded(wasComplete);
    }
  }

  /// No more of the message will come.
  private void through() {
    if (isCompressed() && askedFor) {
      connections.unpacking().ended();
    }
  }
}
