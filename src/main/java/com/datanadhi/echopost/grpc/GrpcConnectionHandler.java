package com.datanadhi.echopost.grpc;

import io.grpc.Metadata;
import io.grpc.Status;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http2.AbstractHttp2ConnectionHandlerBuilder;
import io.netty.handler.codec.http2.DefaultHttp2Connection;
import io.netty.handler.codec.http2.DefaultHttp2ConnectionDecoder;
import io.netty.handler.codec.http2.DefaultHttp2ConnectionEncoder;
import io.netty.handler.codec.http2.DefaultHttp2FrameReader;
import io.netty.handler.codec.http2.DefaultHttp2FrameWriter;
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
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2Stream;
import io.netty.handler.codec.http2.UniformStreamByteDistributor;
import java.io.IOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Turns the frames of one client's HTTP/2 connection into calls, as gRPC's specification asks for
/// (grpc/doc/PROTOCOL-HTTP2.md). Streams and flow control are Netty's. Confined to the event loop.
///
/// It replaces grpc-java's server, which took more than half of the CPU time per record
/// (docs/adr/0019). `grpc-timeout` is ignored: a client whose deadline has passed resets its call,
/// and a request that is complete is processed all the same.
final class GrpcConnectionHandler extends Http2ConnectionHandler {
  private static final int MAX_CALLS = 1_024;
  private static final int MAX_HEADERS_BYTES = 8 << 10;

  private final CachingHeadersDecoder headersDecoder;
  private final GrpcApplication application;
  private final ClientConnection client;
  private final Http2Connection.PropertyKey callKey = connection().newKey();
  private @Nullable ResponseWriter responses;
  // The headers of the last call, while the decoder caches them.
  private RequestHeaders.@Nullable Accepted cached;

  private GrpcConnectionHandler(
      Http2ConnectionDecoder decoder,
      Http2ConnectionEncoder encoder,
      Http2Settings settings,
      CachingHeadersDecoder headersDecoder,
      GrpcApplication application,
      ClientConnection client) {
    super(decoder, encoder, settings);
    this.headersDecoder = headersDecoder;
    this.application = application;
    this.client = client;
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

  /// A handler for a connection on which nothing has been read yet.
  static GrpcConnectionHandler of(ClientConnection client, GrpcApplication application) {
    return new Builder(client, application).build();
  }

  private static final class Builder
      extends AbstractHttp2ConnectionHandlerBuilder<GrpcConnectionHandler, Builder> {
    private final ClientConnection client;
    private final GrpcApplication application;
    private final CachingHeadersDecoder headersDecoder =
        new CachingHeadersDecoder(MAX_HEADERS_BYTES);

    Builder(ClientConnection client, GrpcApplication application) {
      this.client = client;
      this.application = application;
    }

    @Override
    protected GrpcConnectionHandler build() {
      Http2Connection connection = new DefaultHttp2Connection(true, 0);
      // Netty applies the limit in the settings only once the client has acknowledged them.
      connection.remote().maxActiveStreams(MAX_CALLS);
      // The connection's window is refilled at once, so that a call whose message is not requested
      // yet does not stop the others.
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
      // No limit, since clients with short deadlines cancel many calls, and a cancelled call costs
      // no more than one that is served. Netty requires this call before the codec is set.
      decoderEnforceMaxRstFramesPerWindow(0, 0);
      Http2ConnectionEncoder encoder =
          new ControlFrameLimiter(
              new DefaultHttp2ConnectionEncoder(
                  connection, new DefaultHttp2FrameWriter(ResponseWriter::isSensitive)),
              client);
      codec(
          new DefaultHttp2ConnectionDecoder(
              connection, encoder, new DefaultHttp2FrameReader(headersDecoder)),
          encoder);
      initialSettings(
          new Http2Settings()
              .maxConcurrentStreams(MAX_CALLS)
              .initialWindowSize(GrpcCall.WINDOW_BYTES)
              .maxHeaderListSize(MAX_HEADERS_BYTES));
      // Netty's own timeout is off: SocketListener closes connections that do not end in time.
      gracefulShutdownTimeoutMillis(-1);
      return super.build();
    }

    @Override
    protected GrpcConnectionHandler build(
        Http2ConnectionDecoder decoder, Http2ConnectionEncoder encoder, Http2Settings settings) {
      return new GrpcConnectionHandler(
          decoder, encoder, settings, headersDecoder, application, client);
    }
  }

  @Override
  public void handlerAdded(ChannelHandlerContext added) throws Exception {
    super.handlerAdded(added);
    client.shutdown().handlerAdded(this, added);
    responses = new ResponseWriter(this, added, client.shutdown());
  }

  private ResponseWriter responses() {
    return Objects.requireNonNull(responses, "the handler is not in its pipeline yet");
  }

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
        boolean last)
        throws Http2Exception {
      Http2Stream stream = connection().stream(id);
      GrpcCall<?, ?> call = stream.getProperty(callKey);
      if (call == null && !stream.isHeadersSent()) {
        // Otherwise these are the trailers of a call that was refused.
        call = startCall(stream, headers, last);
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
      if (settings.headerTableSize() != null) {
        responses().tableResized();
      }
    }

    @Override
    public void onPingAckRead(ChannelHandlerContext here, long data) {
      client.shutdown().pingAcknowledged(data);
    }
  }

