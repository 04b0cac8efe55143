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
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import javax.net.ssl.SSLContext;

/** An HTTP server on loopback that serves downloads. */
public final class FileServer implements AutoCloseable {
  private static final int PART = 1 << 20;

  private record Page(int status, byte[] body, String location, boolean stalls) {}

  private final Map<String, Page> pages = new ConcurrentHashMap<>();
  private final List<String> requestedPaths = new CopyOnWriteArrayList<>();
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final CountDownLatch closed = new CountDownLatch(1);
  private final HttpServer server;
  private final AtomicInteger notModified = new AtomicInteger();
  private volatile long pauseMillis;
  private volatile String lastModified = "";

  /** A server that answers every path with 404 until {@link #serve} adds one. */
  public FileServer() throws IOException {
    this(HttpServer.create());
  }

  /** As above, with TLS. */
  public FileServer(SSLContext tls) throws IOException {
    this(secured(HttpsServer.create(), tls));
  }

  private static HttpsServer secured(HttpsServer server, SSLContext tls) {
    server.setHttpsConfigurator(new HttpsConfigurator(tls));
    return server;
  }

  private FileServer(HttpServer server) throws IOException {
    this.server = server;
    server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 100);
    server.setExecutor(threads);
    server.createContext("/", this::handle);
    server.start();
  }

  /** A server with EchoPost for this machine. */
  public static FileServer withProgram() throws IOException {
    return new FileServer().serve(programPath(), 200, Files.readAllBytes(PackagedProgram.path()));
  }

  /** The path of EchoPost for this machine. */
  public static String programPath() {
    String os = System.getProperty("os.name").equals("Linux") ? "linux" : "darwin";
    String arch = System.getProperty("os.arch").equals("amd64") ? "amd64" : "arm64";
    return "/%s/%s/echopost-latest".formatted(os, arch);
  }

  /** The server's URL, without a path. */
  public String url() {
    String scheme = server instanceof HttpsServer ? "https" : "http";
    return scheme + "://127.0.0.1:" + server.getAddress().getPort();
  }

  /** Answers requests for {@code path} with this status and body. */
  public FileServer serve(String path, int status, byte[] body) {
    pages.put(path, new Page(status, body, "", false));
    return this;
  }

  /** Pauses after each mebibyte of a response from now on. */
  public void setPauseMillis(long newPauseMillis) {
    pauseMillis = newPauseMillis;
  }

  /** Redirects requests for {@code path} to {@code location}. */
  public void redirect(String path, String location) {
    pages.put(path, new Page(302, new byte[0], location, false));
  }

  /** Sends one byte of {@code path}, and then nothing until this server is closed. */
  public void stall(String path) {
    pages.put(path, new Page(200, new byte[] {'#'}, "", true));
  }

  /** The requested paths in the order of the requests, repeats included. */
  public List<String> requestedPaths() {
    return requestedPaths;
  }

  /** The number of requests for {@code path}. */
  public int requests(String path) {
    return (int) requestedPaths.stream().filter(path::equals).count();
  }

  /** Sends this date with every page from now on, and 304 to a client that has seen it. */
  public void lastModified(String date) {
    lastModified = date;
  }

  /** The number of answers with 304. */
  public int notModified() {
    return notModified.get();
  }

  private void handle(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    requestedPaths.add(path);
    Page page = pages.getOrDefault(path, new Page(404, new byte[0], "", false));
    if (page.status == 200 && !lastModified.isEmpty()) {
      exchange.getResponseHeaders().set("Last-Modified", lastModified);
      if (lastModified.equals(exchange.getRequestHeaders().getFirst("If-Modified-Since"))) {
        notModified.incrementAndGet();
        exchange.sendResponseHeaders(304, -1);
        exchange.close();
        return;
      }
    }
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
