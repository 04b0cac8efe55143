package com.datanadhi.echopost.ingest;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;

import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import io.grpc.Attributes;
import io.grpc.HandlerRegistry;
import io.grpc.InternalMetadata;
import io.grpc.InternalStatus;
import io.grpc.Metadata;
import io.grpc.ServerMethodDefinition;
import io.grpc.Status;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http2.AbstractHttp2ConnectionHandlerBuilder;
import io.netty.handler.codec.http2.DefaultHttp2Connection;
import io.netty.handler.codec.http2.DefaultHttp2ConnectionDecoder;
import io.netty.handler.codec.http2.DefaultHttp2ConnectionEncoder;
import io.netty.handler.codec.http2.DefaultHttp2FrameReader;
import io.netty.handler.codec.http2.DefaultHttp2FrameWriter;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2LocalFlowController;
import io.netty.handler.codec.http2.DefaultHttp2RemoteFlowController;
import io.netty.handler.codec.http2.Http2CodecUtil;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2ConnectionAdapter;
import io.netty.handler.codec.http2.Http2ConnectionDecoder;
import io.netty.handler.codec.http2.Http2ConnectionEncoder;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameAdapter;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2RemoteFlowController;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2Stream;
import io.netty.handler.codec.http2.ReadOnlyHttp2Headers;
import io.netty.handler.codec.http2.UniformStreamByteDistributor;
import io.netty.util.AsciiString;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The calls on one client's HTTP/2 connection: gRPC as its specification has it
/// (grpc/doc/PROTOCOL-HTTP2.md), on Netty's streams and flow control, in place of grpc-java's
/// server, which takes more than half of a record's time (docs/adr/0019). Services are io.grpc's.
/// Confined to the event loop.
///
/// `grpc-timeout` is not looked at: a client whose time is up resets its call, and a record that it
/// has sent whole is kept all the same.
final class GrpcConnectionHandler extends Http2ConnectionHandler {
  /// Whose call it is, among a call's attributes.
  static final Attributes.Key<ClientConnection> CLIENT = Attributes.Key.create("client");

  private static final int MAX_CALLS = 1_024;
  private static final int MAX_HEADERS_BYTES = 8 << 10;

  /// As much of what a client said is said back to it.
  private static final int MAX_ECHO = 100;

  private static final long CUT_AFTER_ERROR_SECONDS = 1;
  private static final long LAST_CALLS_MILLIS = 50;
  private static final long GOODBYE_PING = 0x676F6F64627965L;

  private static final AsciiString GRPC = AsciiString.cached("application/grpc");
  private static final AsciiString GRPC_STATUS = AsciiString.cached("grpc-status");
  private static final Http2Headers HEADERS =
      ReadOnlyHttp2Headers.serverHeaders(
          false, HttpResponseStatus.OK.codeAsText(), HttpHeaderNames.CONTENT_TYPE, GRPC);
  private static final Http2Headers DONE =
      ReadOnlyHttp2Headers.trailers(false, GRPC_STATUS, AsciiString.cached("0"));

  /// Those that have few values.
  private static final Set<AsciiString> INDEXED =
      Set.of(
          Http2Headers.PseudoHeaderName.STATUS.value(), HttpHeaderNames.CONTENT_TYPE, GRPC_STATUS);

  private final CachingHeadersDecoder repeated;
  private final HandlerRegistry services;
  private final ClientConnection client;
  private final Attributes attributes;
  private final Http2Connection.PropertyKey callKey = connection().newKey();
  private @Nullable ChannelHandlerContext context;
  private boolean flushing;
  // Netty's encoder begins its next headers with a table's new size (RFC 7541, 4.2).
  private boolean tableResized;
  private Goodbye goodbye = Goodbye.NOT_SAID;
  // Of the last call, while others can begin with the same.
  private @Nullable Beginning beginning;

  /// What the headers of a call say. Calls that begin alike share it: nobody may change it.
  private record Beginning(
      Http2Headers headers, ServerMethodDefinition<?, ?> method, Metadata metadata) {}

