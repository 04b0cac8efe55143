package com.datanadhi.echopost.grpc;

import com.google.common.io.ByteStreams;
import io.grpc.Decompressor;
import io.grpc.DecompressorRegistry;
import io.grpc.KnownLength;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufInputStream;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http2.Http2Stream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// One call: turns the bytes of its HTTP/2 stream into messages and back, each with gRPC's prefix
/// of five bytes. Confined to the event loop.
///
/// Until a message is requested, the client can send no more of it than the stream's window; after
/// that, the window is returned as bytes arrive.
///
/// @param <Q> the type of requests
/// @param <A> the type of responses
public final class GrpcCall<Q, A> extends ServerCall<Q, A> {
  /// The number of bytes that a client can send before a message is requested.
  static final int WINDOW_BYTES = 8 << 10;

  /// The bytes that can be read in addition to the largest message: the rest of its last frame (RFC
  /// 9113, 4.2), and what the client sends before it has read the window's size (RFC 9113, 6.9.2).
  private static final int FRAME_AND_WINDOW_SLACK_BYTES = (16 << 10) + (64 << 10);

  private static final Metadata.Key<String> ENCODING =
      Metadata.Key.of("grpc-encoding", Metadata.ASCII_STRING_MARSHALLER);
  private static final Metadata.Key<String> ACCEPTED =
      Metadata.Key.of("grpc-accept-encoding", Metadata.ASCII_STRING_MARSHALLER);

  /// The state of the request.
  ///
  ///     OPEN ── END_STREAM is read ──▶ ENDED ── all messages are delivered ──▶ DELIVERED
  private enum RequestStage {
    OPEN,
    /// The client has sent its END_STREAM; messages can still wait to be requested.
    ENDED,
    /// The listener's `onHalfClose` was called.
    DELIVERED
  }

  /// The state of the response.
  ///
  ///     NONE ── sendHeaders() ──▶ HEADERS_SENT ── close() ──▶ STATUS_SENT
  ///     NONE ── close() ──▶ STATUS_SENT
  ///     NONE or HEADERS_SENT ── the stream is closed ──▶ CANCELLED
  private enum ResponseStage {
    NONE,
    /// Only for a method with several responses.
    HEADERS_SENT,
    /// The status is written, or on its way.
    STATUS_SENT,
    /// The stream was closed before the status was written.
    CANCELLED
  }

  private final ResponseWriter responses;
  private final Http2Stream stream;
  private final GrpcMethod<Q, A> method;
  private final ClientConnection connection;
  // Null before the handler has started, and after onCancel or onComplete.
  private @Nullable Listener<Q> listener;
  private @Nullable Decompressor decompressor;
  private RequestStage request = RequestStage.OPEN;
  private ResponseStage response = ResponseStage.NONE;

  // Bytes that are no complete message yet, or that were not requested.
  private @Nullable ByteBuf pendingBytes;
  private int withheldBytes;
  private int incompleteBytes;
  private long lastBytesNanos;
  private int requested;
  // The message of a unary response, which is sent with its status.
  private byte @Nullable [] message;
  private @Nullable CallFault fault;

  // `delivering` guards against re-entry; `counted` is whether the call is counted in ServerLimits,
  // and `awaited` whether its connection counts it as one whose client waits for the response.
  private boolean delivering;
  private boolean counted;
  private boolean awaited;

  GrpcCall(
      ResponseWriter responses,
      Http2Stream stream,
      GrpcMethod<Q, A> method,
      ClientConnection connection) {
    this.responses = responses;
    this.stream = stream;
    this.method = method;
    this.connection = connection;
  }

  /// Starts the method's handler, or refuses the call.
  void start(Metadata headers) {
    if (method.usesServerLimit()) {
      counted = connection.limits().startOtherCall();
      if (!counted) {
        close(
            Status.RESOURCE_EXHAUSTED.withDescription(
                "too many open calls: end some of them, or try again later"),
            new Metadata());
        return;
      }
    }
    @Nullable String encoding = headers.get(ENCODING);
    if (encoding != null && !encoding.equals("identity")) {
      decompressor = DecompressorRegistry.getDefaultInstance().lookupDecompressor(encoding);
      if (decompressor == null) {
        Metadata trailers = new Metadata();
        trailers.put(ACCEPTED, "gzip");
        close(
            Status.UNIMPLEMENTED.withDescription(
                "grpc-encoding "
                    + RequestHeaders.shortened(encoding)
                    + " is not supported: use gzip or identity"),
            trailers);
        return;
      }
    }
    listener = method.handler().startCall(this, headers);
  }

