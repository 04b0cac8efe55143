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

/** A server on loopback that comes and goes. */
final class Servers implements AutoCloseable {
  private static final Pattern SEQ = Pattern.compile("\"seq\":(\\d+)");

  private final String name;
  private final Set<Integer> arrived = new HashSet<>();
  private final int port;
  private volatile CountDownLatch hanging = new CountDownLatch(0);
  private HttpServer server;
  private Path file;

  Servers(String name) throws IOException {
    this.name = name;
    listen(0);
    port = server.getAddress().getPort();
  }

  static Servers ofFile(Path file) throws IOException {
    Servers server = new Servers("downloads");
    server.file = file;
    return server;
  }

  String url() {
    return "http://127.0.0.1:" + port;
  }

  Set<Integer> arrived() {
    synchronized (arrived) {
      return Set.copyOf(arrived);
    }
  }

  void up() throws IOException {
    hanging.countDown();
    if (server == null) {
      listen(port);
    }
  }

  void down() {
    hanging.countDown();
    if (server != null) {
      server.stop(0);
      server = null;
    }
  }

  void hang() {
    hanging = new CountDownLatch(1);
  }

  private void listen(int wanted) throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), wanted), 0);
    server.setExecutor(
        Executors.newCachedThreadPool(
            work -> {
              Thread thread = new Thread(work, name);
              thread.setDaemon(true);
              return thread;
            }));
    server.createContext("/", this::answer);
    server.start();
  }

  private void answer(HttpExchange exchange) throws IOException {
    byte[] body = exchange.getRequestBody().readAllBytes();
    try {
      hanging.await();
    } catch (InterruptedException ending) {
      return;
    }
    String path = exchange.getRequestURI().getPath();
    if (path.endsWith(".sha256")) {
      exchange.sendResponseHeaders(404, -1);
    } else if (file != null) {
      exchange.sendResponseHeaders(200, Files.size(file));
      Files.copy(file, exchange.getResponseBody());
    } else {
      note(path, body);
      exchange.sendResponseHeaders(200, -1);
    }
    exchange.close();
  }

  private void note(String path, byte[] body) throws IOException {
    String text = new String(body, StandardCharsets.UTF_8);
    if (path.equals("/upload")) {
      try (InputStream in = new GZIPInputStream(new java.io.ByteArrayInputStream(body))) {
        text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      }
    }
    Matcher seqs = SEQ.matcher(text);
    synchronized (arrived) {
      while (seqs.find()) {
        if (arrived.add(Integer.parseInt(seqs.group(1)))) {
          Example.say("        " + name + " has record " + seqs.group(1));
        }
      }
    }
  }

  @Override
  public void close() {
    down();
  }
}
