package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.buffer.RecordRules;
import com.datanadhi.echopost.net.Transport;
import com.datanadhi.echopost.time.Clock;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.ServerDomainSocketChannel;
import io.netty.channel.unix.Socket;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// One listening socket and the gRPC server behind it, from its bind to its end. After that another
/// can be opened.
///
/// Accepting has an event loop of its own and never waits behind work. The number of open
/// connections is bounded: at the bound accepting pauses, and the kernel's backlog holds the rest.
final class Door extends ChannelInboundHandlerAdapter {
  static final int MAX_CONNECTIONS = 512;

  /// As many as the kernel will hold (`net.core.somaxconn` caps it): a full backlog of a UNIX
  /// socket refuses at once.
  private static final int BACKLOG = 4_096;

  /// Room for the other fields and the framing beside the largest payload.
  private static final int MAX_MESSAGE_BYTES = RecordRules.MAX_JSON_BYTES + (64 << 10);

  /// What a call may send before its message is asked for.
  private static final int CALL_WINDOW_BYTES = 8 << 10;

  private static final int MAX_CALLS_PER_CONNECTION = 1_024;
  private static final Duration BACKLOG_PATIENCE = Duration.ofMillis(200);

  private final Transport transport;
  private final Connections connections;
  private final CountDownLatch backlogEmpty = new CountDownLatch(1);
  private final Server server;
  private @Nullable ServerDomainSocketChannel listener;
  private volatile boolean full;
  private volatile boolean refusing;
  private int openConnections;

  // On the accept loop alone.
  private boolean shut;
  private int acceptedInThisRead;

  private Door(
      Path socket,
      Transport transport,
      EventLoopGroup acceptLoop,
      EventLoopGroup workLoop,
      Connections connections,
      RareServices rareServices,
      Clock clock) {
    this.transport = transport;
    this.connections = connections;
    this.server =
        NettyServerBuilder.forAddress(new DomainSocketAddress(socket.toString()))
            .channelFactory(this::newListener)
            .bossEventLoopGroup(acceptLoop)
            .workerEventLoopGroup(workLoop)
            // Calls run where their bytes arrive: on the event loop.
            .directExecutor()
            .withOption(ChannelOption.SO_BACKLOG, BACKLOG)
            // grpc-java would set it on each connection; a UNIX socket has no such option, and
            // Netty logs a warning.
            .withChildOption(ChannelOption.SO_KEEPALIVE, null)
            .maxInboundMessageSize(MAX_MESSAGE_BYTES)
            .flowControlWindow(CALL_WINDOW_BYTES)
            .maxConcurrentCallsPerConnection(MAX_CALLS_PER_CONNECTION)
            // A client that pings often is no reason to close on it.
            .permitKeepAliveTime(1, TimeUnit.MILLISECONDS)
            .permitKeepAliveWithoutCalls(true)
            .addStreamTracerFactory(Receiving.factory(connections, clock))
            .addService(SendLog.service(connections))
            .fallbackHandlerRegistry(rareServices)
            .build();
  }

  /// Binds `socket` and serves.
  static Door open(
      Path socket,
      Transport transport,
      EventLoopGroup acceptLoop,
      EventLoopGroup workLoop,
      Connections connections,
      RareServices rareServices,
      Clock clock)
      throws IOException {
    Door door = new Door(socket, transport, acceptLoop, workLoop, connections, rareServices, clock);
    try {
      door.server.start();
      return door;
    } catch (IOException failed) {
      door.server.shutdownNow();
      throw failed;
    }
  }

  private ServerDomainSocketChannel newListener() {
    ServerDomainSocketChannel channel = transport.newListener();
    // First in line, so that it sees each connection before gRPC does.
    channel.pipeline().addFirst(this);
    listener = channel;
    return channel;
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    Channel accepted = (Channel) message;
    acceptedInThisRead++;
    accepted.pipeline().addLast(new Connection(accepted, connections));
    countConnection(1);
    accepted.closeFuture().addListener(closed -> countConnection(-1));
    context.fireChannelRead(message);
  }

  /// Connections come on the accept loop and go on the work loop: unless each looks and acts in one
  /// step, a pause that nobody ends can be what is left.
  private synchronized void countConnection(int change) {
    openConnections += change;
    boolean nowFull = openConnections >= MAX_CONNECTIONS && !refusing;
    if (nowFull != full) {
      full = nowFull;
      Objects.requireNonNull(listener).config().setAutoRead(!nowFull);
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    if (shut && acceptedInThisRead == 0) {
      backlogEmpty.countDown();
      // The kernel reports a listener that was shut down as readable for ever.
      context.channel().config().setAutoRead(false);
    }
    acceptedInThisRead = 0;
    context.fireChannelReadComplete();
  }

  /// Whether new connections wait outside for room. Any thread.
  boolean isFull() {
    return full;
  }

  /// Lets no new connection in any more, and returns once those in the backlog are accepted.
  void refuseNew() throws InterruptedException {
    if (refusing) {
      return;
    }
    refusing = true;
    // Also those that wait for room are let in.
    countConnection(0);
    ServerDomainSocketChannel channel = Objects.requireNonNull(listener);
    if (transport.shutdownRefuses()) {
      channel
          .eventLoop()
          .execute(() -> {
            try {
              // Through a socket object of its own: Netty's would accept nothing more after it.
              new Socket(channel.fd().intValue()).shutdown(true, false);
              shut = true;
            } catch (IOException notListening) {
              backlogEmpty.countDown();
            }
          });
      boolean _ = backlogEmpty.await(BACKLOG_PATIENCE.toNanos(), TimeUnit.NANOSECONDS);
    }
  }

  /// Says goodbye to every connection (GOAWAY), and gives them `patience` to end. Calls that have
  /// begun are answered, also later.
  ///
  /// @return whether all have ended
  boolean sayGoodbye(Duration patience) throws InterruptedException {
    refusing = true;
    server.shutdown();
    return server.awaitTermination(patience.toNanos(), TimeUnit.NANOSECONDS);
  }

  /// Says goodbye and ends; calls that have begun have `patience` to be answered.
  void close(Duration patience) throws InterruptedException {
    if (!sayGoodbye(patience)) {
      server.shutdownNow();
      boolean _ = server.awaitTermination(patience.toNanos(), TimeUnit.NANOSECONDS);
    }
  }
}
