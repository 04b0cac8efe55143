package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.record.RecordRules;
import com.google.common.io.ByteStreams;
import io.grpc.Attributes;
import io.grpc.Decompressor;
import io.grpc.DecompressorRegistry;
import io.grpc.KnownLength;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufInputStream;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.Http2Stream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// One call: messages out of the bytes of its HTTP/2 stream and back, each with gRPC's prefix of
/// five bytes. Confined to the event loop.
///
/// Until a message is asked for, no more of it is let in than the stream's window; from then on the
/// window is given back as bytes come.
///
/// @param <Q> what is asked
/// @param <A> what is answered
final class GrpcCall<Q, A> extends ServerCall<Q, A> {
  /// Room for the other fields and the framing beside the largest payload.
  static final int MAX_MESSAGE_BYTES = RecordRules.MAX_JSON_BYTES + (64 << 10);

  /// What a call may send before its message is asked for.
  static final int WINDOW_BYTES = 8 << 10;

  /// Beside the largest message: what else its last frame holds (RFC 9113, 4.2), and what is sent
  /// before that window is heard of (RFC 9113, 6.9.2).
  private static final int MORE_BYTES = (16 << 10) + (64 << 10);

  static final int PREFIX_BYTES = 5;
  private static final Metadata.Key<String> ENCODING =
      Metadata.Key.of("grpc-encoding", Metadata.ASCII_STRING_MARSHALLER);
  private static final Metadata.Key<String> ACCEPTED =
      Metadata.Key.of("grpc-accept-encoding", Metadata.ASCII_STRING_MARSHALLER);

  private final GrpcConnectionHandler calls;
  private final Http2Stream stream;
  private final MethodDescriptor<Q, A> method;
  private final int maxMessageBytes;
  private final ClientConnection client;
  private @Nullable Listener<Q> listener;
  private @Nullable Decompressor decompressor;

  // What has come and is no whole message yet, or was not asked for.
  private @Nullable ByteBuf unread;
  private int withheldBytes;
  private int heldBytes;
  private long lastBytesNanos;
  private int requested;
  private boolean delivering;
  private boolean halfClosed;
  private boolean halfCloseTold;
  private boolean headersSent;
  // The one message of a unary call, which leaves with its status.
  private byte @Nullable [] answer;
  // Its status is on the way, or its stream is gone.
  private boolean closed;
  private boolean cancelled;
  // Among the calls that are no records.
  private boolean counted;
  private boolean endTold;
  private @Nullable Refusal fault;

  GrpcCall(
      GrpcConnectionHandler calls,
      Http2Stream stream,
      MethodDescriptor<Q, A> method,
      ClientConnection client) {
    this.calls = calls;
    this.stream = stream;
    this.method = method;
    this.maxMessageBytes = ServiceRegistry.largestMessage(method);
    this.client = client;
  }

