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

/// One HTTP/1.1 connection, one exchange at a time.
///
/// An answer counts once its header is complete: the body is only there for people, so it gets a
/// second to arrive and is cut at 64 KiB, after which the connection is not used again.
final class HttpConnection extends ChannelInboundHandlerAdapter implements AutoCloseable {
  private static final int KEPT_BODY = 1 << 10;
  private static final int LONGEST_BODY = 64 << 10;
  private static final long BODY_MILLIS = 1_000;

  /// An answer's header, and the start of its body.
  @SuppressWarnings("ArrayRecordComponent") // nobody compares responses
  record Response(int status, @Nullable String retryAfter, byte[] body) {
    /// What it says to whom asked, `now` being when it came.
    ServerResponse answer(Instant now) {
      return new ServerResponse.Answered(
          status, RetryAfter.parse(retryAfter, now), new String(body, StandardCharsets.UTF_8));
    }
  }

  private final Channel channel;
  private volatile boolean reusable = true;
  private volatile boolean answered;

  // The exchange under way; all of it belongs to the channel's event loop.
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

  /// Whether any byte of an answer to the last exchange came.
  boolean wasAnswered() {
    return answered;
  }

  /// Runs `task` on the event loop.
  void execute(Runnable task) {
    channel.eventLoop().execute(task);
  }

  /// Sends `request` (and releases it). The future fails with an IOException when the connection
  /// breaks first.
  CompletableFuture<Response> exchange(ByteBuf request) {
    CompletableFuture<Response> future = new CompletableFuture<>();
    channel
        .eventLoop()
        .execute(() -> {
          answered = false;
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
                  failUnlessAnswered(sent.cause(), future);
                }
              });
        });
    return future;
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    try {
      if (pending == null) {
        // Bytes that nobody asked for.
        close();
        return;
      }
      answered = true;
      if (message instanceof HttpResponse response) {
        begin(response);
      }
      if (message instanceof HttpContent content && head != null) {
        add(content);
      }
    } finally {
      boolean _ = ReferenceCountUtil.release(message);
    }
  }

  private void begin(HttpResponse response) {
    if (response.decoderResult().isFailure()) {
      fail(
          new IOException(
              "the answer is not HTTP: " + response.decoderResult().cause().getMessage()));
    } else if (response.status().codeClass() != HttpStatusClass.INFORMATIONAL
        || response.status().code() == 101) {
      head = response;
      bodyTimed = false;
      reusable &= HttpUtil.isKeepAlive(response);
    }
  }

  /// What is read is read: a body that is not complete now gets a second more.
  @Override
  @SuppressWarnings("ReferenceEquality") // this very exchange, not an equal one
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
                      settleEarly();
                    }
                  },
                  BODY_MILLIS,
                  TimeUnit.MILLISECONDS);
    }
    context.fireChannelReadComplete();
  }

  private void add(HttpContent content) {
    if (content.decoderResult().isFailure()) {
      settleEarly();
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
      settleEarly();
    }
  }

  /// The header is enough to know the answer, but what follows it makes the connection useless.
  private void settleEarly() {
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

  /// A server may answer before it has read the whole request, and hang up: what it said counts.
  @SuppressWarnings("ReferenceEquality") // this very exchange, not an equal one
  private void failUnlessAnswered(Throwable cause, CompletableFuture<Response> mine) {
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
    fail(new IOException("the connection was closed before the answer"));
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