  /// @return null if the call is refused
  @SuppressWarnings("ReferenceEquality") // to compare headers takes as long as to read them
  private @Nullable GrpcCall<?, ?> startCall(Http2Stream stream, Http2Headers headers, boolean last)
      throws Http2Exception {
    client.callStarted();
    RequestHeaders.Accepted known = cached;
    if (known == null || known.headers() != headers) {
      known = check(stream, headers, last);
      // Other headers are not kept: idle connections with large ones would fill the memory.
      cached = headersDecoder.isCached(headers) ? known : null;
    }
    return known == null ? null : startCall(stream, known.method(), known.metadata());
  }

  private RequestHeaders.@Nullable Accepted check(
      Http2Stream stream, Http2Headers headers, boolean last) throws Http2Exception {
    RequestHeaders read = RequestHeaders.read(headers, application);
    // A switch by type would be compiled at run time for the first record of each run
    // (docs/performance-log.md).
    if (read instanceof RequestHeaders.Accepted accepted) {
      return accepted;
    }
    if (read instanceof RequestHeaders.Malformed(String why)) {
      throw Http2Exception.streamError(stream.id(), Http2Error.PROTOCOL_ERROR, why);
    }
    RequestHeaders.Refused refused = (RequestHeaders.Refused) read;
    Status status = Status.UNIMPLEMENTED.withDescription(refused.why());
    if (refused.http().equals(HttpResponseStatus.OK)
        || HttpMethod.HEAD.asciiName().contentEquals(headers.method())) {
      responses().sendTrailersOnly(stream, refused.http(), status, new Metadata(), last);
    } else {
      responses().sendText(stream, refused.http(), status, last);
    }
    return null;
  }

  private <Q, A> GrpcCall<Q, A> startCall(
      Http2Stream stream, GrpcMethod<Q, A> method, Metadata metadata) {
    GrpcCall<Q, A> call = new GrpcCall<>(responses(), stream, method, client);
    stream.setProperty(callKey, call);
    call.start(metadata);
    return call;
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext here, Throwable cause) {
    // After an IOException the client has disconnected, and the channel closes by itself.
    if (!(cause instanceof IOException)) {
      onError(here, false, cause);
    }
  }

  @Override
  public void onError(ChannelHandlerContext here, boolean outbound, Throwable cause) {
    if (Http2CodecUtil.getEmbeddedHttp2Exception(cause) == null
        && !(cause instanceof IOException)) {
      ConnectionShutdown.log(cause);
    }
    super.onError(here, outbound, cause);
  }

  @Override
  protected void onConnectionError(
      ChannelHandlerContext here,
      boolean outbound,
      Throwable cause,
      @Nullable Http2Exception http2) {
    super.onConnectionError(here, outbound, cause, http2);
    client.shutdown().closeAfterError();
  }
}
