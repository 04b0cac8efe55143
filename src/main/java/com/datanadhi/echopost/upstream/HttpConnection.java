package com.datanadhi.echopost.upstream;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.PrematureChannelClosureException;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpStatusClass;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.time.Instant;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// One HTTP/1.1 connection, which has one exchange at a time.
///
/// A response counts once its header is complete. Its body gets the time and the length of a
/// [BodyLimit], and after either the connection is not used again.
///
/// [#exchange], [#execute], [#close] and the getters may be called from any thread; the state of
/// the exchange belongs to the channel's event loop.
final class HttpConnection extends ChannelInboundHandlerAdapter implements AutoCloseable {
  private static final long LATE_RESPONSE_MILLIS = 1_000;
  private static final int PROXY_AUTHENTICATION_REQUIRED = 407;

  /// The header of a response and the start of its body as text.
  record Response(Peer peer, int status, @Nullable String retryAfter, String body) {
    /// The result of the request; `now` is when the response came.
    ServerResponse toServerResponse(Instant now) {
      if (status == PROXY_AUTHENTICATION_REQUIRED && peer.isProxy()) {
        return new ServerResponse.NoAnswer(FailureText.credentials(peer, "HTTP 407"));
      }
      return new ServerResponse.Answered(status, RetryAfter.parse(retryAfter, now), body);
    }
  }

  private final Channel channel;
  private volatile boolean reusable = true;
  private volatile boolean responseBytes;

  // The current exchange: only used on the event loop.
  private @Nullable CompletableFuture<Response> pending;
  private @Nullable HttpResponse head;
  private BodyLimit limit = BodyLimit.EXCERPT;
  private byte[] body = new byte[0];
  private int bodyLength;
  private boolean bodyTimed;

  // Why the connection broke between two exchanges. With TLS 1.3 a server can refuse the handshake
  // after the client has completed it.
  private @Nullable Throwable failure;

  private final Peer peer;
  private final ResponseDecoder decoder;
  private final OfferReader offers;

  /// @param peer the other end: the main server, or the proxy that passes requests on
  /// @param decoder the handler before this one
  /// @param offers takes the header of each response
  HttpConnection(Channel channel, Peer peer, ResponseDecoder decoder, OfferReader offers) {
    this.channel = channel;
    this.peer = peer;
    this.decoder = decoder;
    this.offers = offers;
  }

  /// The other end.
  Peer peer() {
    return peer;
  }

  boolean isUsable() {
    return reusable && channel.isActive();
  }

  /// Whether any byte of a response to the last exchange has arrived.
  boolean hasResponseBytes() {
    return responseBytes;
  }

  /// Runs `task` on the event loop.
  void execute(Runnable task) {
    channel.eventLoop().execute(task);
  }

  /// Sends `request` and releases it. The future fails when the connection breaks before the
  /// response's header is complete.
  ///
  /// @param bodyLimit how much of the response's body is read
  CompletableFuture<Response> exchange(ByteBuf request, BodyLimit bodyLimit) {
    CompletableFuture<Response> future = new CompletableFuture<>();
    channel
        .eventLoop()
        .execute(() -> {
          responseBytes = false;
          if (!channel.isActive()) {
            boolean _ = request.release();
            Throwable before = failure;
            future.completeExceptionally(
                before == null ? new IOException("closed the connection") : before);
            return;
          }
          pending = future;
          head = null;
          limit = bodyLimit;
          bodyLength = 0;
          channel
              .writeAndFlush(request)
              .addListener(sent -> {
                if (!sent.isSuccess()) {
                  failUnlessResponseArrives(sent.cause(), future);
                }
              });
        });
    return future;
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    try {
      if (pending == null) {
        // Bytes without a request.
        close();
        return;
      }
      responseBytes = true;
      if (message instanceof HttpResponse response) {
        startResponse(response);
      }
      if (message instanceof HttpContent content && head != null) {
        addBody(content);
      }
    } finally {
      boolean _ = ReferenceCountUtil.release(message);
    }
  }

  private void startResponse(HttpResponse response) {
    if (response.decoderResult().isFailure()) {
      Throwable cause = response.decoderResult().cause();
      fail(
          cause instanceof TooLongFrameException
              ? cause
              : cause instanceof PrematureChannelClosureException ? closed() : notHttp());
    } else if (response.status().codeClass() != HttpStatusClass.INFORMATIONAL
        || response.status().code() == 101) {
      head = response;
      bodyTimed = false;
      offers.observe(response);
      reusable &=
          HttpUtil.isKeepAlive(response)
              && ServerResponse.Answered.isFinal(response.status().code());
    }
  }