  private enum Goodbye {
    NOT_SAID,
    SAID,
    HEARD
  }

  private GrpcConnectionHandler(
      Http2ConnectionDecoder decoder,
      Http2ConnectionEncoder encoder,
      Http2Settings settings,
      CachingHeadersDecoder repeated,
      HandlerRegistry services,
      ClientConnection client) {
    super(decoder, encoder, settings);
    this.repeated = repeated;
    this.services = services;
    this.client = client;
    this.attributes = Attributes.newBuilder().set(CLIENT, client).build();
    decoder.frameListener(new Frames());
    connection()
        .addListener(
            new Http2ConnectionAdapter() {
              @Override
              public void onStreamActive(Http2Stream stream) {
                client.streamOpened();
              }

              @Override
              public void onStreamClosed(Http2Stream stream) {
                client.streamClosed();
                GrpcCall<?, ?> call = stream.removeProperty(callKey);
                if (call != null) {
                  call.streamClosed();
                }
              }
            });
  }

  /// For a connection on which nothing has been read yet.
  static GrpcConnectionHandler of(ClientConnection client, HandlerRegistry services) {
    return new Builder(client, services).build();
  }

  private static final class Builder
      extends AbstractHttp2ConnectionHandlerBuilder<GrpcConnectionHandler, Builder> {
    private final ClientConnection client;
    private final HandlerRegistry services;
    private final CachingHeadersDecoder repeated = new CachingHeadersDecoder(MAX_HEADERS_BYTES);

    Builder(ClientConnection client, HandlerRegistry services) {
      this.client = client;
      this.services = services;
    }

    @Override
    protected GrpcConnectionHandler build() {
      Http2Connection connection = new DefaultHttp2Connection(true, 0);
      // What one call is not asked for must not close the window of the others.
      connection
          .local()
          .flowController(
              new DefaultHttp2LocalFlowController(
                  connection, DefaultHttp2LocalFlowController.DEFAULT_WINDOW_UPDATE_RATIO, true));
      connection
          .remote()
          .flowController(
              new DefaultHttp2RemoteFlowController(
                  connection, new UniformStreamByteDistributor(connection)));
      // Clients with short deadlines give up on many calls: that is no attack, and costs no more
      // than to serve them. Netty wants to hear it before it gets the codec.
      decoderEnforceMaxRstFramesPerWindow(0, 0);
      Http2ConnectionEncoder encoder =
          new ControlFrameLimiter(
              new DefaultHttp2ConnectionEncoder(
                  connection, new DefaultHttp2FrameWriter(Builder::isSensitive)),
              client);
      codec(
          new DefaultHttp2ConnectionDecoder(
              connection, encoder, new DefaultHttp2FrameReader(repeated)),
          encoder);
      initialSettings(
          new Http2Settings()
              .maxConcurrentStreams(MAX_CALLS)
              .initialWindowSize(GrpcCall.WINDOW_BYTES)
              .maxHeaderListSize(MAX_HEADERS_BYTES));
      // Who is cut off is cut off by us.
      gracefulShutdownTimeoutMillis(-1);
      return super.build();
    }

    /// Nothing of what a client said goes into a table that it may have us keep as large as it
    /// likes.
    private static boolean isSensitive(CharSequence name, CharSequence value) {
      return !INDEXED.contains(AsciiString.of(name));
    }

    @Override
    protected GrpcConnectionHandler build(
        Http2ConnectionDecoder decoder, Http2ConnectionEncoder encoder, Http2Settings settings) {
      return new GrpcConnectionHandler(decoder, encoder, settings, repeated, services, client);
    }
  }

  @Override
  public void handlerAdded(ChannelHandlerContext added) throws Exception {
    super.handlerAdded(added);
    context = added;
  }

  private ChannelHandlerContext context() {
    return Objects.requireNonNull(context, "nothing comes before it is in its pipeline");
  }

  /// What its calls have in common.
  Attributes attributes() {
    return attributes;
  }

  // ---- from the client

