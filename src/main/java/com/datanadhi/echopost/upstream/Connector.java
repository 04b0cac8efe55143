package com.datanadhi.echopost.upstream;

import com.datanadhi.echopost.net.Transport;
import com.datanadhi.echopost.time.Clock;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.EventLoopGroup;
import io.netty.handler.codec.http.HttpResponseDecoder;
import io.netty.handler.proxy.HttpProxyHandler;
import io.netty.handler.proxy.ProxyHandler;
import io.netty.handler.proxy.Socks5ProxyHandler;
import io.netty.handler.ssl.SslHandler;
import io.netty.resolver.NoopAddressResolverGroup;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.security.GeneralSecurityException;
import java.security.Security;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;

/// Makes connections to the main server: looks its name up for each connection, tries its addresses
/// in turn, connects through the proxy, and performs the TLS handshakes.
///
/// [#connect] may be called from two threads at a time, that of the probes and that of replay.
final class Connector implements AutoCloseable {
  private static final int LONGEST_START_LINE = 4 << 10;
  private static final int LONGEST_HEADER = 32 << 10;
  private static final int CHUNK = 8 << 10;

  private final ServerUrl url;
  private final ProxySettings.@Nullable Proxy proxy;
  private final TrustStore trust;
  private final Transport transport;
  private final EventLoopGroup loop;
  private final int connectTimeoutMillis;
  // A name lookup can take many seconds and cannot be interrupted: the caller waits for this thread
  // only until its deadline.
  private final ExecutorService lookups =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name("lookup").factory());

  /// @param connectTimeout the limit for TCP and for the proxy, beside the deadline of each call
  Connector(
      ServerUrl url,
      ProxySettings.@Nullable Proxy proxy,
      TrustStore trust,
      Transport transport,
      EventLoopGroup loop,
      Duration connectTimeout) {
    this.url = url;
    this.proxy = proxy;
    this.trust = trust;
    this.transport = transport;
    this.loop = loop;
    this.connectTimeoutMillis = (int) connectTimeout.toMillis();
  }

  /// Makes a connection that is ready for a request.
  ///
  /// @throws ConnectFailedException when no address could be connected to before the deadline
  HttpConnection connect(long deadlineNanos, Clock clock)
      throws InterruptedException, ConnectFailedException {
    String host = proxy == null ? url.host() : proxy.host();
    int port = proxy == null ? url.port() : proxy.port();
    InetSocketAddress server = InetSocketAddress.createUnresolved(url.host(), url.port());
    String failure = "the name " + host + " has no address";
    for (InetAddress address : lookUp(host, deadlineNanos - clock.nanos())) {
      InetSocketAddress socketAddress = new InetSocketAddress(address, port);
      Attempt attempt = new Attempt();
      ProxyHandler tunnel = tunnel(socketAddress);
      ChannelFuture connecting =
          bootstrap(attempt, tunnel).connect(tunnel == null ? socketAddress : server);
      attempt.follow(connecting, tunnel == null && !url.secure() && !tlsToProxy());
      try {
        attempt.ready.get(Math.max(0, deadlineNanos - clock.nanos()), TimeUnit.NANOSECONDS);
        return attempt.take();
      } catch (TimeoutException late) {
        failure = "no connection to " + host + ":" + port + " in time";
      } catch (ExecutionException failed) {
        failure = FailureText.of(failed.getCause());
      } finally {
        if (!attempt.taken) {
          abandon(connecting.channel());
        }
      }
    }
    throw new ConnectFailedException(failure);
  }

  /// Closes `channel` after the event loop has processed its registration. When the process has no
  /// file descriptor left, the channel is not registered and there is nothing to close.
  private void abandon(Channel channel) {
    loop.execute(() -> {
      if (channel.isRegistered()) {
        var _ = channel.close();
      }
    });
  }

  private List<InetAddress> lookUp(String host, long timeoutNanos)
      throws InterruptedException, ConnectFailedException {
    byte @Nullable [] literal = IpAddresses.literal(host);
    try {
      if (literal != null) {
        return List.of(InetAddress.getByAddress(literal));
      }
      // The JDK caches addresses for 30 s and failures for 10 s: a server whose address changed
      // would seem to be down.
      Security.setProperty("networkaddress.cache.ttl", "0");
      Security.setProperty("networkaddress.cache.negative.ttl", "0");
      return List.of(
          lookups
              .submit(() -> InetAddress.getAllByName(host))
              .get(Math.max(0, timeoutNanos), TimeUnit.NANOSECONDS));
    } catch (TimeoutException late) {
      throw new ConnectFailedException("the name " + host + " could not be looked up in time");
    } catch (ExecutionException | UnknownHostException unknown) {
      throw new ConnectFailedException("the name " + host + " could not be looked up");
    }
  }

  /// One attempt to connect: `ready` completes when TCP, the proxy and TLS are all established.
  private static final class Attempt {
    final CompletableFuture<Void> ready = new CompletableFuture<>();
    private volatile @Nullable HttpConnection created;
    boolean taken;

    /// Creates the handler of the channel and keeps it: when the server closes the connection at
    /// once, the channel's pipeline no longer contains it.
    HttpConnection create(Channel channel) {
      HttpConnection connection = new HttpConnection(channel);
      created = connection;
      return connection;
    }

    /// Returns the connection; the caller closes it. Only after [#ready] has completed.
    HttpConnection take() {
      taken = true;
      return Objects.requireNonNull(created);
    }

    void follow(io.netty.util.concurrent.Future<?> step, boolean last) {
      step.addListener(done -> {
        if (!done.isSuccess()) {
          ready.completeExceptionally(done.cause());
        } else if (last) {
          ready.complete(null);
        }
      });
    }
  }

  private Bootstrap bootstrap(Attempt attempt, @Nullable ProxyHandler tunnel) {
    return new Bootstrap()
        .group(loop)
        .channelFactory(transport.tcpChannels())
        // Addresses are already looked up, and a proxy gets the server's name unresolved.
        .resolver(NoopAddressResolverGroup.INSTANCE)
        .option(ChannelOption.TCP_NODELAY, true)
        // A failed write must not discard a response that is already in the socket.
        .option(ChannelOption.AUTO_CLOSE, false)
        .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, connectTimeoutMillis)
        .handler(
            new ChannelInitializer<>() {
              @Override
              protected void initChannel(Channel channel) throws Exception {
                build(channel, attempt, tunnel);
              }
            });
  }

  private void build(Channel channel, Attempt attempt, @Nullable ProxyHandler tunnel)
      throws SSLException {
    ChannelPipeline pipeline = channel.pipeline();
    if (proxy != null && tlsToProxy()) {
      SslHandler toProxy = tls(proxy.host(), proxy.port());
      pipeline.addLast(toProxy);
      attempt.follow(toProxy.handshakeFuture(), tunnel == null && !url.secure());
    }
    if (tunnel != null) {
      tunnel.setConnectTimeoutMillis(connectTimeoutMillis);
      pipeline.addLast(tunnel);
      attempt.follow(tunnel.connectFuture(), !url.secure());
    }
    if (url.secure()) {
      SslHandler toServer = tls(url.host(), url.port());
      pipeline.addLast(toServer);
      attempt.follow(toServer.handshakeFuture(), true);
    }
    pipeline.addLast(
        new HttpResponseDecoder(LONGEST_START_LINE, LONGEST_HEADER, CHUNK),
        attempt.create(channel));
  }

  private @Nullable ProxyHandler tunnel(InetSocketAddress address) {
    if (proxy == null || isForwardProxy()) {
      return null;
    }
    String user = proxy.userInfo();
    if (proxy.kind() == ProxySettings.Kind.SOCKS5) {
      return user == null
          ? new Socks5ProxyHandler(address)
          : new Socks5ProxyHandler(address, name(user), password(user));
    }
    return user == null
        ? new HttpProxyHandler(address)
        : new HttpProxyHandler(address, name(user), password(user));
  }

  private static String name(String userInfo) {
    int colon = userInfo.indexOf(':');
    return colon < 0 ? userInfo : userInfo.substring(0, colon);
  }

  private static String password(String userInfo) {
    int colon = userInfo.indexOf(':');
    return colon < 0 ? "" : userInfo.substring(colon + 1);
  }

  private SslHandler tls(String host, int port) throws SSLException {
    try {
      SSLEngine engine = trust.context().createSSLEngine(host, port);
      engine.setUseClientMode(true);
      SSLParameters parameters = engine.getSSLParameters();
      parameters.setEndpointIdentificationAlgorithm("HTTPS");
      engine.setSSLParameters(parameters);
      return new SslHandler(engine);
    } catch (GeneralSecurityException | java.io.IOException failed) {
      throw new SSLException("no TLS: " + failed.getMessage(), failed);
    }
  }

  /// The request target: for a plain-HTTP proxy the whole URL (RFC 9112, section 3.2.2).
  String target(String path) {
    return isForwardProxy() ? "http://" + url.authority() + path : path;
  }

  /// Header lines that a plain-HTTP proxy needs in each request; may be empty.
  String proxyHeaders() {
    return isForwardProxy() && proxy != null && proxy.userInfo() != null
        ? "proxy-authorization: " + Authority.basicCredentials(proxy.userInfo()) + "\r\n"
        : "";
  }

  private boolean isForwardProxy() {
    return proxy != null && proxy.kind() != ProxySettings.Kind.SOCKS5 && !url.secure();
  }

  private boolean tlsToProxy() {
    return proxy != null && proxy.kind() == ProxySettings.Kind.HTTPS;
  }

  @Override
  public void close() {
    lookups.shutdownNow();
  }
}
