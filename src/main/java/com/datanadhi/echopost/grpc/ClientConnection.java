package com.datanadhi.echopost.grpc;

import com.datanadhi.echopost.time.Clock;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.util.ReferenceCountUtil;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// One client's connection: decides whether it is read, and counts what it takes. Confined to the
/// event loop.
///
/// Its handler of HTTP/2 comes behind it in the channel's pipeline.
public final class ClientConnection extends ChannelDuplexHandler {
  private static final long GOAWAY_NANOS = TimeUnit.SECONDS.toNanos(1);

  /// Is notified of connections.
  interface Registry {
    void opened(ClientConnection connection);

    void closed(ClientConnection connection);
  }

  private final Channel channel;
  private final Registry registry;
  private final ServerLimits load;
  private final Clock clock;
  private final ConnectionShutdown shutdown = new ConnectionShutdown();
  private @Nullable Object attachment;

  // When bytes were last read from it, or a complete call was answered.
  private long lastUseNanos;
  // Before that, no bytes were read, for a reason that is not the client's.
  private long readableSinceNanos;
  private long allCalls;
  private int openCalls;
  private int completeCalls;
  private int streams;
  private int controlFrames;

  // Two conditions that change independently: it is read while all are, and while its client takes
  // the responses.
  private boolean allAreRead = true;
  private boolean reading = true;
  private final Deque<Object> unread = new ArrayDeque<>();

  // Independent of the shutdown's stage: a GOAWAY can also be sent because the server leaves.
  private boolean closing;
  private long closeAtNanos;

  ClientConnection(Channel channel, Registry registry, ServerLimits load, Clock clock) {
    this.channel = channel;
    this.registry = registry;
    this.load = load;
    this.clock = clock;
  }

  // ---- for the application

  /// The client's socket.
  public Channel channel() {
    return channel;
  }

  /// Keeps an object of the application with this connection.
  public void attach(Object object) {
    attachment = object;
  }

  /// What was last attached; null before that.
  public @Nullable Object attachment() {
    return attachment;
  }

  /// A call has started that will be answered; [#callEnded] has to follow.
  public void callStarted() {
    openCalls++;
  }

  /// The request of a call is complete: its client waits for the response.
  public void callComplete() {
    completeCalls++;
  }

  /// A call was answered or cancelled.
  public void callEnded(boolean wasComplete) {
    openCalls--;
    if (wasComplete) {
      completeCalls--;
      // However long the response took: from now on it is the client that is idle.
      lastUseNanos = clock.nanos();
    }
  }

  /// Since when this connection is read without a break that is not the client's fault: before it,
  /// silence is no sign of a client that has stalled. By the clock's nanoseconds.
  public long readableSinceNanos() {
    return readableSinceNanos;
  }

  /// Closes the connection because of a bug or a lack of memory, and logs it. Its client sends
  /// again what it got no response to.
  public void fail(Throwable cause) {
    shutdown.fail(cause);
  }

  // ---- reading

  @Override
  public void channelRegistered(ChannelHandlerContext context) {
    // Not since it was accepted: the delay of the loop is not the client's fault.
    lastUseNanos = clock.nanos();
    readableSinceNanos = lastUseNanos;
    registry.opened(this);
    context.fireChannelRegistered();
  }

  @Override
  public void channelUnregistered(ChannelHandlerContext context) {
    registry.closed(this);
    unread.forEach(ReferenceCountUtil::release);
    unread.clear();
    context.fireChannelUnregistered();
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    lastUseNanos = clock.nanos();
    if (reading) {
      context.fireChannelRead(message);
    } else {
      // Netty can read once more after auto-read was switched off.
      unread.add(message);
    }
  }

  /// Netty's HTTP/2 handler requests another read after each one, also while reading is stopped.
  @Override
  public void read(ChannelHandlerContext context) {
    if (reading) {
      context.read();
    }
  }

  /// Starts or stops reading; a client that does not read its responses is not read in any case.
  void setReading(boolean wanted) {
    allAreRead = wanted;
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

  /// Responses to a client that does not read them would fill the memory.
  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    setReading(allAreRead);
    context.fireChannelWritabilityChanged();
  }

  // ---- what it takes

  ServerLimits load() {
    return load;
  }

  long nowNanos() {
    return clock.nanos();
  }

  void streamOpened() {
    streams++;
    load.streamOpened();
  }

  void streamClosed() {
    streams--;
    load.streamClosed();
  }

  /// A control frame waits to be sent. If there are too many, the connection is closed at once: to
  /// stop reading has no effect before all bytes that were read are processed.
  void controlFrameQueued() {
    controlFrames++;
    if (!load.controlFrameQueued(controlFrames) && channel.isActive()) {
      closeNow();
    }
  }

  /// A control frame was sent, or will never be.
  void controlFrameSent() {
    controlFrames--;
    load.controlFrameSent();
  }

  /// How many responses the client has not read yet.
  int unreadResponses() {
    return streams - openCalls;
  }

  /// A call has started, of whatever method.
  void anyCallStarted() {
    allCalls++;
  }

  /// Whether no call has ever started on it.
  boolean hasNoCallYet() {
    return allCalls == 0;
  }

  /// Whether its client waits for no response: there is no call, or no complete one.
  boolean hasNoCompleteCall() {
    return completeCalls == 0;
  }

  long idleNanos(long nowNanos) {
    return nowNanos - Math.max(lastUseNanos, readableSinceNanos);
  }

  /// @param late whether the loop itself has just stalled
  void tick(long nowNanos, boolean late) {
    if (late || !channel.config().isAutoRead()) {
      readableSinceNanos = nowNanos;
    }
  }

  // ---- the end

  ConnectionShutdown shutdown() {
    return shutdown;
  }

  /// Sends GOAWAY when first called; closes the connection when called again a second later.
  void close(long nowNanos) {
    if (!closing) {
      closing = true;
      closeAtNanos = nowNanos + GOAWAY_NANOS;
      shutdown.goAway();
    } else if (nowNanos - closeAtNanos > 0) {
      closeNow();
    }
  }

  /// Sends GOAWAY: no more calls, but those that have started are answered.
  void goAway() {
    shutdown.goAway();
  }

  /// Closes the connection without GOAWAY.
  void closeNow() {
    shutdown.closeNow();
  }
}
