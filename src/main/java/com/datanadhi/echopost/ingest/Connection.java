package com.datanadhi.echopost.ingest;

import io.grpc.Status;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// One client's connection: takes its calls in the order in which they were begun. Confined to the
/// event loop.
///
/// HTTP/2 mixes the frames of calls in flight, so a large record can be complete after a small one
/// that was sent later. Arrival order is the order in which the requests were sent: gRPC is asked
/// for the message of the first call alone, and HTTP/2 flow control holds back what the others send
/// beyond their windows. So no more than one message a connection is put together in memory. A
/// first call that stands still half-way for 5 s is cancelled, so that it cannot hold up the rest
/// for ever.
final class Connection extends ChannelInboundHandlerAdapter {
  private static final long STILL_NANOS = TimeUnit.SECONDS.toNanos(5);
  private static final long GOODBYE_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final Channel channel;
  private final Connections connections;
  private final Deque<Arrival> begun = new ArrayDeque<>();
  private long lastReadNanos;
  private int completeCalls;
  private long calls;
  private long readableSince;
  private long closeAtNanos;
  private boolean closing;
  private final Deque<Object> unread = new ArrayDeque<>();
  private boolean wantsReading = true;
  private boolean reading = true;
  private boolean advancing;

  Connection(Channel channel, Connections connections, long nowNanos) {
    this.channel = channel;
    this.connections = connections;
    this.lastReadNanos = nowNanos;
    this.readableSince = nowNanos;
  }

  @Override
  public void channelRegistered(ChannelHandlerContext context) {
    connections.opened(this);
    context.fireChannelRegistered();
  }

  @Override
  public void channelUnregistered(ChannelHandlerContext context) {
    connections.closed(this);
    unread.forEach(ReferenceCountUtil::release);
    unread.clear();
    context.fireChannelUnregistered();
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    lastReadNanos = connections.now();
    if (reading) {
      pass(context, message);
    } else {
      // What Netty reads once more after it was told to stop.
      unread.add(message);
    }
  }

  private void pass(ChannelHandlerContext context, Object message) {
    connections.enter(this);
    try {
      context.fireChannelRead(message);
    } finally {
      connections.leave();
    }
  }

  void begin(Arrival arrival) {
    begun.addLast(arrival);
    calls++;
  }

  /// A call's message is all there: its client waits for an answer.
  void callComplete() {
    completeCalls++;
  }

  void callEnded(boolean wasComplete) {
    if (wasComplete) {
      completeCalls--;
    }
    connections.callEnded();
  }

  /// Passes on what is next in line, and asks for what comes after it while there is room.
  void advance() {
    if (advancing) {
      // To ask for a message can complete it at once, which leads here again.
      return;
    }
    advancing = true;
    try {
      while (!begun.isEmpty()) {
        Arrival first = begun.getFirst();
        if (first.isThrough()) {
          begun.removeFirst();
          if (!first.isEnded()) {
            connections.arrived(first);
          }
        } else if (first.isAskedFor() || !connections.hasRoomFor(this)) {
          return;
        } else {
          first.askFor();
        }
      }
    } finally {
      advancing = false;
    }
  }

  /// Looks after a call that stands still.
  void tick(long nowNanos) {
    if (!channel.config().isAutoRead()) {
      // It cannot be blamed for what is not read.
      readableSince = nowNanos;
    }
    Arrival first = begun.peekFirst();
    if (first != null
        && first.isAskedFor()
        && !first.isThrough()
        && nowNanos - Math.max(first.lastBytesNanos(), readableSince) > STILL_NANOS) {
      first.close(
          Status.CANCELLED.withDescription(
              "nothing of the request has come for 5 s: send it again"));
    }
  }

  /// Refuses every call of which not all has come.
  void refuseIncomplete(Status status) {
    for (Arrival first = begun.peekFirst();
        first != null && first.isAskedFor() && !first.isThrough();
        first = begun.peekFirst()) {
      // Which asks for the next, so that it is known whether that is complete.
      first.close(status);
    }
  }

  /// Ends every call that has begun and is not in the buffer's hands.
  void refuse(Status status) {
    for (Arrival arrival : List.copyOf(begun)) {
      arrival.close(status);
    }
  }

  /// Whether nobody here waits for an answer of ours: there is no call, or none that is complete.
  boolean waitsForNothing() {
    return completeCalls == 0;
  }

  void setReading(boolean wanted) {
    wantsReading = wanted;
    reading = wanted && channel.isWritable();
    channel.config().setAutoRead(reading);
    ChannelHandlerContext context = channel.pipeline().context(this);
    if (unread.isEmpty() || context == null) {
      return;
    }
    while (reading && !unread.isEmpty()) {
      pass(context, unread.removeFirst());
    }
    context.fireChannelReadComplete();
  }

  /// A client that does not read its answers is not read either: they would pile up.
  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    setReading(wantsReading);
    context.fireChannelWritabilityChanged();
  }

  /// Whether no call was ever begun on it.
  boolean isSilent() {
    return calls == 0;
  }

  long idleNanos(long nowNanos) {
    return nowNanos - lastReadNanos;
  }

  /// Says goodbye (GOAWAY) when first called. That waits for the client's answer and its calls, so
  /// when called again a second later, the connection is cut.
  void close(long nowNanos) {
    if (!closing) {
      closing = true;
      closeAtNanos = nowNanos + GOODBYE_NANOS;
      var _ = channel.close();
    } else if (nowNanos - closeAtNanos > 0) {
      // Past gRPC's handler, which would wait on.
      var _ = channel.pipeline().context(this).close();
    }
  }
}
