package com.datanadhi.hub.http;

import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.tls.TlsException;
import com.datanadhi.hub.tls.TlsFiles;
import com.datanadhi.hub.tls.TlsSettings;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.eclipse.jetty.http.HttpCompliance;
import org.eclipse.jetty.http.HttpVersion;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.SecureRequestCustomizer;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.SslConnectionFactory;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.jspecify.annotations.Nullable;

/// The HTTP door: parses envelopes, authenticates, bounds what comes in, and answers. It decides
/// nothing about records. HTTP/1.1 on one address, with or without TLS; each request runs on a
/// virtual thread. Thread-safe.
///
/// It ends in two steps: [#stopAccepting], from which on requests are answered 503, then [#close].
public final class HttpDoor implements AutoCloseable {
  private static final int BACKLOG = 4_096;
  private static final int SELECTORS = 2;
  private static final int PLATFORM_THREADS = 16;
  private static final Duration TURN = Duration.ofMillis(250);

  // Jetty tells at INFO what the hub's own events say. The logging system keeps a level only as
  // long as somebody holds the logger.
  private static final Logger JETTY = Logger.getLogger("org.eclipse.jetty");
  // Its parser warns of requests that are refused: a hostile sender would fill the log.
  private static final Logger PARSER = Logger.getLogger("org.eclipse.jetty.http");

  // Any name without NUL can stand in a path, percent-encoded, also the empty one: routes are
  // matched before segments are decoded, and no segment becomes the name of a file.
  private static final UriCompliance PATHS =
      UriCompliance.RFC3986.with(
          "hub",
          UriCompliance.Violation.AMBIGUOUS_EMPTY_SEGMENT,
          UriCompliance.Violation.AMBIGUOUS_PATH_SEGMENT,
          UriCompliance.Violation.AMBIGUOUS_PATH_SEPARATOR,
          UriCompliance.Violation.AMBIGUOUS_PATH_ENCODING,
          UriCompliance.Violation.SUSPICIOUS_PATH_CHARACTERS);

  private final DoorSettings settings;
  private final Server server;
  private final Connections connections;
  private final HttpConfiguration configuration = new HttpConfiguration();
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("http-timer").factory());
  private final AtomicBoolean closed = new AtomicBoolean();
  private volatile boolean stopping;
  private @Nullable ServerConnector connector;

  public HttpDoor(DoorSettings settings, Services services) {
    JETTY.setLevel(Level.WARNING);
    PARSER.setLevel(Level.SEVERE);
    this.settings = settings;
    this.connections = new Connections(settings, Clock.system());
    QueuedThreadPool threads = new QueuedThreadPool(PLATFORM_THREADS, SELECTORS + 2);
    threads.setName("http");
    threads.setVirtualThreadsExecutor(
        Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("http-", 0).factory()));
    this.server = new Server(threads);
    configuration.setSendServerVersion(false);
    configuration.setRequestHeaderSize(Limits.HEAD);
    // What two programs can read in two ways is refused; that is how requests are smuggled.
    configuration.setHttpCompliance(HttpCompliance.STRICT);
    configuration.setUriCompliance(PATHS);
    // The customizer that Jetty adds by itself refuses names that are not in the certificate, and
    // so all senders that use an address. Whether it is the right server is for them to judge.
    configuration.addCustomizer(new SecureRequestCustomizer(false));
    configuration.setIdleTimeout(settings.idle().toMillis());
    server.setHandler(
        new Dispatcher(new Routes(settings), services, settings, connections, () -> stopping));
    server.setErrorHandler(new ErrorAnswer());
    server.setStopTimeout(0);
  }

  /// Binds the address and begins to serve.
  ///
  /// @param address port 0 takes a free one
  /// @param tls null for plain HTTP
  /// @throws IOException the address cannot be bound
  /// @throws TlsException certificate or key cannot be used
  public void start(InetSocketAddress address, @Nullable TlsSettings tls) throws IOException {
    HttpConnectionFactory http = new HttpConnectionFactory(configuration);
    ServerConnector bound;
    if (tls == null) {
      bound = new ServerConnector(server, 1, SELECTORS, http);
    } else {
      bound =
          new ServerConnector(
              server,
              1,
              SELECTORS,
              new SslConnectionFactory(secure(tls), HttpVersion.HTTP_1_1.asString()),
              http);
    }
    bound.setHost(address.getHostString());
    bound.setPort(address.getPort());
    bound.setAcceptQueueSize(BACKLOG);
    bound.setIdleTimeout(settings.idle().toMillis());
    bound.addBean(connections);
    server.addConnector(bound);
    connector = bound;
    try {
      server.start();
    } catch (IOException e) {
      throw e;
    } catch (Exception e) {
      throw new IOException("The HTTP server does not start: " + e.getMessage(), e);
    }
    every(TURN, connections::turn);
  }

  private SslContextFactory.Server secure(TlsSettings tls) throws TlsException {
    SslContextFactory.Server ssl = new SslContextFactory.Server();
    ssl.setKeyStorePassword("");
    ssl.setRenegotiationAllowed(false);
    TlsFiles files = new TlsFiles(tls, "http", (chain, key) -> use(ssl, chain, key));
    every(settings.tlsCheck(), files::turn);
    return ssl;
  }

  /// Open connections go on with what they have.
  private static void use(SslContextFactory.Server ssl, X509Certificate[] chain, PrivateKey key)
      throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    store.setKeyEntry("hub", key, new char[0], chain);
    if (ssl.isStarted()) {
      ssl.reload(factory -> ((SslContextFactory.Server) factory).setKeyStore(store));
    } else {
      ssl.setKeyStore(store);
    }
  }

  private void every(Duration pause, Runnable turn) {
    Runnable guarded =
        () -> {
          try {
            turn.run();
          } catch (RuntimeException e) {
            // A timer does not call again what has thrown.
            Events.severe("http_timer_failed", e);
          }
        };
    ScheduledFuture<?> _ =
        timer.scheduleWithFixedDelay(
            guarded, pause.toMillis(), pause.toMillis(), TimeUnit.MILLISECONDS);
  }

  /// The port that is bound.
  public int port() {
    ServerConnector bound = connector;
    return bound == null ? -1 : bound.getLocalPort();
  }

  /// Connections that are open.
  public int connections() {
    return connections.size();
  }

  /// Answers new requests 503 from now on, but for those that only ask how the process is. Readers
  /// that follow get the end of their answer. Returns at once.
  public void stopAccepting() {
    stopping = true;
  }

  /// Waits for requests in progress within the grace of the settings, and closes everything. A
  /// second call returns at once.
  @Override
  public void close() throws IOException, InterruptedException {
    stopAccepting();
    if (closed.getAndSet(true)) {
      return;
    }
    ServerConnector bound = connector;
    if (bound != null) {
      bound.close();
    }
    connections.awaitNoRequests(settings.stopGrace().toNanos());
    timer.shutdownNow();
    try {
      server.stop();
    } catch (InterruptedException e) {
      throw e;
    } catch (Exception e) {
      throw new IOException("The HTTP server does not stop: " + e.getMessage(), e);
    }
  }
}