  /// The connection that the call belongs to.
  public ClientConnection connection() {
    return connection;
  }

  /// Whether its messages may be compressed.
  public boolean isCompressed() {
    return decompressor != null;
  }

  /// The reason why the server ended the call without its handler; null if it did not. Set before
  /// the listener's `onCancel`.
  public @Nullable CallFault fault() {
    return fault;
  }

  /// The time when bytes of a requested message were last read, or it was requested. By the clock's
  /// nanoseconds.
  public long lastBytesNanos() {
    return lastBytesNanos;
  }

  private boolean isClosed() {
    return response == ResponseStage.STATUS_SENT || response == ResponseStage.CANCELLED;
  }

  // ---- the request

  /// Takes bytes that were read.
  ///
  /// @param last whether the client sends no more after them
  /// @return how many bytes of the stream's window are returned
  int receive(ByteBuf data, boolean last) {
    if (last && request == RequestStage.OPEN) {
      request = RequestStage.ENDED;
    }
    int bytes = data.readableBytes();
    if (isClosed()) {
      return bytes;
    }
    if (requested == 0) {
      keep(data);
      withheldBytes += bytes;
      // The end of a call without a message is delivered also if none was requested.
      deliver();
      countIncompleteBytes();
      return 0;
    }
    lastBytesNanos = connection.nowNanos();
    if (pendingBytes != null) {
      keep(data);
      deliver();
    } else {
      deliver(data);
      if (!isClosed()) {
        keep(data);
      }
    }
    countIncompleteBytes();
    return bytes;
  }

  private void keep(ByteBuf data) {
    if (data.isReadable()) {
      if (pendingBytes == null) {
        pendingBytes =
            responses.newBuffer(
                data.readableBytes(),
                MessagePrefix.BYTES + method.maxDecompressedBytes() + FRAME_AND_WINDOW_SLACK_BYTES);
      }
      pendingBytes.writeBytes(data);
    }
  }

  /// Counts the bytes that are kept beyond the stream's window, for all calls together. The windows
  /// themselves are limited by the number of calls.
  private void countIncompleteBytes() {
    int now = pendingBytes == null ? 0 : Math.max(0, pendingBytes.capacity() - WINDOW_BYTES);
    int before = incompleteBytes;
    incompleteBytes = now;
    if (!connection.limits().addIncompleteBytes(now - before)) {
      // Deferred, since the read continues with this call.
      connection
          .channel()
          .eventLoop()
          .execute(() ->
              failIncomplete(
                  CallFault.overloaded(
                      "too many large messages at once: send fewer concurrently")));
    }
  }

  private void deliver() {
    deliver(pendingBytes == null ? Unpooled.EMPTY_BUFFER : pendingBytes);
    if (pendingBytes != null && !pendingBytes.isReadable()) {
      releasePendingBytes();
    } else if (pendingBytes != null) {
      pendingBytes.discardReadBytes();
    }
  }

  private void releasePendingBytes() {
    if (pendingBytes != null) {
      pendingBytes.release();
      pendingBytes = null;
      countIncompleteBytes();
    }
  }

  private void deliver(ByteBuf bytes) {
    if (delivering) {
      // The loop below notices that more was requested.
      return;
    }
    delivering = true;
    try {
      while (requested > 0 && !isClosed() && hasMessage(bytes)) {
        requested--;
        deliverMessage(bytes);
      }
      if (!isClosed() && request == RequestStage.ENDED) {
        if (!bytes.isReadable()) {
          request = RequestStage.DELIVERED;
          if (counted && method.descriptor().getType().serverSendsOneMessage()) {
            awaited = true;
            connection.otherCallComplete();
          }
          Objects.requireNonNull(listener).onHalfClose();
        } else if (requested > 0) {
          fail(CallFault.malformed("the call ended inside a message"));
        }
      }
    } finally {
      delivering = false;
    }
    if (isClosed()) {
      releasePendingBytes();
    }
  }

  private boolean hasMessage(ByteBuf bytes) {
    if (bytes.readableBytes() < MessagePrefix.BYTES) {
      return false;
    }
    @Nullable CallFault broken =
        MessagePrefix.fault(bytes, isCompressed(), method.maxMessageBytes());
    if (broken != null) {
      fail(broken);
      return false;
    }
    return MessagePrefix.isFollowedByMessage(bytes);
  }

