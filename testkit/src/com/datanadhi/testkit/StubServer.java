package com.datanadhi.testkit;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArraySet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import javax.net.ServerSocketFactory;
import javax.net.ssl.SSLServerSocketFactory;
import org.jspecify.annotations.Nullable;

/// A stub main server on loopback: HTTP/1.1 over real sockets. It records requests, and can be
/// down, slow or hanging, send malformed responses, and offer batches. It keeps its port while it
/// is down. Thread-safe.
public final class StubServer implements AutoCloseable {
  /// A received request, or a record of a batch.
  ///
  /// @param headers by lower-case name
  /// @param key the idempotency key without its quotes
  /// @param body without its content coding
  @SuppressWarnings("ArrayRecordComponent")
  public record Request(
      String method, String path, Map<String, String> headers, String key, byte[] body) {
    /// A request with its key in its headers.
    public Request(String method, String path, Map<String, String> headers, byte[] body) {
      this(method, path, headers, unquoted(headers.getOrDefault("idempotency-key", "")), body);
    }

    private static String unquoted(String value) {
      return value.length() < 2 ? value : value.substring(1, value.length() - 1);
    }

    /// The body as text.
    public String text() {
      return new String(body, StandardCharsets.UTF_8);
    }
  }

  /// How the server responds to a request.
  public interface Behaviour {
    /// Writes a response to `out`, or none.
    ///
    /// @return whether the connection stays open
    boolean respond(Request request, OutputStream out) throws IOException;

    /// Responds with `status` and these header lines.
    static Behaviour status(int status, String body, String... headers) {
      StringBuilder head = new StringBuilder("HTTP/1.1 " + status + " Stub\r\n");
      for (String header : headers) {
        head.append(header).append("\r\n");
      }
      byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
      head.append("Content-Length: ").append(bytes.length).append("\r\n\r\n");
      byte[] start = head.toString().getBytes(StandardCharsets.ISO_8859_1);
      return (request, out) -> {
        byte[] whole = java.util.Arrays.copyOf(start, start.length + bytes.length);
        System.arraycopy(bytes, 0, whole, start.length, bytes.length);
        out.write(whole);
        out.flush();
        return true;
      };
    }

    /// Sends `bytes` unchanged and closes the connection.
    static Behaviour raw(String bytes) {
      return (request, out) -> {
        out.write(bytes.getBytes(StandardCharsets.ISO_8859_1));
        out.flush();
        return false;
      };
    }

    /// Closes the connection without a response.
    static Behaviour hangUp() {
      return (request, out) -> false;
    }

    /// Never responds.
    static Behaviour hang() {
      return (request, out) -> {
        pause(3_600_000);
        return false;
      };
    }

    /// Waits, then responds as `then` does.
    static Behaviour slow(long millis, Behaviour then) {
      return (request, out) -> {
        pause(millis);
        return then.respond(request, out);
      };
    }
  }

  /// What the server offers in its 2xx responses.
  public enum Offer {
    /// One record a request.
    NONE,
    /// What the behaviours offer: they get a batch as the one request that it is.
    BY_TEST,
    /// Batches.
    BATCHES,
    /// Batches, packed with gzip or not.
    GZIP_BATCHES
  }

  /// 200 without a body.
  public static final Behaviour OK = Behaviour.status(200, "");

  private static final Duration BIND_TIME_LIMIT = Duration.ofSeconds(10);

  private final Set<Socket> sockets = new CopyOnWriteArraySet<>();
  private final List<Request> deliveries = new ArrayList<>();
  private final Set<String> keys = ConcurrentHashMap.newKeySet();
  private final ServerSocketFactory factory;
  private final boolean secure;

  /// Bound until the server is closed, and never listening: while the server is down, its port
  /// refuses connections and no other process can bind it.
  private final SocketChannel reservation;

  private final int port;
  private volatile Behaviour onProbe = OK;
  private volatile Behaviour onDelivery = OK;
  private volatile StubBatches.BatchBehaviour onBatch = StubBatches.STORED;
  private volatile Offer offer = Offer.NONE;
  private volatile boolean keeping = true;
  private final AtomicInteger probes = new AtomicInteger();
  private final AtomicInteger batches = new AtomicInteger();
  private final AtomicInteger connections = new AtomicInteger();
  private volatile int accepted;
  private ServerSocket listener;
  private Thread acceptor = new Thread();

  private StubServer(ServerSocketFactory factory) throws IOException {
    this.factory = factory;
    this.secure = factory instanceof SSLServerSocketFactory;
    this.reservation =
        SocketChannel.open()
            .setOption(StandardSocketOptions.SO_REUSEADDR, true)
            .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    this.port = reservation.socket().getLocalPort();
    this.listener = listen();
  }

  /// A server that is up, on a free port.
  public static StubServer up() throws IOException {
    return up(ServerSocketFactory.getDefault());
  }

  /// A server that is up, on sockets of the factory, with TLS if it is an [SSLServerSocketFactory].
  public static StubServer up(ServerSocketFactory factory) throws IOException {
    StubServer server = new StubServer(factory);
    server.serve();
    return server;
  }

  /// A server that is down: its port refuses connections.
  public static StubServer down() throws IOException {
    StubServer server = up();
    server.goDown();
    return server;
  }

