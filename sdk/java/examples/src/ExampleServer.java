import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;

/** A server on loopback that can be stopped, started and made to hang. */
final class ExampleServer implements AutoCloseable {
  private static final Pattern SEQ = Pattern.compile("\"seq\":(\\d+)");

  private final String name;
  private final Set<Integer> received = new HashSet<>();
  private final int port;
  private volatile CountDownLatch hanging = new CountDownLatch(0);
  private HttpServer server;
  private Path file;

  ExampleServer(String name) throws IOException {
    this.name = name;
    listen(0);
    port = server.getAddress().getPort();
  }

  static ExampleServer ofFile(Path file) throws IOException {
    ExampleServer server = new ExampleServer("downloads");
    server.file = file;
    return server;
  }

  String url() {
    return "http://127.0.0.1:" + port;
  }

  Set<Integer> received() {
    synchronized (received) {
      return Set.copyOf(received);
    }
  }

  void start() throws IOException {
    hanging.countDown();
    if (server == null) {
      listen(port);
    }
  }

  void stop() {
    hanging.countDown();
    if (server != null) {
      server.stop(0);
      server = null;
    }
  }

  void hang() {
    hanging = new CountDownLatch(1);
  }

  private void listen(int requestedPort) throws IOException {
    server =
        HttpServer.create(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), requestedPort), 0);
    server.setExecutor(
        Executors.newCachedThreadPool(work -> {
          Thread thread = new Thread(work, name);
          thread.setDaemon(true);
          return thread;
        }));
    server.createContext("/", this::handle);
    server.start();
  }

  private void handle(HttpExchange exchange) throws IOException {
    byte[] body = exchange.getRequestBody().readAllBytes();
    try {
      hanging.await();
    } catch (InterruptedException stopping) {
      return;
    }
    String path = exchange.getRequestURI().getPath();
    if (path.endsWith(".sha256")) {
      exchange.sendResponseHeaders(404, -1);
    } else if (file != null) {
      exchange.sendResponseHeaders(200, Files.size(file));
      Files.copy(file, exchange.getResponseBody());
    } else {
      readRecords(path, body);
      exchange.sendResponseHeaders(200, -1);
    }
    exchange.close();
  }

  private void readRecords(String path, byte[] body) throws IOException {
    String text = new String(body, StandardCharsets.UTF_8);
    if (path.equals("/upload")) {
      try (InputStream in = new GZIPInputStream(new java.io.ByteArrayInputStream(body))) {
        text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      }
    }
    Matcher seqs = SEQ.matcher(text);
    synchronized (received) {
      while (seqs.find()) {
        if (received.add(Integer.parseInt(seqs.group(1)))) {
          Example.print("        " + name + " has record " + seqs.group(1));
        }
      }
    }
  }

  @Override
  public void close() {
    stop();
  }
}
