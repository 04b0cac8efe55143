package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.net.Transport;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.time.Waiter;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.ServerDomainSocketChannel;
import io.netty.channel.unix.Socket;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// One listening socket and the connections that came by it, from its bind to its end. After that
/// another can be opened.
///
/// Accepting has an event loop of its own and never waits behind work. The number of open
/// connections is bounded: at the bound accepting pauses, and the kernel's backlog holds the rest.
final class SocketListener extends ChannelInboundHandlerAdapter {
  static final int MAX_CONNECTIONS = 512;

  /// As many as the kernel will hold (`net.core.somaxconn` caps it): a full backlog of a UNIX
  /// socket refuses at once.
  private static final int BACKLOG = 4_096;

  private static final Duration BACKLOG_PATIENCE = Duration.ofMillis(200);

  private final Transport transport;
  private final EventLoop workLoop;
  private final Connections connections;
  private final ServiceRegistry services;
  private final Clock clock;
  private final CountDownLatch backlogEmpty = new CountDownLatch(1);
  private final Waiter ended = new Waiter();
  private @Nullable ServerDomainSocketChannel listener;
  private volatile boolean full;
  private volatile boolean refusing;
  private volatile int openConnections;

  // On the accept loop alone.
  private boolean shut;
  private int acceptedInThisRead;

  // On the work loop alone.
  private final Set<GrpcConnectionHandler> open = new LinkedHashSet<>();
  private boolean leaving;

  private SocketListener(
      Transport transport,
      EventLoop workLoop,
      Connections connections,
      ServiceRegistry services,
      Clock clock) {
    this.transport = transport;
    this.workLoop = workLoop;
    this.connections = connections;
    this.services = services;
    this.clock = clock;
  }

  /// Binds `socket` and serves.
  static SocketListener open(
      Path socket,
      Transport transport,
      EventLoopGroup acceptLoop,
      EventLoop workLoop,
      Connections connections,
      ServiceRegistry services,
      Clock clock)
      throws IOException, InterruptedException {
    SocketListener door = new SocketListener(transport, workLoop, connections, services, clock);
    ChannelFuture bound =
        new ServerBootstrap()
            .group(acceptLoop, workLoop)
            .channelFactory(transport::newListener)
            .option(ChannelOption.SO_BACKLOG, BACKLOG)
            .handler(door)
            .childHandler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel accepted) {
                    door.serve(accepted);
                  }
                })
            .bind(new DomainSocketAddress(socket.toString()))
            .await();
    if (!bound.isSuccess()) {
      throw new IOException("no socket can be bound at " + socket, bound.cause());
    }
    return door;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    listener = (ServerDomainSocketChannel) context.channel();
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    Channel accepted = (Channel) message;
    acceptedInThisRead++;
    countConnection(1);
    accepted.closeFuture().addListener(closed -> countConnection(-1));
    context.fireChannelRead(message);
  }

  private void serve(Channel accepted) {
    ClientConnection client = new ClientConnection(accepted, connections);
    GrpcConnectionHandler calls = GrpcConnectionHandler.of(client, services);
    accepted.pipeline().addLast(client, calls);
    open.add(calls);
    accepted.closeFuture().addListener(closed -> open.remove(calls));
    if (leaving) {
      calls.goAway();
    }
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
    if (openConnections == 0) {
      ended.wake();
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
  boolean goAway(Duration patience) throws InterruptedException {
    refusing = true;
    // Whoever was accepted is counted once it is closed.
    var _ = Objects.requireNonNull(listener).close().await();
    workLoop.execute(() -> {
      leaving = true;
      List.copyOf(open).forEach(GrpcConnectionHandler::goAway);
    });
    return haveEnded(patience);
  }

  private boolean haveEnded(Duration patience) throws InterruptedException {
    long deadline = clock.nanos() + patience.toNanos();
    long left = patience.toNanos();
    while (openConnections > 0 && left > 0) {
      ended.await(Duration.ofNanos(left));
      left = deadline - clock.nanos();
    }
    return openConnections == 0;
  }

  /// Says goodbye and ends; calls that have begun have `patience` to be answered.
  void close(Duration patience) throws InterruptedException {
    if (!goAway(patience)) {
      workLoop.execute(() -> List.copyOf(open).forEach(GrpcConnectionHandler::cut));
      boolean _ = haveEnded(patience);
    }
  }
}
