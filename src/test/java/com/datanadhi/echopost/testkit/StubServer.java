package com.datanadhi.echopost.testkit;

import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
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

/// A stub main server on loopback: real HTTP/1.1 over real sockets, which records what it gets and
/// can be told to be down, slow, hanging or hostile. It keeps its port while it is down.
/// Thread-safe.
///
/// Run by itself it takes its orders from standard input; see [#main].
public final class StubServer implements AutoCloseable {
  /// A request as it came.
  ///
  /// @param headers by lower-case name
  @SuppressWarnings("ArrayRecordComponent")
  public record Request(String method, String path, Map<String, String> headers, byte[] body) {
    /// The idempotency key without its quotes.
    public String key() {
      String value = headers.getOrDefault("idempotency-key", "");
      return value.length() < 2 ? value : value.substring(1, value.length() - 1);
    }

    /// The body as text.
    public String text() {
      return new String(body, StandardCharsets.UTF_8);
    }
  }

  /// What the server does with one request.
  public interface Behaviour {
    /// Answers on `out`, or does not.
    ///
    /// @return whether the connection is kept
    boolean answer(Request request, OutputStream out) throws IOException;

    /// Answers with `status` and these header lines.
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

    /// Sends `bytes` as they are and hangs up.
    static Behaviour raw(String bytes) {
      return (request, out) -> {
        out.write(bytes.getBytes(StandardCharsets.ISO_8859_1));
        out.flush();
        return false;
      };
    }

    /// Hangs up without an answer.
    static Behaviour hangUp() {
      return (request, out) -> false;
    }

    /// Never answers.
    static Behaviour hang() {
      return (request, out) -> {
        pause(3_600_000);
        return false;
      };
    }

    /// Waits, then does as `then`.
    static Behaviour slow(long millis, Behaviour then) {
      return (request, out) -> {
        pause(millis);
        return then.answer(request, out);
      };
    }
  }

  /// 200 with no body.
  public static final Behaviour OK = Behaviour.status(200, "");

  private static final long PATIENCE_NANOS = 10_000_000_000L;

  private final Set<Socket> sockets = new CopyOnWriteArraySet<>();
  private final List<Request> deliveries = new ArrayList<>();
  private final Set<String> keys = ConcurrentHashMap.newKeySet();
  private final ServerSocketFactory factory;
  private final boolean secure;

  /// Bound for good and never listening: while the server is down its port refuses, and is nobody
  /// else's.
  private final SocketChannel reservation;

  private final int port;
  private volatile Behaviour onProbe = OK;
  private volatile Behaviour onDelivery = OK;
  private volatile boolean keeping = true;
  private final AtomicInteger probes = new AtomicInteger();
  private final AtomicInteger connections = new AtomicInteger();
  private volatile int accepted;
  private ServerSocket listener;
  private Thread accepting = new Thread();

  private StubServer(int port, ServerSocketFactory factory) throws IOException {
    this.factory = factory;
    this.secure = factory instanceof SSLServerSocketFactory;
    this.reservation =
        SocketChannel.open()
            .setOption(StandardSocketOptions.SO_REUSEADDR, true)
            .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    this.port = reservation.socket().getLocalPort();
    this.listener = listen();
  }

  /// A server that is up, on a free port.
  public static StubServer up() throws IOException {
    StubServer server = new StubServer(0, ServerSocketFactory.getDefault());
    server.serve();
    return server;
  }

  /// A server that is up and speaks TLS.
  public static StubServer up(SSLServerSocketFactory tls) throws IOException {
    StubServer server = new StubServer(0, tls);
    server.serve();
    return server;
  }

