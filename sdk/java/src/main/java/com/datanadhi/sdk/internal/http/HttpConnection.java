package com.datanadhi.sdk.internal.http;

import com.datanadhi.sdk.internal.http.HttpTransport.Answer;
import com.datanadhi.sdk.internal.http.HttpTransport.Call;
import com.datanadhi.sdk.internal.http.Proxies.ProxyServer;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.Socket;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Flow;

/** A connection with HTTP/1.1 (RFC 9112), one exchange at a time. For one thread at a time. */
final class HttpConnection {
  private static final int MAX_HEAD_BYTES = 64 << 10;
  private static final int PART_BYTES = 16 << 10;

  private final Socket socket;
  private final InputStream in;
  private final OutputStream out;
  private final boolean absoluteTargets;
  private final String proxyAuthorization;
  private boolean received;
  private boolean reusable;

  /**
   * @param socket what is closed
   * @param stream the same, or the TLS connection over it
   * @param absoluteTargets whether the peer is a proxy that gets whole URLs
   * @param proxyAuthorization the value of that header; empty for none
   */
  HttpConnection(Socket socket, Socket stream, boolean absoluteTargets, String proxyAuthorization)
      throws IOException {
    this.socket = socket;
    this.in = new BufferedInputStream(stream.getInputStream());
    this.out = stream.getOutputStream();
    this.absoluteTargets = absoluteTargets;
    this.proxyAuthorization = proxyAuthorization;
  }

  Socket socket() {
    return socket;
  }

  /** Whether any byte of the last response has arrived. */
  boolean hasReceived() {
    return received;
  }

  /** Whether another request can be sent. */
  boolean isReusable() {
    return reusable;
  }

  void close() {
    closeQuietly(socket);
  }

  static void closeQuietly(Socket socket) {
    try {
      socket.close();
    } catch (IOException unimportant) {
      // There is nothing more to do with it.
    }
  }

  /** Opens a tunnel through a proxy to {@code server}. */
  static void openTunnel(Socket socket, HostAddress server, ProxyServer proxy) throws IOException {
    String target = server.host() + ":" + server.port();
    HttpConnection toProxy = new HttpConnection(socket, socket, true, proxy.authorization());
    toProxy.write("CONNECT " + target, target, Map.of(), new byte[0]);
    Head head = toProxy.readFinalHead();
    if (head.status() / 100 != 2) {
      throw new ConnectException(
          "the proxy %s:%d answered %d to CONNECT %s%s"
              .formatted(
                  proxy.host(),
                  proxy.port(),
                  head.status(),
                  target,
                  head.status() == 407 ? ": check the user and password of the proxy" : ""));
    }
  }

  <T> Answer<T> exchange(HostAddress server, Call call, HttpResponse.BodyHandler<T> handler)
      throws IOException {
    received = false;
    reusable = false;
    IOException notSent = null;
    try {
      String path = call.url().getRawPath();
      String target = path == null || path.isEmpty() ? "/" : path;
      if (call.url().getRawQuery() != null) {
        target += "?" + call.url().getRawQuery();
      }
      String whole = server.scheme() + "://" + server.authority() + target;
      write(
          (call.isGet() ? "GET " : "POST ") + (absoluteTargets ? whole : target),
          server.authority(),
          call.headers(),
          call.body());
    } catch (IOException failed) {
      // A server that refuses a request can answer and close before it has read all of it.
      notSent = failed;
    }
    Head head;
    try {
      head = readFinalHead();
    } catch (IOException failed) {
      throw notSent == null ? failed : notSent;
    }
    HttpResponse.BodySubscriber<T> body = handler.apply(head);
    body.onSubscribe(NO_DEMAND);
    try {
      boolean hasEnd = readBody(head, body);
      reusable = hasEnd && notSent == null && head.keepsOpen();
      body.onComplete();
    } catch (IOException failed) {
      body.onError(failed);
      throw failed;
    }
    try {
      return new Answer<>(
          head.status(), head.headers(), body.getBody().toCompletableFuture().join());
    } catch (CompletionException failed) {
      throw new IOException(failed.getCause());
    }
  }

