package com.datanadhi.echopost.net;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SelectStrategy;
import io.netty.channel.SelectStrategyFactory;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.kqueue.KQueue;
import io.netty.channel.kqueue.KQueueDomainSocketChannel;
import io.netty.channel.kqueue.KQueueIoHandler;
import io.netty.channel.kqueue.KQueueServerDomainSocketChannel;
import io.netty.channel.kqueue.KQueueSocketChannel;
import io.netty.channel.unix.PeerCredentials;
import io.netty.channel.unix.ServerDomainSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Supplier;

/// The socket transport of the operating system: epoll on Linux, kqueue on macOS. No other class
/// distinguishes the two for sockets. Thread-safe.
public enum Transport {
  /// Linux.
  EPOLL(
      strategy -> EpollIoHandler.newFactory(0, strategy),
      EpollServerDomainSocketChannel::new,
      EpollSocketChannel::new,
      EpollDomainSocketChannel::new,
      channel -> ((EpollDomainSocketChannel) channel).peerCredentials(),
      107,
      true),
  /// macOS.
  KQUEUE(
      strategy -> KQueueIoHandler.newFactory(0, strategy),
      KQueueServerDomainSocketChannel::new,
      KQueueSocketChannel::new,
      KQueueDomainSocketChannel::new,
      channel -> ((KQueueDomainSocketChannel) channel).peerCredentials(),
      103,
      false);

  @SuppressWarnings("ImmutableEnumChecker") // factories without state
  private final Function<SelectStrategyFactory, IoHandlerFactory> handlers;

  @SuppressWarnings("ImmutableEnumChecker")
  private final Supplier<ServerDomainSocketChannel> listeners;

  @SuppressWarnings("ImmutableEnumChecker")
  private final ChannelFactory<? extends Channel> tcpChannels;

  @SuppressWarnings("ImmutableEnumChecker")
  private final ChannelFactory<? extends Channel> unixChannels;

  @SuppressWarnings("ImmutableEnumChecker")
  private final Peers peers;

  private final int longestSocketPath;
  private final boolean shutdownRefusesConnections;

  Transport(
      Function<SelectStrategyFactory, IoHandlerFactory> handlers,
      Supplier<ServerDomainSocketChannel> listeners,
      ChannelFactory<? extends Channel> tcpChannels,
      ChannelFactory<? extends Channel> unixChannels,
      Peers peers,
      int longestSocketPath,
      boolean shutdownRefusesConnections) {
    this.handlers = handlers;
    this.listeners = listeners;
    this.tcpChannels = tcpChannels;
    this.unixChannels = unixChannels;
    this.peers = peers;
    this.longestSocketPath = longestSocketPath;
    this.shutdownRefusesConnections = shutdownRefusesConnections;
  }

  /// The transport by the name of the operating system. Loads no native library.
  public static Transport ofThisSystem() {
    return System.getProperty("os.name").startsWith("Mac") ? KQUEUE : EPOLL;
  }

  /// Loads the native library.
  ///
  /// @throws UnsatisfiedLinkError when it cannot be loaded, with the reason
  public void ensureAvailable() {
    switch (this) {
      case EPOLL -> Epoll.ensureAvailability();
      case KQUEUE -> KQueue.ensureAvailability();
    }
  }

  /// One event loop on a daemon thread of that name, which starts at its first use.
  public EventLoopGroup newEventLoop(String threadName) {
    return newEventLoop(threadName, () -> false);
  }

  /// The same, but the loop polls without sleeping while `isSpinning` returns true, which it calls
  /// on its thread.
  public EventLoopGroup newEventLoop(String threadName, BooleanSupplier isSpinning) {
    SelectStrategy strategy =
        (poll, hasTasks) ->
            hasTasks || isSpinning.getAsBoolean() ? poll.get() : SelectStrategy.SELECT;
    return new MultiThreadIoEventLoopGroup(
        1, new DefaultThreadFactory(threadName, true), handlers.apply(() -> strategy));
  }

  /// A channel that can listen on a UNIX socket.
  public ServerDomainSocketChannel newListener() {
    return listeners.get();
  }

  /// Creates channels of TCP connections.
  public ChannelFactory<? extends Channel> tcpChannels() {
    return tcpChannels;
  }

  /// Creates channels of connections to UNIX sockets.
  public ChannelFactory<? extends Channel> unixChannels() {
    return unixChannels;
  }

  /// The user id of the process at the other end of `channel`, which a listener of [#newListener]
  /// has accepted.
  public int peerUser(Channel channel) throws IOException {
    return peers.of(channel).uid();
  }

  private interface Peers {
    PeerCredentials of(Channel channel) throws IOException;
  }

  /// The largest number of bytes of a UNIX socket's path, without the terminating zero (`sun_path`,
  /// see unix(7)).
  public int longestSocketPath() {
    return longestSocketPath;
  }

  /// Whether after `shutdown(listener, SHUT_RD)` the kernel refuses new connections while those in
  /// the backlog can still be accepted. So on Linux, by experiment; not on macOS.
  public boolean shutdownRefusesConnections() {
    return shutdownRefusesConnections;
  }
}
