package com.datanadhi.echopost.upstream;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpStatusClass;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// One HTTP/1.1 connection, which has one exchange at a time.
///
/// A response counts once its header is complete. Its body is only for people to read: it gets one
/// second to arrive and is cut at 64 KiB, and after either the connection is not used again.
///
/// [#exchange], [#execute], [#close] and the getters may be called from any thread; the state of
/// the exchange belongs to the channel's event loop.
final class HttpConnection extends ChannelInboundHandlerAdapter implements AutoCloseable {
  private static final int KEPT_BODY = 1 << 10;
  private static final int LONGEST_BODY = 64 << 10;
  private static final long BODY_MILLIS = 1_000;

  /// The header of a response and the first 1 KiB of its body.
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Response(int status, @Nullable String retryAfter, byte[] body) {
    /// The result of the request; `now` is when the response came.
    ServerResponse toServerResponse(Instant now) {
      return new ServerResponse.Answered(
          status, RetryAfter.parse(retryAfter, now), new String(body, StandardCharsets.UTF_8));
    }
  }

  private final Channel channel;
  private volatile boolean reusable = true;
  private volatile boolean responseBytes;

  // The current exchange: only used on the event loop.
  private @Nullable CompletableFuture<Response> pending;
  private @Nullable HttpResponse head;
  private byte[] body = new byte[0];
  private int bodyLength;
  private boolean bodyTimed;

  HttpConnection(Channel channel) {
    this.channel = channel;
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
  CompletableFuture<Response> exchange(ByteBuf request) {
    CompletableFuture<Response> future = new CompletableFuture<>();
    channel
        .eventLoop()
        .execute(() -> {
          responseBytes = false;
          if (!channel.isActive()) {
            boolean _ = request.release();
            future.completeExceptionally(new IOException("the connection was closed"));
            return;
          }
          pending = future;
          head = null;
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
      fail(
          new IOException(
              "the response is not HTTP: " + response.decoderResult().cause().getMessage()));
    } else if (response.status().codeClass() != HttpStatusClass.INFORMATIONAL
        || response.status().code() == 101) {
      head = response;
      bodyTimed = false;
      reusable &= HttpUtil.isKeepAlive(response);
    }
  }

  /// Starts the timer of a body that has not arrived with its header.
  @Override
  @SuppressWarnings("ReferenceEquality") // identity of the exchange
  public void channelReadComplete(ChannelHandlerContext context) {
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
                  BODY_MILLIS,
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
    int kept = Math.min(bodyLength, KEPT_BODY);
    int more = Math.min(length, KEPT_BODY - kept);
    if (more > 0) {
      body = Arrays.copyOf(body, Math.max(body.length, kept + more));
      content.content().getBytes(content.content().readerIndex(), body, kept, more);
    }
    bodyLength += length;
    if (content instanceof LastHttpContent) {
      completeExchange();
      if (!reusable) {
        close();
      }
    } else if (bodyLength > LONGEST_BODY) {
      completeEarly();
    }
  }

  /// The response counts, but the rest of its body is not awaited, so the connection cannot be used
  /// again.
  private void completeEarly() {
    completeExchange();
    close();
  }

  private void completeExchange() {
    CompletableFuture<Response> future = pending;
    HttpResponse response = head;
    if (future != null && response != null) {
      pending = null;
      head = null;
      future.complete(
          new Response(
              response.status().code(),
              response.headers().get(HttpHeaderNames.RETRY_AFTER),
              Arrays.copyOf(body, Math.min(bodyLength, KEPT_BODY))));
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
                    completeExchange();
                    fail(cause);
                  }
                },
                BODY_MILLIS,
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
    completeExchange();
    fail(new IOException("the connection was closed before the response"));
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    completeExchange();
    fail(cause);
  }

  @Override
  public void close() {
    reusable = false;
    var _ = channel.close();
  }
}