  private void write(String start, String host, Map<String, String> headers, byte[] body)
      throws IOException {
    StringBuilder head = new StringBuilder(start).append(" HTTP/1.1\r\nHost: ").append(host);
    head.append("\r\nUser-Agent: datanadhi-sdk\r\n");
    if (absoluteTargets && !proxyAuthorization.isEmpty()) {
      head.append("Proxy-Authorization: ").append(proxyAuthorization).append("\r\n");
    }
    headers.forEach((name, value) -> head.append(name).append(": ").append(value).append("\r\n"));
    if (body.length > 0) {
      head.append("Content-Length: ").append(body.length).append("\r\n");
    }
    byte[] start1 = head.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1);
    byte[] all = Arrays.copyOf(start1, start1.length + body.length);
    System.arraycopy(body, 0, all, start1.length, body.length);
    out.write(all);
    out.flush();
  }

  /** The start of a response. */
  private record Head(int status, boolean isHttp11, HttpHeaders headers)
      implements HttpResponse.ResponseInfo {
    @Override
    public int statusCode() {
      return status;
    }

    @Override
    public HttpClient.Version version() {
      return HttpClient.Version.HTTP_1_1;
    }

    boolean keepsOpen() {
      return isHttp11 ? !has("Connection", "close") : has("Connection", "keep-alive");
    }

    boolean has(String name, String token) {
      return headers.allValues(name).stream()
          .flatMap(value -> Arrays.stream(value.split(",")))
          .anyMatch(part -> part.strip().equalsIgnoreCase(token));
    }
  }

  /** Reads heads up to one that is not informational (1xx). */
  private Head readFinalHead() throws IOException {
    Head head = readHead();
    while (head.status() < 200) {
      head = readHead();
    }
    return head;
  }

  private Head readHead() throws IOException {
    int[] left = {MAX_HEAD_BYTES};
    String start = readLine(left);
    if (!start.matches("HTTP/1\\.[0-9] [1-9][0-9]{2}( .*)?")) {
      throw new IOException("the answer is not HTTP/1.1");
    }
    Map<String, List<String>> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    for (String line = readLine(left); !line.isEmpty(); line = readLine(left)) {
      int colon = line.indexOf(':');
      if (colon <= 0) {
        throw new IOException("the answer has a header line without a name");
      }
      headers
          .computeIfAbsent(line.substring(0, colon).strip(), name -> new ArrayList<>())
          .add(line.substring(colon + 1).strip());
    }
    try {
      return new Head(
          Integer.parseInt(start.substring(9, 12)),
          !start.startsWith("HTTP/1.0"),
          HttpHeaders.of(headers, (name, value) -> true));
    } catch (IllegalArgumentException malformed) {
      throw new IOException("the answer has malformed headers", malformed);
    }
  }

  private String readLine(int[] left) throws IOException {
    StringBuilder line = new StringBuilder();
    while (true) {
      int next = in.read();
      if (next < 0) {
        throw new EOFException("the server has closed the connection");
      }
      received = true;
      if (next == '\n') {
        int end = line.length();
        return line.substring(0, end > 0 && line.charAt(end - 1) == '\r' ? end - 1 : end);
      }
      left[0]--;
      if (left[0] < 0) {
        throw new IOException("the head of the answer is larger than 64 KiB");
      }
      line.append((char) next);
    }
  }

  /** Returns whether the body has an end before that of the connection. */
  private boolean readBody(Head head, HttpResponse.BodySubscriber<?> to) throws IOException {
    if (head.status() == 204 || head.status() == 304) {
      return true;
    }
    if (head.has("Transfer-Encoding", "chunked")) {
      readChunks(to);
      return true;
    }
    String length = head.headers().firstValue("Content-Length").orElse("");
    if (!length.isEmpty()) {
      if (!length.matches("[0-9]{1,18}")) {
        throw new IOException("the answer has a malformed Content-Length");
      }
      readPart(Long.parseLong(length), to);
      return true;
    }
    byte[] part = new byte[PART_BYTES];
    for (int read = in.read(part); read >= 0; read = in.read(part)) {
      to.onNext(List.of(ByteBuffer.wrap(Arrays.copyOf(part, read))));
    }
    return false;
  }

  private void readChunks(HttpResponse.BodySubscriber<?> to) throws IOException {
    int[] left = {MAX_HEAD_BYTES};
    while (true) {
      String size = readLine(left).split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
      if (!size.matches("[0-9a-f]{1,15}")) {
        throw new IOException("the answer has a malformed chunk");
      }
      long bytes = Long.parseLong(size, 16);
      if (bytes == 0) {
        break;
      }
      readPart(bytes, to);
      left[0] = MAX_HEAD_BYTES;
      if (!readLine(left).isEmpty()) {
        throw new IOException("the answer has a malformed chunk");
      }
    }
    while (!readLine(left).isEmpty()) {
      // A trailer.
    }
  }

  private void readPart(long bytes, HttpResponse.BodySubscriber<?> to) throws IOException {
    byte[] part = new byte[PART_BYTES];
    long left = bytes;
    while (left > 0) {
      int read = in.read(part, 0, (int) Math.min(left, PART_BYTES));
      if (read < 0) {
        throw new EOFException("the answer is cut off");
      }
      to.onNext(List.of(ByteBuffer.wrap(Arrays.copyOf(part, read))));
      left -= read;
    }
  }

  /** Subscribers take all of a body. */
  private static final Flow.Subscription NO_DEMAND =
      new Flow.Subscription() {
        @Override
        public void request(long n) {}

        @Override
        public void cancel() {}
      };
}
