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

/// One client's connection: decides whether it is read, and counts its streams and control frames.
/// Confined to the event loop.
///
/// The handler of HTTP/2 follows it in the channel's pipeline.
public final class ClientConnection extends ChannelDuplexHandler {
  private static final long GOAWAY_NANOS = TimeUnit.SECONDS.toNanos(1);

  /// Is notified of connections.
  interface ConnectionListener {
    void opened(ClientConnection connection);

    void closed(ClientConnection connection);
  }

  private final Channel channel;
  private final ConnectionListener listener;
  private final ServerLimits limits;
  private final Clock clock;
  private final ConnectionShutdown shutdown = new ConnectionShutdown();
  private @Nullable Object attachment;

  // The time when bytes were last read from it, or a complete queued call ended.
  private long lastUseNanos;
  // Bytes were not read before this time, for a reason of the server.
  private long readableSinceNanos;
  // The time when it was opened, or a queued call was last answered.
  private long lastAnswerNanos;
  private long allCalls;
  private boolean preferred;
  private int queuedCalls;
  private int completeQueuedCalls;
  private int otherCompleteCalls;
  private int streams;
  private int controlFrames;

  // The connection is read while the server reads at all and the connection's output buffer is not
  // full.
  private boolean serverReads = true;
  private boolean reading = true;
  private final Deque<Object> heldBackReads = new ArrayDeque<>();

  // Independent of the shutdown's stage, since a GOAWAY is also sent when the listener closes.
  private boolean closing;
  private long closeAtNanos;

  ClientConnection(Channel channel, ConnectionListener listener, ServerLimits limits, Clock clock) {
    this.channel = channel;
    this.listener = listener;
    this.limits = limits;
    this.clock = clock;
  }

  // ---- for the application

  /// The client's socket.
  public Channel channel() {
    return channel;
  }

  /// Attaches an object of the application to this connection.
  public void attach(Object object) {
    attachment = object;
  }

  /// The object that was last attached; null before that.
  public @Nullable Object attachment() {
    return attachment;
  }

  /// The client uses the server as intended: if new connections need room, those that never called
  /// this are closed first.
  public void prefer() {
    preferred = true;
  }

  /// A call has started that the application queues and limits itself; [#queuedCallEnded] has to
  /// follow. A call that is not reported here counts as a response that its client has not read,
  /// unless its request is complete and it has one response.
  public void queuedCallStarted() {
    queuedCalls++;
  }

  /// The request of a queued call is complete: its client waits for the response.
  public void queuedCallComplete() {
    completeQueuedCalls++;
  }

  /// A queued call was answered or cancelled.
  public void queuedCallEnded(boolean wasComplete) {
    queuedCalls--;
    if (wasComplete) {
      completeQueuedCalls--;
      // The time that the response took is not idle time of the client.
      lastUseNanos = clock.nanos();
      lastAnswerNanos = lastUseNanos;
    }
  }

  /// Bytes were not read before this time, for a reason of the server: silence before it is no sign
  /// of a stalled client. By the clock's nanoseconds.
  public long readableSinceNanos() {
    return readableSinceNanos;
  }

  /// Closes the connection because of a bug or a lack of memory, and logs it. Its client resends
  /// the requests that were not answered.
  public void fail(Throwable cause) {
    shutdown.fail(cause);
  }

  // ---- reading

  @Override
  public void channelRegistered(ChannelHandlerContext context) {
    // Not the time at which it was accepted, since the loop's delay is not the client's fault.
    lastUseNanos = clock.nanos();
    lastAnswerNanos = lastUseNanos;
    readableSinceNanos = lastUseNanos;
    listener.opened(this);
    context.fireChannelRegistered();
  }

  @Override
  public void channelUnregistered(ChannelHandlerContext context) {
    listener.closed(this);
    heldBackReads.forEach(ReferenceCountUtil::release);
    heldBackReads.clear();
    context.fireChannelUnregistered();
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    lastUseNanos = clock.nanos();
    if (reading) {
      context.fireChannelRead(message);
    } else {
      // Netty can read once more after auto-read was switched off.
      heldBackReads.add(message);
    }
  }

  /// Netty's HTTP/2 handler requests another read after each one, also while reading is stopped.
  @Override
  public void read(ChannelHandlerContext context) {
    if (reading) {
      context.read();
    }
  }

  /// Starts or stops reading. A client that does not read its responses is not read in any case.
  void setReading(boolean wanted) {
    serverReads = wanted;
    reading = wanted && channel.isWritable();
    channel.config().setAutoRead(reading);
    ChannelHandlerContext context = channel.pipeline().context(this);
    if (heldBackReads.isEmpty() || context == null) {
      return;
    }
    while (reading && !heldBackReads.isEmpty()) {
      context.fireChannelRead(heldBackReads.removeFirst());
    }
    context.fireChannelReadComplete();
  }

  /// Stops reading from a client that does not read its responses, which would fill the memory.
  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    setReading(serverReads);
    context.fireChannelWritabilityChanged();
  }

  // ---- streams, calls and control frames

  ServerLimits limits() {
    return limits;
  }

  long nowNanos() {
    return clock.nanos();
  }

  void streamOpened() {
    streams++;
    limits.streamOpened();
  }

  void streamClosed() {
    streams--;
    limits.streamClosed();
  }

  /// A control frame waits to be sent. If there are too many, the connection is closed at once:
  /// pausing reads would have no effect before all bytes that were read are processed.
  void controlFrameQueued() {
    controlFrames++;
    if (!limits.controlFrameQueued(controlFrames) && channel.isActive()) {
      closeNow();
    }
  }

  /// A control frame was sent, or will never be.
  void controlFrameSent() {
    controlFrames--;
    limits.controlFrameSent();
  }

  /// The request of a call with one response that is not queued is complete; [#otherCallAnswered]
  /// has to follow.
  void otherCallComplete() {
    otherCompleteCalls++;
  }

  /// Such a call was answered or cancelled.
  void otherCallAnswered() {
    otherCompleteCalls--;
    lastUseNanos = clock.nanos();
  }

  /// The number of responses that the client has not read. It includes streaming calls, such as
  /// watches, and incomplete requests of calls that were not reported as queued.
  int unreadResponses() {
    return streams - queuedCalls - otherCompleteCalls;
  }

  /// A call of any method has started.
  void callStarted() {
    allCalls++;
  }

  /// Whether no call has ever started on it.
  boolean hasNoCallYet() {
    return allCalls == 0;
  }

  /// Whether the client waits for the response to no complete request. Streaming calls do not
  /// count: they can last as long as the connection.
  boolean awaitsNoResponse() {
    return completeQueuedCalls == 0 && otherCompleteCalls == 0;
  }

  /// Whether [#prefer] was called.
  boolean isPreferred() {
    return preferred;
  }

  /// The time since a queued call was last answered, or the connection was opened.
  long unansweredNanos(long nowNanos) {
    return nowNanos - Math.max(lastAnswerNanos, readableSinceNanos);
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

  /// Sends GOAWAY: the client starts no more calls, and those that have started are answered.
  void goAway() {
    shutdown.goAway();
  }

  /// Closes the connection without GOAWAY.
  void closeNow() {
    shutdown.closeNow();
  }
}