  private final class Frames extends Http2FrameAdapter {
    @Override
    public void onHeadersRead(
        ChannelHandlerContext here,
        int id,
        Http2Headers headers,
        int dependency,
        short weight,
        boolean exclusive,
        int padding,
        boolean last) {
      Http2Stream stream = connection().stream(id);
      GrpcCall<?, ?> call = stream.getProperty(callKey);
      if (call == null && !stream.isHeadersSent()) {
        // Else these are the trailers of a call that was refused.
        call = begin(stream, headers, last);
      }
      if (call != null && last) {
        int _ = call.receive(Unpooled.EMPTY_BUFFER, true);
      }
    }

    @Override
    public int onDataRead(
        ChannelHandlerContext here, int id, ByteBuf data, int padding, boolean last) {
      GrpcCall<?, ?> call = connection().stream(id).getProperty(callKey);
      return padding + (call == null ? data.readableBytes() : call.receive(data, last));
    }

    @Override
    public void onSettingsRead(ChannelHandlerContext here, Http2Settings settings) {
      tableResized |= settings.headerTableSize() != null;
    }

    @Override
    public void onPingAckRead(ChannelHandlerContext here, long data) {
      if (data == GOODBYE_PING && goodbye == Goodbye.SAID) {
        goodbye = Goodbye.HEARD;
        // Rust's h2 sends its answer ahead of the calls that it had begun before it heard.
        var _ =
            here.executor()
                .schedule(GrpcConnectionHandler.this::leave, LAST_CALLS_MILLIS, MILLISECONDS);
      }
    }
  }

  @SuppressWarnings("ReferenceEquality") // to compare headers takes as long as to read them
  private @Nullable GrpcCall<?, ?> begin(Http2Stream stream, Http2Headers headers, boolean last) {
    client.spoke();
    Beginning known = beginning;
    if (known == null || known.headers() != headers) {
      known = read(stream, headers, last);
      // What is not decoded once for many is not kept: idle connections would fill the memory.
      beginning = repeated.isKnown(headers) ? known : null;
    }
    return known == null ? null : begin(stream, known.method(), known.metadata());
  }

  /// @return null when the call is refused
  private @Nullable Beginning read(Http2Stream stream, Http2Headers headers, boolean last) {
    if (!HttpMethod.POST.asciiName().contentEquals(orNone(headers.method()))) {
      refuse(stream, HttpResponseStatus.METHOD_NOT_ALLOWED, "gRPC's method is POST", last);
      return null;
    }
    if (!isGrpc(orNone(headers.get(HttpHeaderNames.CONTENT_TYPE)))) {
      refuse(
          stream,
          HttpResponseStatus.UNSUPPORTED_MEDIA_TYPE,
          "the content-type of gRPC is application/grpc",
          last);
      return null;
    }
    String path = orNone(headers.path()).toString();
    ServerMethodDefinition<?, ?> method =
        path.startsWith("/") ? services.lookupMethod(path.substring(1)) : null;
    if (method == null) {
      refuse(stream, HttpResponseStatus.OK, "there is no method '" + echo(path) + "'", last);
      return null;
    }
    return new Beginning(headers, method, metadata(headers));
  }

  /// What a client said, for it to recognise.
  static String echo(String said) {
    return said.length() <= MAX_ECHO ? said : said.substring(0, MAX_ECHO) + "…";
  }

  private static CharSequence orNone(@Nullable CharSequence value) {
    return value == null ? "" : value;
  }

  private static boolean isGrpc(CharSequence contentType) {
    int length = GRPC.length();
    return AsciiString.regionMatches(contentType, true, 0, GRPC, 0, length)
        && (contentType.length() == length
            || contentType.charAt(length) == '+'
            || contentType.charAt(length) == ';');
  }

  private <Q, A> GrpcCall<Q, A> begin(
      Http2Stream stream, ServerMethodDefinition<Q, A> method, Metadata metadata) {
    GrpcCall<Q, A> call = new GrpcCall<>(this, stream, method.getMethodDescriptor(), client);
    stream.setProperty(callKey, call);
    call.start(metadata, method.getServerCallHandler());
    return call;
  }

