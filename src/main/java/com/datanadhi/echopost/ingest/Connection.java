package com.datanadhi.echopost.ingest;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;

/// One client's connection: keeps its calls in the order in which they were begun. Confined to the
/// event loop.
///
/// HTTP/2 mixes the frames of calls in flight, so a large record can be complete after a small one
/// that was sent later. Arrival order is the order in which the requests were sent: a complete call
/// waits here for those begun before it. One that stands still half-way for 5 s loses its place, so
/// that it cannot hold up the rest for ever.
final class Connection extends ChannelInboundHandlerAdapter {
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(5);

  private final Channel channel;
  private final Connections connections;
  private final Deque<Arrival> begun = new ArrayDeque<>();
  private long lastReadNanos;
  private int openCalls;
  private long calls;

  Connection(Channel channel, Connections connections, long nowNanos) {
    this.channel = channel;
    this.connections = connections;
    this.lastReadNanos = nowNanos;
  }

  @Override
  public void channelRegistered(ChannelHandlerContext context) {
    connections.opened(this);
    context.fireChannelRegistered();
  }

  @Override
  public void channelUnregistered(ChannelHandlerContext context) {
    connections.closed(this);
    context.fireChannelUnregistered();
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    lastReadNanos = connections.enter(this);
    try {
      context.fireChannelRead(message);
    } finally {
      connections.leave();
    }
  }

  void begin(Arrival arrival) {
    begun.addLast(arrival);
    openCalls++;
    calls++;
  }

  void callEnded() {
    openCalls--;
    connections.callEnded();
  }

  /// Passes on what is next in line.
  void advance() {
    while (!begun.isEmpty() && begun.getFirst().isThrough()) {
      Arrival next = begun.removeFirst();
      if (!next.isEnded()) {
        connections.arrived(next);
      }
    }
  }

  /// Lets what waits behind a call that stands still go on.
  void tick(long nowNanos) {
    for (int left = begun.size(); left > 1; left--) {
      if (begun.isEmpty() || !begun.getFirst().isOverdue(nowNanos, PATIENCE_NANOS)) {
        return;
      }
      begun.addLast(begun.removeFirst());
      advance();
    }
  }

  void setReading(boolean reading) {
    channel.config().setAutoRead(reading);
  }

  int openCalls() {
    return openCalls;
  }

  /// Whether no call was ever begun on it.
  boolean isSilent() {
    return calls == 0;
  }

  long idleNanos(long nowNanos) {
    return nowNanos - lastReadNanos;
  }

  void close() {
    var _ = channel.close();
  }
}
