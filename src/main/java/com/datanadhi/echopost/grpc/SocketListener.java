package com.datanadhi.echopost.grpc;

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

/// One listening socket and the connections that it accepted, from bind to close. Another one can
/// be opened beside it.
///
/// Accepting has an event loop of its own and never waits for work. The number of open connections
/// is limited: at the limit, accepting pauses, and the kernel's backlog holds further connections.
///
/// The public methods may be called from any thread, but not at the same time.
public final class SocketListener extends ChannelInboundHandlerAdapter {
  static final int MAX_CONNECTIONS = 512;

  /// As many as the kernel allows (`net.core.somaxconn` caps it): with a full backlog of a UNIX
  /// socket, a connect fails at once.
  private static final int BACKLOG = 4_096;

  private static final Duration BACKLOG_TIMEOUT = Duration.ofMillis(200);

  private final Transport transport;
  private final EventLoop workLoop;
  private final ConnectionLimits connections;
  private final GrpcApplication application;
  private final Clock clock;
  private final CountDownLatch backlogEmpty = new CountDownLatch(1);
  private final Waiter ended = new Waiter();
  // Set on the accept loop before the bind completes, and not changed after it.
  private @Nullable ServerDomainSocketChannel listener;

  // Three threads take part in the end of a listener, each with flags of its own, in this order:
  // the caller stops accepting, the accept loop shuts the socket down, the work loop sends GOAWAY.
  // Written by the caller, read by the loops.
  private volatile boolean stopped;
  // Written by both loops, under this object's lock; read by any thread.
  private volatile boolean full;
  private volatile int openConnections;

  // Confined to the accept loop.
  private boolean shutDown;
  private int acceptedInThisRead;

  // Confined to the work loop.
  private final ConnectionForwarder connectionListener = new ConnectionForwarder();
  private final Set<ClientConnection> open = new LinkedHashSet<>();
  private boolean leaving;

  private SocketListener(
      Transport transport,
      EventLoop workLoop,
      ConnectionLimits connections,
      GrpcApplication application,
      Clock clock) {
    this.transport = transport;
    this.workLoop = workLoop;
    this.connections = connections;
    this.application = application;
    this.clock = clock;
  }

  /// Binds `socket` and serves `application` on it.
  static SocketListener open(
      Path socket,
      Transport transport,
      EventLoopGroup acceptLoop,
      EventLoop workLoop,
      ConnectionLimits connections,
      GrpcApplication application,
      Clock clock)
      throws IOException, InterruptedException {
    SocketListener opened =
        new SocketListener(transport, workLoop, connections, application, clock);
    ChannelFuture bound =
        new ServerBootstrap()
            .group(acceptLoop, workLoop)
            .channelFactory(transport::newListener)
            .option(ChannelOption.SO_BACKLOG, BACKLOG)
            .handler(opened)
            .childHandler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel accepted) {
                    opened.serve(accepted);
                  }
                })
            .bind(new DomainSocketAddress(socket.toString()))
            .await();
    if (!bound.isSuccess()) {
      throw new IOException("cannot bind a socket at " + socket, bound.cause());
    }
    return opened;
  }

  // ---- on the accept loop

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

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    if (shutDown && acceptedInThisRead == 0) {
      backlogEmpty.countDown();
      // The kernel reports a listener that is shut down as readable without end.
      context.channel().config().setAutoRead(false);
    }
    acceptedInThisRead = 0;
    context.fireChannelReadComplete();
  }

  /// Connections open on the accept loop and close on the work loop: without the lock, a last pause
  /// could be set after the last connection has closed, and never end.
  private synchronized void countConnection(int change) {
    openConnections += change;
    boolean nowFull = openConnections >= MAX_CONNECTIONS && !stopped;
    if (nowFull != full) {
      full = nowFull;
      Objects.requireNonNull(listener).config().setAutoRead(!nowFull);
    }
    if (openConnections == 0) {
      ended.wake();
    }
  }

  // ---- on the work loop

  private void serve(Channel accepted) {
    ClientConnection client =
        new ClientConnection(accepted, connectionListener, connections.limits(), clock);
    accepted.pipeline().addLast(client, GrpcConnectionHandler.of(client, application));
    open.add(client);
    accepted.closeFuture().addListener(closed -> open.remove(client));
    if (leaving) {
      client.goAway();
    }
  }

  private final class ConnectionForwarder implements ClientConnection.ConnectionListener {
    @Override
    public void opened(ClientConnection connection) {
      connections.opened(connection);
    }

    @Override
    public void closed(ClientConnection connection) {
      connections.closed(connection);
      application.connectionClosed(connection);
    }
  }

  // ---- the end

  /// Whether new connections wait for room.
  public boolean isFull() {
    return full;
  }

  /// Stops accepting new connections, and returns once those in the backlog are accepted.
  public void stopAccepting() throws InterruptedException {
    if (stopped) {
      return;
    }
    stopped = true;
    // Ends a pause: connections in the backlog are accepted beyond the limit.
    countConnection(0);
    ServerDomainSocketChannel channel = Objects.requireNonNull(listener);
    if (transport.shutdownRefusesConnections()) {
      channel
          .eventLoop()
          .execute(() -> {
            try {
              // Shut down through another socket object, since Netty's would accept nothing after
              // it.
              new Socket(channel.fd().intValue()).shutdown(true, false);
              shutDown = true;
            } catch (IOException notListening) {
              backlogEmpty.countDown();
            }
          });
      boolean _ = backlogEmpty.await(BACKLOG_TIMEOUT.toNanos(), TimeUnit.NANOSECONDS);
    }
  }

  /// Closes the socket, sends GOAWAY on every connection and waits for the connections to end.
  /// Calls that have started are answered, also after the wait.
  ///
  /// @return whether all connections have ended within `timeout`
  public boolean goAway(Duration timeout) throws InterruptedException {
    stopped = true;
    // After this, every accepted connection is counted until it is closed.
    var _ = Objects.requireNonNull(listener).close().await();
    workLoop.execute(() -> {
      leaving = true;
      List.copyOf(open).forEach(ClientConnection::goAway);
    });
    return haveEnded(timeout);
  }

  private boolean haveEnded(Duration timeout) throws InterruptedException {
    long deadline = clock.nanos() + timeout.toNanos();
    long left = timeout.toNanos();
    while (openConnections > 0 && left > 0) {
      ended.await(Duration.ofNanos(left));
      left = deadline - clock.nanos();
    }
    return openConnections == 0;
  }

  /// Sends GOAWAY and closes; calls that have started have `timeout` to be answered.
  public void close(Duration timeout) throws InterruptedException {
    if (!goAway(timeout)) {
      workLoop.execute(() -> List.copyOf(open).forEach(ClientConnection::closeNow));
      boolean _ = haveEnded(timeout);
    }
  }
}