  /// As gRPC has it; values of binary headers stay in base64, since nobody here reads any.
  private static Metadata metadata(Http2Headers headers) {
    List<byte[]> namesAndValues = new ArrayList<>(2 * headers.size());
    for (Map.Entry<CharSequence, CharSequence> header : headers) {
      if (!Http2Headers.PseudoHeaderName.hasPseudoHeaderFormat(header.getKey())) {
        namesAndValues.add(AsciiString.of(header.getKey()).toByteArray());
        namesAndValues.add(AsciiString.of(header.getValue()).toByteArray());
      }
    }
    return InternalMetadata.newMetadata(namesAndValues.toArray(byte[][]::new));
  }

  // ---- to the client

  /// Sends the whole answer of a call that went well, as a rule in one piece: three frames by
  /// Netty's encoder, with their promises, took a quarter of a record's time (docs/adr/0021).
  ///
  /// @param halfClosed whether the client has said all it will
  void sendAnswer(Http2Stream stream, byte[] message, Metadata trailers, boolean halfClosed) {
    if (tableResized
        // Netty has not seen the client's end when the call is answered from within it.
        || stream.state() != Http2Stream.State.HALF_CLOSED_REMOTE
        || !trailers.keys().isEmpty()
        || !takeWindow(stream, GrpcCall.PREFIX_BYTES + message.length)) {
      sendHeaders(stream);
      sendMessage(stream, message);
      sendTrailers(stream, Status.OK, trailers, halfClosed);
      return;
    }
    int length = UnaryResponse.length(message.length);
    ByteBuf whole = newMessage(length, length);
    UnaryResponse.write(whole, stream.id(), message);
    ChannelFuture sent = context().write(whole);
    stream.headersSent(false);
    if (sent.cause() != null) {
      onError(context(), true, sent.cause());
    }
    closeStreamLocal(stream, sent);
    flushAnswer();
  }

