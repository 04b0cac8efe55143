package com.datanadhi.sdk.testkit;

import com.datanadhi.testkit.PackagedProgram;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.LockSupport;
import javax.net.ssl.SSLContext;

/** Serves downloads on loopback. */
public final class FileServer implements AutoCloseable {
  private static final int PART = 1 << 20;

  private record Page(int status, byte[] body, String location, boolean stalls) {}

  private final Map<String, Page> pages = new ConcurrentHashMap<>();
  private final List<String> asked = new CopyOnWriteArrayList<>();
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final CountDownLatch closed = new CountDownLatch(1);
  private final HttpServer server;
  private volatile long pauseMillis;

  /** Has nothing yet: 404. */
  public FileServer() throws IOException {
    this(HttpServer.create());
  }

  /** With TLS. */
  public FileServer(SSLContext tls) throws IOException {
    this(secured(HttpsServer.create(), tls));
  }

  private static HttpsServer secured(HttpsServer made, SSLContext tls) {
    made.setHttpsConfigurator(new HttpsConfigurator(tls));
    return made;
  }

  private FileServer(HttpServer made) throws IOException {
    server = made;
    server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 100);
    server.setExecutor(threads);
    server.createContext("/", this::handle);
    server.start();
  }

  /** Has EchoPost for this machine. */
  public static FileServer withProgram() throws IOException {
    return new FileServer().has(programPath(), 200, Files.readAllBytes(PackagedProgram.path()));
  }

  /** Where EchoPost for this machine is to be had. */
  public static String programPath() {
    String os = System.getProperty("os.name").equals("Linux") ? "linux" : "darwin";
    String arch = System.getProperty("os.arch").equals("amd64") ? "amd64" : "arm64";
    return "/%s/%s/echopost-latest".formatted(os, arch);
  }

  /** Its URL. */
  public String url() {
    String scheme = server instanceof HttpsServer ? "https" : "http";
    return scheme + "://127.0.0.1:" + server.getAddress().getPort();
  }

  /** Answers {@code path} so. */
  public FileServer has(String path, int status, byte[] body) {
    pages.put(path, new Page(status, body, "", false));
    return this;
  }

  /** Rests after each mebibyte from now on. */
  public void isSlow(long newPauseMillis) {
    pauseMillis = newPauseMillis;
  }

  /** Sends those who ask for {@code path} elsewhere. */
  public void redirects(String path, String location) {
    pages.put(path, new Page(302, new byte[0], location, false));
  }

  /** Begins to send, and goes on no more. */
  public void stalls(String path) {
    pages.put(path, new Page(200, new byte[] {'#'}, "", true));
  }

  /** The paths that were asked for. */
  public List<String> asked() {
    return asked;
  }

  private void handle(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    asked.add(path);
    Page page = pages.getOrDefault(path, new Page(404, new byte[0], "", false));
    if (!page.location.isEmpty()) {
      exchange.getResponseHeaders().set("Location", page.location);
    }
    exchange.sendResponseHeaders(
        page.status, page.stalls ? 1000 : page.body.length == 0 ? -1 : page.body.length);
    for (int from = 0; from < page.body.length; from += PART) {
      exchange.getResponseBody().write(page.body, from, Math.min(PART, page.body.length - from));
      LockSupport.parkNanos(pauseMillis * 1_000_000);
    }
    if (page.stalls) {
      exchange.getResponseBody().flush();
      try {
        closed.await();
      } catch (InterruptedException ending) {
        return;
      }
    }
    exchange.close();
  }

  @Override
  public void close() {
    closed.countDown();
    server.stop(0);
    threads.shutdownNow();
  }
}
