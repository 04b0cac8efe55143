package com.datanadhi.sdk.internal.http;

import com.datanadhi.sdk.internal.http.Proxies.ProxyServer;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.Socket;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpResponse;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/**
 * Sends requests over sockets of its own, for what the JDK's HTTP client cannot do: it refuses
 * names with an underscore, uses no SOCKS proxy, and sends no password to a proxy for https unless
 * a property of the JVM allows it. Each exchange uses one thread. Thread-safe.
 */
final class SocketTransport implements HttpTransport {
  private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);
  private static final int MAX_REDIRECTS = 5;
  private static final Duration LONGEST_IDLE = Duration.ofSeconds(15);

  private final Proxies proxies;
  private final SSLContext tls;
  private final boolean followsRedirects;
  private final Duration connectTimeout;
  private final Executor threads;
  private final Map<HostAddress, Deque<Idle>> idle = new HashMap<>();
  private boolean closed;

  SocketTransport(
      Proxies proxies,
      SSLContext tls,
      boolean followsRedirects,
      Duration connectTimeout,
      Executor threads) {
    this.proxies = proxies;
    this.tls = tls;
    this.followsRedirects = followsRedirects;
    this.connectTimeout = connectTimeout;
    this.threads = threads;
  }

  private record Idle(HttpConnection connection, long since) {}

  @Override
  public <T> CompletableFuture<Answer<T>> send(Call call, HttpResponse.BodyHandler<T> handler) {
    CompletableFuture<Answer<T>> result = new CompletableFuture<>();
    OpenSocket open = new OpenSocket();
    threads.execute(() -> {
      try {
        result.complete(followed(call, handler, open));
      } catch (IOException | RuntimeException | Error failed) {
        result.completeExceptionally(failed);
      }
    });
    var unused =
        result.whenComplete((answer, failed) -> {
          if (failed != null) {
            open.abort();
          }
        });
    return result;
  }

  private <T> Answer<T> followed(Call call, HttpResponse.BodyHandler<T> handler, OpenSocket open)
      throws IOException {
    Call next = call;
    for (int redirects = 0; ; redirects++) {
      Answer<T> answer = exchange(next, handler, open);
      Optional<URI> location =
          followsRedirects && REDIRECTS.contains(answer.status()) && next.isGet()
              ? answer.headers().firstValue("Location").map(next.url()::resolve)
              : Optional.empty();
      if (location.isEmpty()) {
        return answer;
      }
      Optional<HostAddress> to = HostAddress.of(location.get());
      boolean insecure =
          HostAddress.require(next.url()).secure() && to.isPresent() && !to.get().secure();
      if (to.isEmpty() || insecure || redirects == MAX_REDIRECTS) {
        return answer;
      }
      next = Call.get(location.get(), call.headers());
    }
  }

  private <T> Answer<T> exchange(Call call, HttpResponse.BodyHandler<T> handler, OpenSocket open)
      throws IOException {
    HostAddress server = HostAddress.require(call.url());
    for (HttpConnection reused = take(server); reused != null; reused = take(server)) {
      open.use(reused.socket());
      try {
        return exchange(reused, server, call, handler);
      } catch (IOException failed) {
        // The server may have closed the connection while it was idle.
        if (reused.hasReceived()) {
          throw failed;
        }
      }
    }
    return exchange(connect(server, open), server, call, handler);
  }

  private <T> Answer<T> exchange(
      HttpConnection connection, HostAddress server, Call call, HttpResponse.BodyHandler<T> handler)
      throws IOException {
    boolean reusable = false;
    try {
      Answer<T> answer = connection.exchange(server, call, handler);
      reusable = connection.isReusable() && giveBack(server, connection);
      return answer;
    } finally {
      if (!reusable) {
        connection.close();
      }
    }
  }

  private synchronized @Nullable HttpConnection take(HostAddress server) {
    Deque<Idle> known = idle.get(server);
    Idle newest = known == null ? null : known.pollLast();
    if (newest == null || known == null) {
      return null;
    }
    if (System.nanoTime() - newest.since() < LONGEST_IDLE.toNanos()) {
      return newest.connection();
    }
    newest.connection().close();
    known.forEach(older -> older.connection().close());
    known.clear();
    return null;
  }

  private synchronized boolean giveBack(HostAddress server, HttpConnection connection) {
    if (closed) {
      return false;
    }
    idle.computeIfAbsent(server, s -> new ArrayDeque<>())
        .addLast(new Idle(connection, System.nanoTime()));
    return true;
  }

  @Override
  public synchronized void close() {
    closed = true;
    idle.values().forEach(all -> all.forEach(one -> one.connection().close()));
    idle.clear();
  }

  private HttpConnection connect(HostAddress server, OpenSocket open) throws IOException {
    Optional<ProxyServer> proxy = proxies.select(server);
    Socket socket = socketTo(server, proxy, open);
    boolean usable = false;
    try {
      socket.setTcpNoDelay(true);
      boolean byHttpProxy = proxy.isPresent() && !proxy.get().socks();
      String authorization = byHttpProxy ? proxy.get().authorization() : "";
      if (byHttpProxy && server.secure()) {
        HttpConnection.openTunnel(socket, server, proxy.get());
      }
      HttpConnection made =
          server.secure()
              ? new HttpConnection(socket, secured(socket, server), false, "")
              : new HttpConnection(socket, socket, byHttpProxy, authorization);
      usable = true;
      return made;
    } finally {
      if (!usable) {
        socket.close();
      }
    }
  }

  private Socket socketTo(HostAddress server, Optional<ProxyServer> proxy, OpenSocket open)
      throws IOException {
    if (proxy.isPresent() && proxy.get().socks()) {
      Proxy socks =
          new Proxy(Proxy.Type.SOCKS, addresses(proxy.get().name(), proxy.get().port())[0]);
      return connected(
          new Socket(socks),
          InetSocketAddress.createUnresolved(server.name(), server.port()),
          open);
    }
    InetSocketAddress[] all =
        proxy.isPresent()
            ? addresses(proxy.get().name(), proxy.get().port())
            : addresses(server.name(), server.port());
    for (int i = 0; ; i++) {
      try {
        return connected(new Socket(Proxy.NO_PROXY), all[i], open);
      } catch (IOException failed) {
        if (i == all.length - 1) {
          throw failed;
        }
      }
    }
  }

  private Socket connected(Socket socket, InetSocketAddress address, OpenSocket open)
      throws IOException {
    open.use(socket);
    try {
      socket.connect(address, (int) connectTimeout.toMillis());
      return socket;
    } catch (IOException failed) {
      socket.close();
      throw asConnectException(address.getHostString() + ":" + address.getPort(), failed);
    }
  }

  private static InetSocketAddress[] addresses(String host, int port) throws IOException {
    try {
      InetAddress[] found = InetAddress.getAllByName(host);
      InetSocketAddress[] all = new InetSocketAddress[found.length];
      for (int i = 0; i < found.length; i++) {
        all[i] = new InetSocketAddress(found[i], port);
      }
      return all;
    } catch (UnknownHostException unknown) {
      throw asConnectException(host, unknown);
    }
  }

  /** So that the failure is not taken for one of an open connection. */
  private static ConnectException asConnectException(String to, IOException cause) {
    ConnectException failure = new ConnectException("no connection to %s: %s".formatted(to, cause));
    failure.initCause(cause);
    return failure;
  }

  private SSLSocket secured(Socket socket, HostAddress server) throws IOException {
    SSLSocket secured =
        (SSLSocket) tls.getSocketFactory().createSocket(socket, server.name(), server.port(), true);
    SSLParameters parameters = secured.getSSLParameters();
    // The JDK checks no name with an underscore, and sends none in the handshake (SNI): servers on
    // the JDK refuse such a handshake.
    boolean isCheckedHere = server.host().indexOf('_') >= 0;
    if (!isCheckedHere) {
      parameters.setEndpointIdentificationAlgorithm("HTTPS");
    }
    secured.setSSLParameters(parameters);
    secured.startHandshake();
    if (isCheckedHere) {
      Certificate[] chain = secured.getSession().getPeerCertificates();
      if (!(chain[0] instanceof X509Certificate own)
          || !CertificateNames.contain(own, server.host())) {
        throw new SSLHandshakeException(
            "The certificate of the server has no subject alternative name " + server.host());
      }
    }
    return secured;
  }

  /** The socket of a running exchange, which another thread can close. */
  private static final class OpenSocket {
    private @Nullable Socket socket;
    private boolean aborted;

    synchronized void use(Socket next) throws IOException {
      if (aborted) {
        next.close();
        throw new IOException("the request was cancelled");
      }
      socket = next;
    }

    synchronized void abort() {
      aborted = true;
      Socket used = socket;
      if (used != null) {
        HttpConnection.closeQuietly(used);
      }
    }
  }
}