  /// A server that is down: its port is its own, and refuses.
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
        // A process that is just being started holds our descriptors for a moment, that of the
        // listener which was closed too.
        socket.close();
        if (System.nanoTime() - start > PATIENCE_NANOS) {
          throw busy;
        }
        pause(10);
      }
    }
  }

  /// Where it is.
  public String url() {
    return (secure ? "https://localhost:" : "http://127.0.0.1:") + port;
  }

  /// Its port.
  public int port() {
    return port;
  }

  /// Closes the port and every connection.
  public synchronized void goDown() throws IOException {
    listener.close();
    try {
      // Until its accept has returned, the port is not free.
      accepting.join();
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

  /// What probes get.
  public void onProbe(Behaviour behaviour) {
    onProbe = behaviour;
  }

  /// What deliveries get. They are recorded whatever it is.
  public void onDelivery(Behaviour behaviour) {
    onDelivery = behaviour;
  }

  /// Whether deliveries are kept in memory (they are), or only counted.
  public void keep(boolean keep) {
    keeping = keep;
  }

  /// How many probes came.
  public int probes() {
    return probes.get();
  }

  /// How many connections were accepted.
  public int connections() {
    return connections.get();
  }

  /// How many deliveries came.
  public int count() {
    return accepted;
  }

  /// How many different idempotency keys came.
  public int distinct() {
    return keys.size();
  }

  /// Every delivery so far, repeats included, as it came.
  public List<Request> deliveries() {
    synchronized (deliveries) {
      return List.copyOf(deliveries);
    }
  }

  /// Deliveries without their repeats, in the order of the first of each key.
  public List<Request> distinctDeliveries() {
    Map<String, Request> first = new LinkedHashMap<>();
    for (Request request : deliveries()) {
      first.putIfAbsent(request.key(), request);
    }
    return List.copyOf(first.values());
  }

  private void serve() {
    ServerSocket mine = listener;
    accepting =
        Thread.ofVirtual()
            .start(() -> {
              while (!mine.isClosed()) {
                try {
                  Socket socket = mine.accept();
                  socket.setTcpNoDelay(true);
                  sockets.add(socket);
                  connections.incrementAndGet();
                  Thread.ofVirtual().start(() -> converse(socket));
                } catch (IOException closed) {
                  return;
                }
              }
            });
  }

  private void converse(Socket socket) {
    try (socket) {
      InputStream in = new BufferedInputStream(socket.getInputStream(), 1 << 16);
      OutputStream out = socket.getOutputStream();
      boolean kept = true;
      while (kept) {
        Request request = read(in);
        if (request == null) {
          return;
        }
        kept = request.method().equals("GET") ? probe(request, out) : delivery(request, out);
      }
    } catch (IOException gone) {
      // The client went away, or the server was told to.
    } finally {
      sockets.remove(socket);
    }
  }

  private boolean probe(Request request, OutputStream out) throws IOException {
    probes.incrementAndGet();
    return onProbe.answer(request, out) && !"close".equals(request.headers().get("connection"));
  }

  private boolean delivery(Request request, OutputStream out) throws IOException {
    synchronized (deliveries) {
      accepted++;
      keys.add(request.key());
      if (keeping) {
        deliveries.add(request);
      }
    }
    return onDelivery.answer(request, out);
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
    return body.length < length ? null : new Request(parts[0], parts[1], headers, body);
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

  /// `StubServer [PORT]`: a server that starts up, and does what it reads: `up`, `down`, `slow
  /// MILLIS`, `hang`, `hostile` (hangs up in the middle of its answers), `status N`, `stats`,
  /// `quit`.
  public static void main(String[] args) throws IOException {
    StubServer server =
        new StubServer(
            args.length == 0 ? 0 : Integer.parseInt(args[0]), ServerSocketFactory.getDefault());
    server.serve();
    server.keep(false);
    System.out.println("listening on " + server.url());
    BufferedReader orders =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String order = orders.readLine(); order != null; order = orders.readLine()) {
      String[] words = order.strip().split(" ", 2);
      switch (words[0]) {
        case "up" -> {
          server.onDelivery(OK);
          server.comeUp();
        }
        case "down" -> server.goDown();
        case "slow" -> server.onDelivery(Behaviour.slow(Long.parseLong(words[1]), OK));
        case "hang" -> server.onDelivery(Behaviour.hang());
        case "hostile" -> server.onDelivery(Behaviour.raw("HTTP/1.1 2"));
        case "status" -> server.onDelivery(Behaviour.status(Integer.parseInt(words[1]), ""));
        case "stats" -> {}
        case "quit" -> {
          server.close();
          return;
        }
        default -> System.out.println("unknown order: " + order);
      }
      System.out.println(
          "deliveries "
              + server.count()
              + ", distinct "
              + server.distinct()
              + ", probes "
              + server.probes());
    }
  }
}
