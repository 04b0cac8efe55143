package com.datanadhi.echopost.ingest;

import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
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
final class ClientConnection extends ChannelDuplexHandler {
  private static final long STILL_NANOS = TimeUnit.SECONDS.toNanos(5);
  private static final long GOODBYE_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final Channel channel;
  private final Connections connections;
  private final Deque<SendLogCall> begun = new ArrayDeque<>();
  // When it last had something from the client, or the client from us.
  private long lastUseNanos;
  private int completeCalls;
  private long calls;
  private int openCalls;
  private int streams;
  private int controlFrames;
  private long readableSince;
  private long closeAtNanos;
  private boolean closing;
  private final Deque<Object> unread = new ArrayDeque<>();
  private boolean wantsReading = true;
  private boolean reading = true;
  private boolean advancing;

  ClientConnection(Channel channel, Connections connections) {
    this.channel = channel;
    this.connections = connections;
  }

  @Override
  public void channelRegistered(ChannelHandlerContext context) {
    // Not since it was accepted: how long the loop takes to get to it is not the client's fault.
    lastUseNanos = connections.now();
    readableSince = lastUseNanos;
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
    lastUseNanos = connections.now();
    if (reading) {
      context.fireChannelRead(message);
    } else {
      // What Netty reads once more after it was told to stop.
      unread.add(message);
    }
  }

  /// Netty's HTTP/2 asks for more after each read, also where that happens of itself: only here it
  /// is known whether more is wanted.
  @Override
  public void read(ChannelHandlerContext context) {
    if (reading) {
      context.read();
    }
  }

  /// What all connections have in common.
  Connections all() {
    return connections;
  }

  long now() {
    return connections.now();
  }

  void streamOpened() {
    streams++;
    connections.streamOpened();
  }

  void streamClosed() {
    streams--;
    connections.streamClosed();
  }

  /// An answer to settings or a ping, or a reset, waits to be sent. Where that is too much, the
  /// connection ends at once: it is not read any more only when all that was read has been looked
  /// at.
  void controlFrameQueued() {
    controlFrames++;
    if (!connections.controlFrameQueued(controlFrames) && channel.isActive()) {
      cut();
    }
  }

  /// It is on its way, or never will be.
  void controlFrameSent() {
    controlFrames--;
    connections.controlFrameSent();
  }

  /// How many answers the client has not taken yet.
  int unreadAnswers() {
    return streams - openCalls;
  }

  void begin(SendLogCall arrival) {
    begun.addLast(arrival);
    openCalls++;
  }

  /// A call's message is all there: its client waits for an answer.
  void callComplete() {
    completeCalls++;
  }

  void callEnded(boolean wasComplete) {
    openCalls--;
    if (wasComplete) {
      completeCalls--;
      // However long it had to wait for its answer: what comes next is up to the client from now
      // on.
      lastUseNanos = connections.now();
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
        SendLogCall first = begun.getFirst();
        if (first.isThrough()) {
          begun.removeFirst();
          if (!first.isEnded()) {
            connections.arrived(first);
          }
        } else if (first.isAskedFor() || !connections.hasRoomFor(this, first)) {
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
  ///
  /// @param late whether the loop itself has just stood still
  void tick(long nowNanos, boolean late) {
    if (late || !channel.config().isAutoRead()) {
      // It cannot be blamed for what is not read.
      readableSince = nowNanos;
    }
    SendLogCall first = begun.peekFirst();
    if (first != null
        && first.isAskedFor()
        && !first.isThrough()
        && nowNanos - Math.max(first.lastBytesNanos(), readableSince) > STILL_NANOS) {
      first.refuse(Refusal.incomplete("nothing of the request has come for 5 s: send it again"));
    }
  }

  /// Refuses every call of which not all has come.
  void refuseIncomplete(Refusal refusal) {
    for (SendLogCall first = begun.peekFirst();
        first != null && first.isAskedFor() && !first.isThrough();
        first = begun.peekFirst()) {
      // Which asks for the next, so that it is known whether that is complete.
      first.refuse(refusal);
    }
  }

  /// Ends every call that has begun and is not in the buffer's hands.
  void refuse(Refusal refusal) {
    for (SendLogCall arrival : List.copyOf(begun)) {
      arrival.refuse(refusal);
    }
  }

  /// Whether nobody here waits for an answer of ours: there is no call, or none that is complete.
  boolean waitsForNothing() {
    return completeCalls == 0;
  }

  /// The client's socket.
  Channel channel() {
    return channel;
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
      context.fireChannelRead(unread.removeFirst());
    }
    context.fireChannelReadComplete();
  }

  /// A client that does not read its answers is not read either: they would pile up.
  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    setReading(wantsReading);
    context.fireChannelWritabilityChanged();
  }

  /// A call was begun, of whatever method.
  void spoke() {
    calls++;
  }

  /// Whether no call was ever begun on it.
  boolean isSilent() {
    return calls == 0;
  }

  long idleNanos(long nowNanos) {
    return nowNanos - Math.max(lastUseNanos, readableSince);
  }

  /// Asks the client to leave (GOAWAY) when first called; when called again a second later, cuts
  /// the connection.
  void close(long nowNanos) {
    if (!closing) {
      closing = true;
      closeAtNanos = nowNanos + GOODBYE_NANOS;
      protocol().goAway();
    } else if (nowNanos - closeAtNanos > 0) {
      cut();
    }
  }

  /// Ends the connection without a word.
  void cut() {
    protocol().cut();
  }

  /// Ends the connection for a failure of ours.
  void breakOff(Throwable cause) {
    protocol().breakOff(cause);
  }

  private GrpcConnectionHandler protocol() {
    return channel.pipeline().get(GrpcConnectionHandler.class);
  }
}