  /// Takes `bytes` of what the client lets the stream send, beside what is sent by Netty's encoder.
  ///
  /// @return whether they may be sent at once
  private boolean takeWindow(Http2Stream stream, int bytes) {
    Http2RemoteFlowController windows = connection().remote().flowController();
    Http2Stream all = connection().connectionStream();
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
      throw new IllegalStateException("less overflowed a window", impossible);
    }
  }

  /// Begins an answer.
  void sendHeaders(Http2Stream stream) {
    var _ = encoder().writeHeaders(context(), stream.id(), HEADERS, 0, false, promise());
    // Trailers may have to wait for room; these are never queued.
    tableResized = false;
    flushSoon();
  }

  /// Sends a message of an answer that [#sendHeaders] has begun.
  void sendMessage(Http2Stream stream, byte[] message) {
    int length = GrpcCall.PREFIX_BYTES + message.length;
    ByteBuf framed = newMessage(length, length);
    GrpcCall.writeMessage(framed, message);
    var _ = encoder().writeData(context(), stream.id(), framed, 0, false, promise());
    flushSoon();
  }

  /// Ends an answer that [#sendHeaders] has begun.
  ///
  /// @param halfClosed whether the client has said all it will
  void sendTrailers(Http2Stream stream, Status status, Metadata trailers, boolean halfClosed) {
    boolean plain = status.isOk() && trailers.keys().isEmpty();
    end(stream, plain ? DONE : add(status, trailers, new DefaultHttp2Headers(false)), halfClosed);
  }

  /// Answers with nothing but a status.
  ///
  /// @param halfClosed whether the client has said all it will
  void sendTrailersOnly(Http2Stream stream, Status status, Metadata trailers, boolean halfClosed) {
    sendTrailersOnly(stream, HttpResponseStatus.OK, status, trailers, halfClosed);
  }

  private void refuse(Http2Stream stream, HttpResponseStatus http, String why, boolean halfClosed) {
    sendTrailersOnly(
        stream, http, Status.UNIMPLEMENTED.withDescription(why), new Metadata(), halfClosed);
  }

  private void sendTrailersOnly(
      Http2Stream stream,
      HttpResponseStatus http,
      Status status,
      Metadata trailers,
      boolean halfClosed) {
    Http2Headers headers =
        new DefaultHttp2Headers(false)
            .status(http.codeAsText())
            .set(HttpHeaderNames.CONTENT_TYPE, GRPC);
    end(stream, add(status, trailers, headers), halfClosed);
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
    ChannelFuture sent = encoder().writeHeaders(context(), stream.id(), last, 0, true, promise());
    if (!halfClosed) {
      // What it has not sent yet is not wanted any more (RFC 9113, 8.1).
      sent.addListener(done -> {
        if (connection().stream(stream.id()) != null) {
          var _ = resetStream(context(), stream.id(), Http2Error.NO_ERROR.code(), promise());
          flushSoon();
        }
      });
    }
    flushAnswer();
  }

  private void flushAnswer() {
    if (goodbye == Goodbye.HEARD) {
      // With its last call the connection ends, and with it what is not flushed.
      flush(context());
    } else {
      flushSoon();
    }
  }

  /// Lets the client send as much more of a call.
  void giveBack(Http2Stream stream, int bytes) {
    try {
      if (connection().local().flowController().consumeBytes(stream, bytes)) {
        flushSoon();
      }
    } catch (Http2Exception broken) {
      onError(context(), true, broken);
    }
  }

  /// Room for a message of `bytes`, which can become `most`.
  ByteBuf newMessage(int bytes, int most) {
    return context().alloc().buffer(bytes, most);
  }

  private ChannelPromise promise() {
    return context().newPromise();
  }

  /// Answers of one turn of the loop leave together.
  private void flushSoon() {
    if (!flushing) {
      flushing = true;
      context()
          .executor()
          .execute(() -> {
            flushing = false;
            flush(context());
          });
    }
  }

  // ---- the end

  /// No more calls, please, but those that have begun are answered (RFC 9113, 6.8): the connection
  /// ends when they are and the client has heard this.
  void goAway() {
    if (goodbye == Goodbye.NOT_SAID && context().channel().isActive()) {
      goodbye = Goodbye.SAID;
      var _ =
          goAway(
              context(),
              Integer.MAX_VALUE,
              Http2Error.NO_ERROR.code(),
              Unpooled.EMPTY_BUFFER,
              promise());
      var _ = encoder().writePing(context(), false, GOODBYE_PING, promise());
      flush(context());
    }
  }

  /// What has begun until now is all. Ends the connection once that is answered.
  private void leave() {
    var _ =
        goAway(
            context(),
            connection().remote().lastStreamCreated(),
            Http2Error.NO_ERROR.code(),
            Unpooled.EMPTY_BUFFER,
            promise());
    var _ = context().channel().close();
  }

  /// Ends the connection with whatever is under way; answers that were given are sent.
  void cut() {
    flush(context());
    var _ = context().close();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext here, Throwable cause) {
    // An IOException is a client that is gone: the channel closes by itself.
    if (!(cause instanceof IOException)) {
      onError(here, false, cause);
    }
  }

  @Override
  public void onError(ChannelHandlerContext here, boolean outbound, Throwable cause) {
    if (Http2CodecUtil.getEmbeddedHttp2Exception(cause) == null
        && !(cause instanceof IOException)) {
      tell(cause);
    }
    super.onError(here, outbound, cause);
  }

  private static void tell(Throwable cause) {
    Events.severe(
        EventNames.CALL_FAILED, cause, "action", "report it; what was accepted is on disk");
  }

  /// Ends the connection for a failure of ours: its client sends again what it got no answer to.
  void breakOff(Throwable cause) {
    tell(cause);
    cut();
  }

  /// Who does not read why it is cut off is cut off all the same.
  @Override
  protected void onConnectionError(
      ChannelHandlerContext here,
      boolean outbound,
      Throwable cause,
      @Nullable Http2Exception http2) {
    super.onConnectionError(here, outbound, cause, http2);
    var _ = here.executor().schedule(this::cut, CUT_AFTER_ERROR_SECONDS, SECONDS);
  }
}