  /// Hands the call to whom it is for.
  void start(Metadata headers, ServerCallHandler<Q, A> handler) {
    if (!method.getServiceName().equals(LogAgentService.SERVICE)) {
      counted = client.all().beginOtherCall();
      if (!counted) {
        close(
            Status.RESOURCE_EXHAUSTED.withDescription("too many calls at once, and no records"),
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
                "grpc-encoding " + GrpcConnectionHandler.echo(encoding) + " is not known"),
            trailers);
        return;
      }
    }
    listener = handler.startCall(this, headers);
  }

  /// Whether its messages may be compressed.
  boolean isCompressed() {
    return decompressor != null;
  }

  /// Why the call was ended here, without its listener; null when it was not. Set before the
  /// listener's `onCancel`.
  @Nullable Refusal fault() {
    return fault;
  }

  /// Since when nothing of the message has come that was asked for.
  long lastBytesNanos() {
    return lastBytesNanos;
  }

  // ---- from the client

  /// Takes what has come.
  ///
  /// @param last whether the client has said all with it
  /// @return how many bytes of the stream's window are given back
  int receive(ByteBuf data, boolean last) {
    halfClosed |= last;
    int bytes = data.readableBytes();
    if (closed) {
      return bytes;
    }
    if (requested == 0) {
      keep(data);
      withheldBytes += bytes;
      // Without a message there is nothing to ask for: that there is none is told at once.
      deliver();
      countHeld();
      return 0;
    }
    lastBytesNanos = client.now();
    if (unread != null) {
      keep(data);
      deliver();
    } else {
      deliver(data);
      if (!closed) {
        keep(data);
      }
    }
    countHeld();
    return bytes;
  }

  private void keep(ByteBuf data) {
    if (data.isReadable()) {
      if (unread == null) {
        unread =
            calls.newMessage(data.readableBytes(), PREFIX_BYTES + MAX_MESSAGE_BYTES + MORE_BYTES);
      }
      unread.writeBytes(data);
    }
  }

  /// What goes beyond a window is counted for all calls together; windows are bounded by the number
  /// of calls.
  private void countHeld() {
    int now = unread == null ? 0 : Math.max(0, unread.capacity() - WINDOW_BYTES);
    int before = heldBytes;
    heldBytes = now;
    client.all().held(now - before, this);
  }

  private void deliver() {
    deliver(unread == null ? Unpooled.EMPTY_BUFFER : unread);
    if (unread != null && !unread.isReadable()) {
      dropUnread();
    } else if (unread != null) {
      unread.discardReadBytes();
    }
  }

  private void dropUnread() {
    if (unread != null) {
      unread.release();
      unread = null;
      countHeld();
    }
  }

  private void deliver(ByteBuf bytes) {
    if (delivering) {
      // To ask for more in the midst of this is seen below.
      return;
    }
    delivering = true;
    try {
      while (requested > 0 && !closed && hasMessage(bytes)) {
        requested--;
        deliverMessage(bytes);
      }
      if (!closed && halfClosed && !halfCloseTold) {
        if (!bytes.isReadable()) {
          halfCloseTold = true;
          Objects.requireNonNull(listener).onHalfClose();
        } else if (requested > 0) {
          fail(Refusal.brokenCall("the call ended in the midst of a message"));
        }
      }
    } finally {
      delivering = false;
    }
    if (closed) {
      dropUnread();
    }
  }

  /// Appends a message with its prefix, uncompressed: [#PREFIX_BYTES] more than the message.
  static void writeMessage(ByteBuf out, byte[] message) {
    out.writeBoolean(false).writeInt(message.length).writeBytes(message);
  }

  private boolean hasMessage(ByteBuf bytes) {
    if (bytes.readableBytes() < PREFIX_BYTES) {
      return false;
    }
    int flags = bytes.getUnsignedByte(bytes.readerIndex());
    long length = bytes.getUnsignedInt(bytes.readerIndex() + 1);
    if (flags > 1) {
      fail(Refusal.brokenCall("the prefix of a message has reserved bits set"));
      return false;
    }
    if (flags == 1 && decompressor == null) {
      fail(Refusal.brokenCall("a compressed message, and no grpc-encoding"));
      return false;
    }
    if (length > maxMessageBytes) {
      fail(
          Refusal.tooLarge(
              "the message is " + length + " bytes long, one may have " + maxMessageBytes));
      return false;
    }
    return bytes.readableBytes() - PREFIX_BYTES >= length;
  }

  private void deliverMessage(ByteBuf bytes) {
    boolean compressed = bytes.readBoolean();
    int length = bytes.readInt();
    ByteBuf message = bytes.readSlice(length);
    Q parsed;
    try (InputStream in = compressed ? unpacked(message) : new Plain(message)) {
      parsed = method.parseRequest(in);
    } catch (IOException bad) {
      fail(Refusal.invalid("the message cannot be decompressed: " + bad.getMessage()));
      return;
    } catch (StatusRuntimeException bad) {
      fail(new Refusal(Refusal.Reason.INVALID, bad.getStatus()));
      return;
    }
    Objects.requireNonNull(listener).onMessage(parsed);
  }

  /// What goes beyond the largest message is cut off, just one byte later: whoever parses it can
  /// tell.
  private InputStream unpacked(ByteBuf message) throws IOException {
    InputStream all =
        Objects.requireNonNull(decompressor).decompress(new ByteBufInputStream(message));
    return ByteStreams.limit(all, MAX_MESSAGE_BYTES + 1L);
  }

  /// A message that tells its length, so that it is read into an array of that size.
  private static final class Plain extends ByteBufInputStream implements KnownLength {
    Plain(ByteBuf message) {
      super(message);
    }
  }

  /// Ends the call with an error, unless it is over.
  void fail(Refusal why) {
    if (!closed) {
      fault = why;
      close(why.status(), new Metadata());
      tellEnd(false);
    }
  }

  /// Ends the call with an error, unless it is over or all of it has come.
  void refuseIncomplete(Refusal why) {
    if (!halfCloseTold) {
      fail(why);
    }
  }

  /// Its stream is gone: all is said, or one side gave up.
  void streamClosed() {
    dropUnread();
    if (counted) {
      counted = false;
      client.all().otherCallEnded();
    }
    boolean answered = closed;
    closed = true;
    cancelled = !answered;
    tellEnd(answered);
  }

  private void tellEnd(boolean answered) {
    if (endTold || listener == null) {
      return;
    }
    endTold = true;
    if (answered) {
      listener.onComplete();
    } else {
      listener.onCancel();
    }
  }

  // ---- to the client

  @Override
  public void request(int messages) {
    requested += messages;
    lastBytesNanos = client.now();
    if (closed || withheldBytes == 0) {
      return;
    }
    int bytes = withheldBytes;
    withheldBytes = 0;
    calls.giveBack(stream, bytes);
    deliver();
    countHeld();
  }

  @Override
  public void sendHeaders(Metadata headers) {
    // One message leaves with its headers and its status.
    if (!closed && !method.getType().serverSendsOneMessage()) {
      headersSent = true;
      calls.sendHeaders(stream);
    }
  }

  @Override
  public void sendMessage(A message) {
    if (closed) {
      return;
    }
    try (InputStream in = method.streamResponse(message)) {
      byte[] bytes = in.readAllBytes();
      if (method.getType().serverSendsOneMessage()) {
        answer = bytes;
      } else {
        calls.sendMessage(stream, bytes);
      }
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
  }

  /// Does nothing when the call is over already: its client may have gone.
  @Override
  public void close(Status status, Metadata trailers) {
    if (closed) {
      return;
    }
    closed = true;
    if (!delivering) {
      dropUnread();
    }
    if (answer != null && status.isOk()) {
      calls.sendAnswer(stream, answer, trailers, halfClosed);
    } else if (headersSent) {
      calls.sendTrailers(stream, status, trailers, halfClosed);
    } else {
      calls.sendTrailersOnly(stream, status, trailers, halfClosed);
    }
  }

  @Override
  public boolean isCancelled() {
    return cancelled;
  }

  @Override
  public MethodDescriptor<Q, A> getMethodDescriptor() {
    return method;
  }

  @Override
  public Attributes getAttributes() {
    return calls.attributes();
  }
}
