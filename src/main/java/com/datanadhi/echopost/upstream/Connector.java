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
import io.netty.handler.proxy.HttpProxyHandler;
import io.netty.handler.proxy.ProxyHandler;
import io.netty.handler.proxy.Socks5ProxyHandler;
import io.netty.handler.ssl.SslHandler;
import io.netty.resolver.NoopAddressResolverGroup;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.security.GeneralSecurityException;
import java.security.Security;
import java.time.Duration;
import java.util.List;
import java.util.NavigableSet;
import java.util.Objects;
import java.util.StringJoiner;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;

/// Makes connections to the main server: looks its name up for each connection, tries its addresses
/// in turn, connects through the proxy, and performs the TLS handshakes.
///
/// [#connect] may be called from two threads at a time, that of the probes and that of replay.
final class Connector implements AutoCloseable {
  private final ServerUrl url;
  private final ProxySettings.@Nullable Proxy proxy;
  private final Peer server;

  // What TCP connects to: the server or its proxy.
  private final Peer first;
  private final OfferReader offers;

  // Counts what went wrong, to choose the address that the next connection starts with.
  private final AtomicInteger failures = new AtomicInteger();
  private final TrustStore trust;
  private final Transport transport;
  private final EventLoopGroup loop;
  private final int connectTimeoutMillis;
  // A name lookup can take many seconds and cannot be interrupted: the caller waits for this thread
  // only until its deadline.
  private final ExecutorService lookups =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name("lookup").factory());

  /// @param connectTimeout the limit for TCP and for the proxy, beside the deadline of each call
  /// @param offers takes the header of each response
  Connector(
      ServerUrl url,
      ProxySettings.@Nullable Proxy proxy,
      TrustStore trust,
      Transport transport,
      EventLoopGroup loop,
      Duration connectTimeout,
      OfferReader offers) {
    this.url = url;
    this.offers = offers;
    this.proxy = proxy;
    this.server = Peer.server(url);
    this.first = proxy == null ? server : Peer.proxy(proxy, url);
    this.trust = trust;
    this.transport = transport;
    this.loop = loop;
    this.connectTimeoutMillis = (int) connectTimeout.toMillis();
  }

  /// Reads the certificates to trust, if they are needed: the first time it takes long.
  void prepare() throws ConnectFailedException {
    var _ = tlsContext();
  }

  /// Makes a connection that is ready for a request.
  ///
  /// Each of the addresses gets an equal share of the time, so that one that does not answer does
  /// not hide the others.
  ///
  /// @throws ConnectFailedException when no address could be connected to before the deadline
  HttpConnection connect(long deadlineNanos, Clock clock)
      throws InterruptedException, ConnectFailedException {
    SSLContext tls = tlsContext();
    List<InetAddress> addresses = lookUp(deadlineNanos - clock.nanos());
    int count = addresses.size();
    int start = Math.floorMod(failures.get(), count);
    StringJoiner reasons = new StringJoiner("; ");
    for (int tried = 0; tried < count; tried++) {
      InetAddress address = addresses.get((start + tried) % count);
      try {
        return connect(address, tls, (deadlineNanos - clock.nanos()) / (count - tried));
      } catch (ConnectFailedException failed) {
        avoidAddress();
        reasons.add(failed.getMessage());
      }
    }
    throw new ConnectFailedException(reasons.toString());
  }

  /// Makes the next connection start with the next address of the name. Any thread.
  void avoidAddress() {
    int _ = failures.incrementAndGet();
  }

  private @Nullable SSLContext tlsContext() throws ConnectFailedException {
    try {
      return url.secure() || tlsToProxy() ? trust.context() : null;
    } catch (GeneralSecurityException | IOException failed) {
      throw new ConnectFailedException(FailureText.trust(failed));
    }
  }

  private HttpConnection connect(InetAddress address, @Nullable SSLContext tls, long timeoutNanos)
      throws InterruptedException, ConnectFailedException {
    InetSocketAddress socketAddress = new InetSocketAddress(address, first.port());
    Attempt attempt = new Attempt(tls);
    ProxyHandler tunnel = tunnel(socketAddress);
    ChannelFuture connecting =
        bootstrap(attempt, tunnel)
            .connect(
                tunnel == null
                    ? socketAddress
                    : InetSocketAddress.createUnresolved(server.host(), server.port()));
    attempt.follow(Step.TCP, connecting);
    try {
      attempt.ready.get(Math.max(0, timeoutNanos), TimeUnit.NANOSECONDS);
      return attempt.take();
    } catch (TimeoutException late) {
      throw new ConnectFailedException(text(attempt.current(), address, late));
    } catch (ExecutionException failed) {
      Throwable cause = Objects.requireNonNull(failed.getCause());
      Step step = FailureText.isTunnelFailure(cause) ? Step.TUNNEL : attempt.current();
      throw new ConnectFailedException(text(step, address, cause));
    } finally {
      if (!attempt.taken) {
        abandon(connecting.channel());
      }
    }
  }

  private String text(Step step, InetAddress address, Throwable failure) {
    return switch (step) {
      case TCP -> FailureText.connect(first, address, failure);
      case TLS_TO_PROXY -> FailureText.tls(first, failure);
      case TUNNEL -> FailureText.tunnel(first, server, failure);
      case TLS_TO_SERVER -> FailureText.tls(server, failure);
    };
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

  private List<InetAddress> lookUp(long timeoutNanos)
      throws InterruptedException, ConnectFailedException {
    String host = first.host();
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
      throw new ConnectFailedException(FailureText.lookUp(first, late));
    } catch (ExecutionException failed) {
      throw new ConnectFailedException(
          FailureText.lookUp(first, Objects.requireNonNull(failed.getCause())));
    } catch (UnknownHostException unknown) {
      throw new ConnectFailedException(FailureText.lookUp(first, unknown));
    }
  }

  /// What a connection needs, in this order.
  private enum Step {
    TCP,
    TLS_TO_PROXY,
    TUNNEL,
    TLS_TO_SERVER
  }

  /// One attempt to connect: `ready` completes when all its steps have succeeded, or one has
  /// failed.
  private static final class Attempt {
    final @Nullable SSLContext tls;
    final CompletableFuture<Void> ready = new CompletableFuture<>();
    private final NavigableSet<Step> left = new ConcurrentSkipListSet<>(List.of(Step.TCP));
    private volatile @Nullable HttpConnection created;
    private volatile @Nullable Throwable laterFailure;
    boolean taken;

    Attempt(@Nullable SSLContext tls) {
      this.tls = tls;
    }

    /// Keeps the handler of the channel: when the server closes the connection at once, the
    /// channel's pipeline no longer contains it.
    HttpConnection keep(HttpConnection connection) {
      created = connection;
      return connection;
    }

    /// Returns the connection; the caller closes it. Only after [#ready] has completed.
    HttpConnection take() {
      taken = true;
      return Objects.requireNonNull(created);
    }

    /// The step that was not completed.
    Step current() {
      return left.isEmpty() ? Step.TLS_TO_SERVER : left.first();
    }

    /// Waits for `step` too. All steps are added before the first of them can complete.
    void follow(Step step, io.netty.util.concurrent.Future<?> future) {
      boolean _ = left.add(step);
      future.addListener(done -> {
        if (!done.isSuccess()) {
          fail(step, done.cause());
        } else if (left.remove(step)) {
          Throwable failure = laterFailure;
          if (failure != null) {
            ready.completeExceptionally(failure);
          } else if (left.isEmpty()) {
            ready.complete(null);
          }
        }
      });
    }

    /// A connection that is refused fails the later steps too, sometimes first: the reason is what
    /// TCP says, whose step always completes.
    private void fail(Step step, Throwable cause) {
      if (step != Step.TCP && left.contains(Step.TCP)) {
        laterFailure = cause;
      } else {
        ready.completeExceptionally(cause);
      }
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
              protected void initChannel(Channel channel) {
                build(channel, attempt, tunnel);
              }
            });
  }

  private void build(Channel channel, Attempt attempt, @Nullable ProxyHandler tunnel) {
    ChannelPipeline pipeline = channel.pipeline();
    if (tlsToProxy()) {
      SslHandler toProxy = tls(attempt, first);
      pipeline.addLast(toProxy);
      attempt.follow(Step.TLS_TO_PROXY, toProxy.handshakeFuture());
    }
    if (tunnel != null) {
      tunnel.setConnectTimeoutMillis(connectTimeoutMillis);
      pipeline.addLast(tunnel);
      attempt.follow(Step.TUNNEL, tunnel.connectFuture());
    }
    if (url.secure()) {
      SslHandler toServer = tls(attempt, server);
      pipeline.addLast(toServer);
      attempt.follow(Step.TLS_TO_SERVER, toServer.handshakeFuture());
    }
    ResponseDecoder decoder = new ResponseDecoder();
    pipeline.addLast(
        decoder,
        attempt.keep(
            new HttpConnection(channel, isForwardProxy() ? first : server, decoder, offers)));
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

  private static SslHandler tls(Attempt attempt, Peer peer) {
    SSLEngine engine =
        Objects.requireNonNull(attempt.tls).createSSLEngine(peer.host(), peer.port());
    engine.setUseClientMode(true);
    SSLParameters parameters = engine.getSSLParameters();
    if (!UnderscoreNames.isOne(peer.host())) {
      parameters.setEndpointIdentificationAlgorithm("HTTPS");
    }
    engine.setSSLParameters(parameters);
    return new SslHandler(engine);
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
