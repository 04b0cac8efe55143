package com.datanadhi.sdk.comparison;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.LockSupport;
import java.util.zip.GZIPInputStream;

/**
 * A process with the server for both libraries: it counts the records of a request, waits, and
 * answers. It knows Data Nadhi's batches and OTLP. Arguments: the delay in milliseconds, whether it
 * offers gzip, the file for {@link Received}. It prints its URL and ends with its standard input.
 */
final class CountingServer {
  private static final int RESOURCE_LOGS = 1;
  private static final int SCOPE_LOGS = 2;
  private static final int LOG_RECORDS = 2;
  private static final int BYTES = 2;
  private static final String NDJSON = "application/x-ndjson";

  private final long delayNanos;
  private final boolean gzip;
  private final Received received;

  private CountingServer(long delayNanos, boolean gzip, Received received) {
    this.delayNanos = delayNanos;
    this.gzip = gzip;
    this.received = received;
  }

  public static void main(String[] args) throws IOException {
    // Else the JDK's server waits for acknowledgements of TCP between header and body.
    System.setProperty("sun.net.httpserver.nodelay", "true");
    CountingServer server =
        new CountingServer(
            Long.parseLong(args[0]) * 1_000_000,
            Boolean.parseBoolean(args[1]),
            new Received(Path.of(args[2])));
    HttpServer http =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    ExecutorService threads = Executors.newCachedThreadPool();
    http.setExecutor(threads);
    http.createContext("/", server::answer);
    http.start();
    System.out.println("http://127.0.0.1:" + http.getAddress().getPort());
    int unused = System.in.read();
    http.stop(0);
    threads.shutdownNow();
  }

  private void answer(HttpExchange exchange) throws IOException {
    byte[] sent = exchange.getRequestBody().readAllBytes();
    exchange.getResponseHeaders().set("Accept-Post", "application/json, " + NDJSON);
    if (gzip) {
      exchange.getResponseHeaders().set("Accept-Encoding", "gzip");
    }
    if (exchange.getRequestMethod().equals("GET")) {
      respond(exchange, "text/plain", "");
      return;
    }
    byte[] body = sent;
    if ("gzip".equals(exchange.getRequestHeaders().getFirst("Content-Encoding"))) {
      try (InputStream unpacked = new GZIPInputStream(new ByteArrayInputStream(sent))) {
        body = unpacked.readAllBytes();
      }
    }
    boolean otlp = exchange.getRequestURI().getPath().equals("/v1/logs");
    boolean batch = NDJSON.equals(exchange.getRequestHeaders().getFirst("Content-Type"));
    long records = otlp ? otlpRecords(body) : batch ? lines(body) : 1;
    if (delayNanos > 0) {
      LockSupport.parkNanos(delayNanos);
    }
    received.add(records, sent.length);
    if (otlp) {
      respond(exchange, "application/x-protobuf", "");
    } else {
      respond(exchange, "application/json", "{\"stored\":%d,\"errors\":[]}".formatted(records));
    }
  }

  private static void respond(HttpExchange exchange, String type, String text) throws IOException {
    byte[] body = text.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", type);
    exchange.sendResponseHeaders(200, body.length == 0 ? -1 : body.length);
    if (body.length > 0) {
      exchange.getResponseBody().write(body);
    }
    exchange.close();
  }

  private static long lines(byte[] body) {
    long lines = 0;
    for (byte character : body) {
      lines += character == '\n' ? 1 : 0;
    }
    return lines;
  }

  /** The number of log records in an {@code ExportLogsServiceRequest}. */
  private static long otlpRecords(byte[] body) {
    return count(ByteBuffer.wrap(body), new int[] {RESOURCE_LOGS, SCOPE_LOGS, LOG_RECORDS}, 0);
  }

  /** Counts the fields at the end of a path of field numbers. */
  private static long count(ByteBuffer message, int[] path, int level) {
    long count = 0;
    while (message.hasRemaining()) {
      int tag = varint(message);
      if ((tag & 7) != BYTES) {
        throw new IllegalArgumentException("Not a message of OTLP: tag " + tag);
      }
      int length = varint(message);
      ByteBuffer field = message.slice(message.position(), length);
      message.position(message.position() + length);
      if (tag >>> 3 == path[level]) {
        count += level == path.length - 1 ? 1 : count(field, path, level + 1);
      }
    }
    return count;
  }

  private static int varint(ByteBuffer message) {
    int value = 0;
    for (int shift = 0; ; shift += 7) {
      byte next = message.get();
      value |= (next & 0x7f) << shift;
      if (next >= 0) {
        return value;
      }
    }
  }
}