  private void deliverMessage(ByteBuf bytes) {
    boolean compressed = bytes.readBoolean();
    int length = bytes.readInt();
    ByteBuf one = bytes.readSlice(length);
    Q parsed;
    try (InputStream in = compressed ? decompressed(one) : new Plain(one)) {
      parsed = method.descriptor().parseRequest(in);
    } catch (IOException bad) {
      fail(
          CallFault.invalid(
              Status.INVALID_ARGUMENT.withDescription(
                  "the message cannot be decompressed: " + bad.getMessage())));
      return;
    } catch (StatusRuntimeException bad) {
      fail(CallFault.invalid(bad.getStatus()));
      return;
    }
    Objects.requireNonNull(listener).onMessage(parsed);
  }

  private InputStream decompressed(ByteBuf compressed) throws IOException {
    InputStream all =
        Objects.requireNonNull(decompressor).decompress(new ByteBufInputStream(compressed));
    return ByteStreams.limit(all, method.maxDecompressedBytes() + 1L);
  }

  /// A message with a known length, so that it is read into an array of that size.
  private static final class Plain extends ByteBufInputStream implements KnownLength {
    Plain(ByteBuf message) {
      super(message);
    }
  }

  /// Ends the call with an error, unless it has ended.
  private void fail(CallFault why) {
    if (!isClosed()) {
      fault = why;
      close(why.status(), new Metadata());
      notifyEnd(false);
    }
  }

  /// Ends the call with an error, unless it has ended or its request is complete.
  private void failIncomplete(CallFault why) {
    if (request != RequestStage.DELIVERED) {
      fail(why);
    }
  }

  /// The stream is closed: both sides have sent all, or one has cancelled.
  void streamClosed() {
    releasePendingBytes();
    if (counted) {
      counted = false;
      connection.limits().otherCallEnded();
    }
    boolean answered = isClosed();
    if (!answered) {
      response = ResponseStage.CANCELLED;
      awaitEnded();
    }
    notifyEnd(answered);
  }

  private void awaitEnded() {
    if (awaited) {
      awaited = false;
      connection.otherCallAnswered();
    }
  }

  private void notifyEnd(boolean answered) {
    Listener<Q> notified = listener;
    listener = null;
    if (notified == null) {
      return;
    }
    if (answered) {
      notified.onComplete();
    } else {
      notified.onCancel();
    }
  }

  // ---- called by the method's handler

  @Override
  public void request(int messages) {
    requested += messages;
    lastBytesNanos = connection.nowNanos();
    if (isClosed() || withheldBytes == 0) {
      return;
    }
    int bytes = withheldBytes;
    withheldBytes = 0;
    responses.returnWindow(stream, bytes);
    deliver();
    countIncompleteBytes();
  }

  @Override
  public void sendHeaders(Metadata headers) {
    // A single message is sent together with its headers and its status.
    if (!isClosed() && !method.descriptor().getType().serverSendsOneMessage()) {
      response = ResponseStage.HEADERS_SENT;
      responses.sendHeaders(stream);
    }
  }

  @Override
  public void sendMessage(A content) {
    if (isClosed()) {
      return;
    }
    try (InputStream in = method.descriptor().streamResponse(content)) {
      byte[] bytes = in.readAllBytes();
      if (method.descriptor().getType().serverSendsOneMessage()) {
        message = bytes;
      } else {
        responses.sendMessage(stream, bytes);
      }
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
  }

  /// Ends the call with a status. Does nothing if it has ended already, since its client can have
  /// disconnected.
  @Override
  public void close(Status status, Metadata trailers) {
    if (isClosed()) {
      return;
    }
    boolean headersSent = response == ResponseStage.HEADERS_SENT;
    boolean halfClosed = request != RequestStage.OPEN;
    response = ResponseStage.STATUS_SENT;
    awaitEnded();
    if (!delivering) {
      releasePendingBytes();
    }
    if (message != null && status.isOk()) {
      responses.sendUnary(stream, message, trailers, halfClosed);
    } else if (headersSent) {
      responses.sendTrailers(stream, status, trailers, halfClosed);
    } else {
      responses.sendTrailersOnly(stream, HttpResponseStatus.OK, status, trailers, halfClosed);
    }
  }

  @Override
  public boolean isCancelled() {
    return response == ResponseStage.CANCELLED;
  }

  @Override
  public MethodDescriptor<Q, A> getMethodDescriptor() {
    return method.descriptor();
  }
}