  private IOException notHttp() {
    return new IOException(
        switch (decoder.protocol()) {
          case TLS -> "answered with TLS: write https:// in " + peer.setting();
          case HTTP2 -> "answered with HTTP/2: EchoPost needs HTTP/1.1";
          default -> "sent a response that is not HTTP: check the port in " + peer.setting();
        });
  }

  private IOException closed() {
    return switch (decoder.protocol()) {
      case NONE -> new IOException("closed the connection before its response");
      case OTHER -> new IOException("closed the connection within the header of its response");
      case TLS, HTTP2 -> notHttp();
    };
  }

  /// Starts the timer of a body that has not arrived with its header. Closes the connection if a
  /// response is longer than its header says: the next one could not be told from the rest.
  @Override
  @SuppressWarnings("ReferenceEquality") // identity of the exchange
  public void channelReadComplete(ChannelHandlerContext context) {
    if (pending == null && decoder.hasMoreBytes()) {
      close();
    }
    HttpResponse mine = head;
    if (mine != null && !bodyTimed) {
      bodyTimed = true;
      var _ =
          channel
              .eventLoop()
              .schedule(
                  () -> {
                    if (head == mine) {
                      completeEarly();
                    }
                  },
                  limit.time().toMillis(),
                  TimeUnit.MILLISECONDS);
    }
    context.fireChannelReadComplete();
  }

  private void addBody(HttpContent content) {
    if (content.decoderResult().isFailure()) {
      completeEarly();
      return;
    }
    int length = content.content().readableBytes();
    int kept = Math.min(bodyLength, limit.kept());
    int more = Math.min(length, limit.kept() - kept);
    if (more > 0) {
      if (kept + more > body.length) {
        body = Arrays.copyOf(body, Math.min(limit.kept(), Math.max(2 * kept, kept + more)));
      }
      content.content().getBytes(content.content().readerIndex(), body, kept, more);
    }
    bodyLength += length;
    if (content instanceof LastHttpContent) {
      completeExchange(bodyLength <= limit.longest());
      if (!reusable) {
        close();
      }
    } else if (bodyLength > limit.longest()) {
      completeEarly();
    }
  }

  /// The response counts, but the rest of its body is not awaited, so the connection cannot be used
  /// again.
  private void completeEarly() {
    completeExchange(false);
    close();
  }

  /// @param whole whether all of the body was read
  private void completeExchange(boolean whole) {
    CompletableFuture<Response> future = pending;
    HttpResponse response = head;
    if (future != null && response != null) {
      pending = null;
      head = null;
      future.complete(
          new Response(
              peer,
              response.status().code(),
              response.headers().get(HttpHeaderNames.RETRY_AFTER),
              limit.whole() && !whole
                  ? "(incomplete, " + bodyLength + " bytes)"
                  : BodyText.of(
                      response.headers(),
                      Arrays.copyOf(body, Math.min(bodyLength, limit.kept())),
                      bodyLength)));
      if (body.length > BodyLimit.EXCERPT.kept()) {
        body = new byte[0];
      }
    }
  }

  /// A server may respond before it has read the whole request and then close: a response that is
  /// still in the socket counts.
  @SuppressWarnings("ReferenceEquality") // identity of the exchange
  private void failUnlessResponseArrives(Throwable cause, CompletableFuture<Response> mine) {
    reusable = false;
    var _ =
        channel
            .eventLoop()
            .schedule(
                () -> {
                  if (pending == mine) {
                    completeExchange(false);
                    fail(cause);
                  }
                },
                LATE_RESPONSE_MILLIS,
                TimeUnit.MILLISECONDS);
  }

  private void fail(Throwable cause) {
    reusable = false;
    CompletableFuture<Response> future = pending;
    pending = null;
    head = null;
    if (future != null) {
      future.completeExceptionally(cause);
    }
    close();
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    completeExchange(false);
    fail(closed());
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    if (pending == null) {
      failure = cause;
    }
    completeExchange(false);
    fail(cause);
  }

  @Override
  public void close() {
    reusable = false;
    var _ = channel.close();
  }
}
