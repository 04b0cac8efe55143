package com.datanadhi.echopost.grpc;

import io.grpc.InternalMetadata;
import io.grpc.InternalStatus;
import io.grpc.Metadata;
import io.grpc.Status;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2CodecUtil;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2RemoteFlowController;
import io.netty.handler.codec.http2.Http2Stream;
import io.netty.handler.codec.http2.ReadOnlyHttp2Headers;
import io.netty.util.AsciiString;
import java.util.Set;

/// Writes the responses of one connection's calls. Confined to the event loop.
///
/// A successful response to a unary call is usually one buffer ([UnaryResponse]), bypassing Netty's
/// encoder, which writes all others. Responses that are written in one iteration of the event loop
/// are flushed together.
final class ResponseWriter {
  static final AsciiString CONTENT_TYPE = AsciiString.cached("application/grpc");

  private static final AsciiString TEXT = AsciiString.cached("text/plain; charset=utf-8");

  private static final AsciiString GRPC_STATUS = AsciiString.cached("grpc-status");
  private static final Http2Headers HEADERS =
      ReadOnlyHttp2Headers.serverHeaders(
          false, HttpResponseStatus.OK.codeAsText(), HttpHeaderNames.CONTENT_TYPE, CONTENT_TYPE);
  private static final Http2Headers OK_TRAILERS =
      ReadOnlyHttp2Headers.trailers(false, GRPC_STATUS, AsciiString.cached("0"));

  /// Fields with few different values.
  private static final Set<AsciiString> INDEXED =
      Set.of(
          Http2Headers.PseudoHeaderName.STATUS.value(), HttpHeaderNames.CONTENT_TYPE, GRPC_STATUS);

  private final Http2ConnectionHandler handler;
  private final ChannelHandlerContext context;
  private final ConnectionShutdown shutdown;
  private boolean flushScheduled;
  // Netty's encoder starts its next headers with the table's new size (RFC 7541, 4.2).
  private boolean tableResized;

  ResponseWriter(
      Http2ConnectionHandler handler, ChannelHandlerContext context, ConnectionShutdown shutdown) {
    this.handler = handler;
    this.context = context;
    this.shutdown = shutdown;
  }

  /// Whether a header field must not enter the encoder's dynamic table: true for each field whose
  /// values a client can determine, since it also determines the table's size.
  static boolean isSensitive(CharSequence name, CharSequence value) {
    return !INDEXED.contains(AsciiString.of(name));
  }

  /// The client has requested another size of the dynamic table.
  void tableResized() {
    tableResized = true;
  }

  /// Sends a successful response with one message, usually as one buffer: three frames by Netty's
  /// encoder, with their promises, took a quarter of the CPU time per record (docs/adr/0019).
  ///
  /// @param halfClosed whether the client has sent its END_STREAM
  void sendUnary(Http2Stream stream, byte[] message, Metadata trailers, boolean halfClosed) {
    if (tableResized
        // Netty has not seen the END_STREAM yet if the response is sent from within its read.
        || stream.state() != Http2Stream.State.HALF_CLOSED_REMOTE
        || !trailers.keys().isEmpty()
        || !takeWindow(stream, MessagePrefix.BYTES + message.length)) {
      sendHeaders(stream);
      sendMessage(stream, message);
      sendTrailers(stream, Status.OK, trailers, halfClosed);
      return;
    }
    int length = UnaryResponse.length(message.length);
    ByteBuf whole = newBuffer(length, length);
    UnaryResponse.write(whole, stream.id(), message);
    ChannelFuture sent = context.write(whole);
    stream.headersSent(false);
    if (sent.cause() != null) {
      handler.onError(context, true, sent.cause());
    }
    handler.closeStreamLocal(stream, sent);
    flushEnd();
  }

  /// Takes `bytes` of the stream's and the connection's window, bypassing Netty's encoder.
  ///
  /// @return whether they may be sent at once
  private boolean takeWindow(Http2Stream stream, int bytes) {
    Http2RemoteFlowController windows = handler.connection().remote().flowController();
    Http2Stream all = handler.connection().connectionStream();
    if (bytes > Http2CodecUtil.DEFAULT_MAX_FRAME_SIZE
        || windows.windowSize(stream) < bytes
        || windows.windowSize(all) < bytes
        || !windows.isWritable(stream)
        || windows.hasFlowControlled(stream)) {
      return false;
    }
    try {
      windows.incrementWindowSize(all, -bytes);
      windows.incrementWindowSize(stream, -bytes);
      return true;
    } catch (Http2Exception impossible) {
      throw new IllegalStateException("a decrement overflowed a window", impossible);
    }
  }