  private ServerSocket listen() throws IOException {
    long start = System.nanoTime();
    while (true) {
      ServerSocket socket = factory.createServerSocket();
      socket.setReuseAddress(true);
      try {
        socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 512);
        return socket;
      } catch (BindException busy) {
        // A process that is being started briefly holds a copy of all our descriptors, including
        // that of the closed listener.
        socket.close();
        if (System.nanoTime() - start > BIND_TIME_LIMIT.toNanos()) {
          throw busy;
        }
        pause(10);
      }
    }
  }

  /// The URL of the server.
  public String url() {
    return (secure ? "https://localhost:" : "http://127.0.0.1:") + port;
  }

  /// The port of the server.
  public int port() {
    return port;
  }

  /// Closes the port and every connection.
  public synchronized void goDown() throws IOException {
    listener.close();
    try {
      // The port is not free before accept has returned.
      acceptor.join();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
    for (Socket socket : sockets) {
      socket.close();
    }
  }

  /// Opens the port again.
  public synchronized void comeUp() throws IOException {
    if (listener.isClosed()) {
      listener = listen();
      serve();
    }
  }

  /// Sets the response to probes.
  public void onProbe(Behaviour behaviour) {
    onProbe = behaviour;
  }

  /// Sets the response to deliveries. They are recorded before the response, whatever it is.
  public void onDelivery(Behaviour behaviour) {
    onDelivery = behaviour;
  }

  /// Sets what the server offers from now on. It refuses batches with 415 while it offers none.
  public void offer(Offer next) {
    offer = next;
  }

  /// Sets the response to batches. Their records are recorded as deliveries before the response,
  /// whatever it is.
  public void onBatch(StubBatches.BatchBehaviour behaviour) {
    onBatch = behaviour;
  }

  /// Whether deliveries are kept in memory, which is the default, or only counted.
  public void keep(boolean keep) {
    keeping = keep;
  }

  /// The number of probes so far.
  public int probes() {
    return probes.get();
  }

  /// The number of accepted connections so far.
  public int connections() {
    return connections.get();
  }

  /// The number of batches so far.
  public int batches() {
    return batches.get();
  }

  /// The number of deliveries so far; each record of a batch is one.
  public int count() {
    return accepted;
  }

  /// The number of different idempotency keys so far.
  public int distinct() {
    return keys.size();
  }

  /// All deliveries so far in the order of arrival, including repeats.
  public List<Request> deliveries() {
    synchronized (deliveries) {
      return List.copyOf(deliveries);
    }
  }

  /// The first delivery of each key, in the order of arrival.
  public List<Request> distinctDeliveries() {
    Map<String, Request> first = new LinkedHashMap<>();
    for (Request request : deliveries()) {
      first.putIfAbsent(request.key(), request);
    }
    return List.copyOf(first.values());
  }

  private void serve() {
    ServerSocket current = listener;
    acceptor =
        start(() -> {
          while (!current.isClosed()) {
            try {
              Socket socket = current.accept();
              socket.setTcpNoDelay(true);
              sockets.add(socket);
              connections.incrementAndGet();
              start(() -> serve(socket));
            } catch (IOException closed) {
              return;
            }
          }
        });
  }

  private static Thread start(Runnable task) {
    Thread thread = new Thread(task, "stub-server");
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  private void serve(Socket socket) {
    try (socket) {
      InputStream in = new BufferedInputStream(socket.getInputStream(), 1 << 16);
      boolean open = true;
      while (open) {
        Request request = read(in);
        if (request == null) {
          return;
        }
        OutputStream out =
            offer == Offer.NONE || offer == Offer.BY_TEST
                ? socket.getOutputStream()
                : new StubBatches.OfferingOutput(
                    socket.getOutputStream(), offer == Offer.GZIP_BATCHES);
        open =
            request.method().equals("GET")
                ? respondToProbe(request, out)
                : respondToDelivery(request, out);
      }
    } catch (IOException gone) {
      // The client or goDown closed the connection.
    } finally {
      sockets.remove(socket);
    }
  }

  private boolean respondToProbe(Request request, OutputStream out) throws IOException {
    probes.incrementAndGet();
    return onProbe.respond(request, out) && !"close".equals(request.headers().get("connection"));
  }

  private boolean respondToDelivery(Request request, OutputStream out) throws IOException {
    if (offer == Offer.BY_TEST || !StubBatches.isBatch(request)) {
      record(List.of(request));
      return onDelivery.respond(request, out);
    }
    if (offer == Offer.NONE) {
      return Behaviour.status(415, "no batches").respond(request, out);
    }
    batches.incrementAndGet();
    List<Request> records = StubBatches.records(request);
    record(records);
    return onBatch.respond(records, out);
  }

  private void record(List<Request> requests) {
    synchronized (deliveries) {
      accepted += requests.size();
      for (Request request : requests) {
        keys.add(request.key());
      }
      if (keeping) {
        deliveries.addAll(requests);
      }
    }
  }

  private static @Nullable Request read(InputStream in) throws IOException {
    String start = line(in);
    if (start.isEmpty()) {
      return null;
    }
    String[] parts = start.split(" ", 3);
    Map<String, String> headers = new LinkedHashMap<>();
    for (String line = line(in); !line.isEmpty(); line = line(in)) {
      int colon = line.indexOf(':');
      headers.put(
          line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).strip());
    }
    int length = Integer.parseInt(headers.getOrDefault("content-length", "0"));
    byte[] body = in.readNBytes(length);
    return body.length < length
        ? null
        : new Request(parts[0], parts[1], headers, StubBatches.decoded(headers, body));
  }

  private static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder(64);
    for (int c = in.read(); c != '\n' && c >= 0; c = in.read()) {
      if (c != '\r') {
        line.append((char) c);
      }
    }
    return line.toString();
  }

  private static void pause(long millis) {
    LockSupport.parkNanos(millis * 1_000_000);
  }

  @Override
  public void close() throws IOException {
    goDown();
    reservation.close();
  }
}
