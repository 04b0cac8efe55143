package com.datanadhi.hub.grpc;

import com.datanadhi.hub.time.Clock;
import io.grpc.Attributes;
import io.grpc.Grpc;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// Stands before a listening channel and bounds its connections. When there are too many, those of
/// the least use are closed: first those without any call under a valid API key, then those idle
/// for longest. So whoever opens thousands of connections does not lock out the others. A
/// connection with such a call in progress is never closed here. Thread-safe.
@Sharable
final class ConnectionBound extends ChannelInboundHandlerAdapter {
  /// Finding the least useful costs a scan, so a few more are closed at a time.
  private static final int EVICT_SHARE = 64;

  private final int most;
  private final Clock clock;
  private final Map<Ends, Connection> open = new ConcurrentHashMap<>();

  ConnectionBound(int most, Clock clock) {
    this.most = most;
    this.clock = clock;
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object accepted) {
    if (!(accepted instanceof Channel channel)) {
      context.fireChannelRead(accepted);
      return;
    }
    // A client that is gone already has no address.
    Ends ends = Ends.of(channel.remoteAddress(), channel.localAddress());
    if (ends == null || (open.size() >= most && !evict())) {
      channel.unsafe().closeForcibly();
      return;
    }
    Connection connection = new Connection(channel);
    open.put(ends, connection);
    channel.closeFuture().addListener(_ -> open.remove(ends, connection));
    context.fireChannelRead(channel);
  }

  /// Closes the connections of the least use.
  ///
  /// @return false if all are in use
  private boolean evict() {
    List<Idle> idle = new ArrayList<>();
    open.forEach((ends, connection) -> connection.addIfIdle(ends, idle));
    idle.sort(Comparator.comparing(Idle::called).thenComparingLong(Idle::since));
    List<Idle> leastUseful = idle.subList(0, Math.min(idle.size(), 1 + most / EVICT_SHARE));
    for (Idle each : leastUseful) {
      open.remove(each.ends(), each.connection());
      each.connection().close();
    }
    return !leastUseful.isEmpty();
  }

  /// Notes that a call under a valid API key begins on the connection with these attributes.
  ///
  /// @return to be run when the call has ended
  Runnable callBegins(Attributes attributes) {
    Ends ends =
        Ends.of(
            attributes.get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR),
            attributes.get(Grpc.TRANSPORT_ATTR_LOCAL_ADDR));
    Connection connection = ends == null ? null : open.get(ends);
    if (connection == null) {
      // It was closed meanwhile.
      return () -> {};
    }
    connection.callBegins();
    return connection::callEnded;
  }

  /// Both ends of a connection, by which it is known here and among gRPC's attributes.
  private record Ends(SocketAddress remote, SocketAddress local) {
    static @Nullable Ends of(@Nullable SocketAddress remote, @Nullable SocketAddress local) {
      return remote == null || local == null ? null : new Ends(remote, local);
    }
  }

  /// A connection without a call, as it was when it was looked at.
  ///
  /// @param called whether it has had a call
  /// @param since the end of its last call, or else its begin
  private record Idle(Ends ends, Connection connection, boolean called, long since) {}

  private final class Connection {
    private final Channel channel;
    private int calls;
    private boolean called;
    private long since = clock.nanoTime();

    Connection(Channel channel) {
      this.channel = channel;
    }

    /// Closes it at once. A close through gRPC's handlers would wait for the client's answer.
    void close() {
      channel.eventLoop().execute(() -> channel.unsafe().close(channel.newPromise()));
    }

    synchronized void callBegins() {
      calls++;
      called = true;
    }

    synchronized void callEnded() {
      calls--;
      since = clock.nanoTime();
    }

    synchronized void addIfIdle(Ends ends, List<Idle> idle) {
      if (calls == 0) {
        idle.add(new Idle(ends, this, called, since));
      }
    }
  }
}