  /// Starts a response.
  void sendHeaders(Http2Stream stream) {
    var _ = handler.encoder().writeHeaders(context, stream.id(), HEADERS, 0, false, promise());
    // Not reset after trailers, which can wait in a queue; headers never do.
    tableResized = false;
    flushSoon();
  }

  /// Sends a message of a response that [#sendHeaders] has started.
  void sendMessage(Http2Stream stream, byte[] message) {
    int length = MessagePrefix.BYTES + message.length;
    ByteBuf framed = newBuffer(length, length);
    MessagePrefix.writeMessage(framed, message);
    var _ = handler.encoder().writeData(context, stream.id(), framed, 0, false, promise());
    flushSoon();
  }

  /// Ends a response that [#sendHeaders] has started.
  ///
  /// @param halfClosed whether the client has sent its END_STREAM
  void sendTrailers(Http2Stream stream, Status status, Metadata trailers, boolean halfClosed) {
    boolean plain = status.isOk() && trailers.keys().isEmpty();
    end(
        stream,
        plain ? OK_TRAILERS : add(status, trailers, new DefaultHttp2Headers(false)),
        halfClosed);
  }

  /// Sends a response that consists of a status only.
  ///
  /// @param halfClosed whether the client has sent its END_STREAM
  void sendTrailersOnly(
      Http2Stream stream,
      HttpResponseStatus http,
      Status status,
      Metadata trailers,
      boolean halfClosed) {
    Http2Headers headers =
        new DefaultHttp2Headers(false)
            .status(http.codeAsText())
            .set(HttpHeaderNames.CONTENT_TYPE, CONTENT_TYPE);
    end(stream, add(status, trailers, headers), halfClosed);
  }

  /// Refuses a request that is no call of gRPC: its client may be a browser or curl, so the reason
  /// is the body too.
  ///
  /// @param status must have a description
  /// @param halfClosed whether the client has sent its END_STREAM
  void sendText(Http2Stream stream, HttpResponseStatus http, Status status, boolean halfClosed) {
    Http2Headers headers =
        new DefaultHttp2Headers(false)
            .status(http.codeAsText())
            .set(HttpHeaderNames.CONTENT_TYPE, TEXT);
    var _ =
        handler
            .encoder()
            .writeHeaders(
                context, stream.id(), add(status, new Metadata(), headers), 0, false, promise());
    ByteBuf body = ByteBufUtil.writeUtf8(context.alloc(), status.getDescription() + "\n");
    ended(
        stream,
        handler.encoder().writeData(context, stream.id(), body, 0, true, promise()),
        halfClosed);
  }

  private static Http2Headers add(Status status, Metadata trailers, Http2Headers to) {
    Metadata all = new Metadata();
    all.merge(trailers);
    all.put(InternalStatus.CODE_KEY, status);
    if (status.getDescription() != null) {
      all.put(InternalStatus.MESSAGE_KEY, status.getDescription());
    }
    byte[][] namesAndValues = InternalMetadata.serialize(all);
    for (int i = 0; i < namesAndValues.length; i += 2) {
      to.add(
          new AsciiString(namesAndValues[i], false), new AsciiString(namesAndValues[i + 1], false));
    }
    return to;
  }

  private void end(Http2Stream stream, Http2Headers last, boolean halfClosed) {
    ended(
        stream,
        handler.encoder().writeHeaders(context, stream.id(), last, 0, true, promise()),
        halfClosed);
  }

  private void ended(Http2Stream stream, ChannelFuture sent, boolean halfClosed) {
    if (!halfClosed) {
      // The rest of the request is not wanted (RFC 9113, 8.1).
      sent.addListener(done -> {
        if (handler.connection().stream(stream.id()) != null) {
          var _ = handler.resetStream(context, stream.id(), Http2Error.NO_ERROR.code(), promise());
          flushSoon();
        }
      });
    }
    flushEnd();
  }

  /// Lets the client send `bytes` more of a call.
  void returnWindow(Http2Stream stream, int bytes) {
    try {
      if (handler.connection().local().flowController().consumeBytes(stream, bytes)) {
        flushSoon();
      }
    } catch (Http2Exception broken) {
      handler.onError(context, true, broken);
    }
  }

  /// A buffer for `bytes`, which can grow to `maxBytes`.
  ByteBuf newBuffer(int bytes, int maxBytes) {
    return context.alloc().buffer(bytes, maxBytes);
  }

  private ChannelPromise promise() {
    return context.newPromise();
  }

  private void flushEnd() {
    if (shutdown.isGoAwayAcknowledged()) {
      handler.flush(context);
    } else {
      flushSoon();
    }
  }

  private void flushSoon() {
    if (!flushScheduled) {
      flushScheduled = true;
      context
          .executor()
          .execute(() -> {
            flushScheduled = false;
            handler.flush(context);
          });
    }
  }
}
