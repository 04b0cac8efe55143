package com.datanadhi.sdk.internal.http;

import com.datanadhi.sdk.internal.http.Proxies.ProxyServer;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Authenticator;
import java.net.ConnectException;
import java.net.HttpURLConnection;
import java.net.Proxy;
import java.net.URL;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Flow;
import java.util.concurrent.RejectedExecutionException;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import org.jspecify.annotations.Nullable;

/**
 * Sends requests with {@link HttpURLConnection}, to servers with names that the JDK's newer HTTP
 * client refuses. Each exchange uses one thread. A POST is sent once: in the streaming mode, the
 * JDK repeats none by itself. Thread-safe.
 */
final class UrlConnectionTransport implements HttpTransport {
  /** Only ends the thread of an exchange whose caller no longer waits. */
  private static final Duration READ_TIMEOUT = Duration.ofMinutes(1);

  /** No server gets the passwords of the application. */
  private static final Authenticator NO_PASSWORDS = new Authenticator() {};

  private static final int PART_BYTES = 16 << 10;

  private final Proxies proxies;
  private final SSLSocketFactory tls;
  private final boolean followsRedirects;
  private final Duration connectTimeout;
  private final Executor threads;

  UrlConnectionTransport(
      Proxies proxies,
      SSLContext tls,
      boolean followsRedirects,
      Duration connectTimeout,
      Executor threads) {
    this.proxies = proxies;
    this.tls = tls.getSocketFactory();
    this.followsRedirects = followsRedirects;
    this.connectTimeout = connectTimeout;
    this.threads = threads;
  }

  @Override
  public <T> CompletableFuture<Answer<T>> send(Call call, HttpResponse.BodyHandler<T> handler) {
    CompletableFuture<Answer<T>> result = new CompletableFuture<>();
    Running running = new Running();
    threads.execute(() -> {
      try {
        result.complete(exchange(call, handler, running));
      } catch (IOException | RuntimeException | Error failed) {
        result.completeExceptionally(failed);
      }
    });
    var unused =
        result.whenComplete((answer, failed) -> {
          if (failed != null) {
            abort(running);
          }
        });
    return result;
  }

  /** On another thread, since to close a connection can take as long as to write to it. */
  private void abort(Running running) {
    running.cancel();
    try {
      threads.execute(running::disconnect);
    } catch (RejectedExecutionException ended) {
      // The read time-out ends the exchange.
    }
  }

  private <T> Answer<T> exchange(Call call, HttpResponse.BodyHandler<T> handler, Running running)
      throws IOException {
    HttpURLConnection connection = open(call);
    running.begin(connection);
    try {
      connection.connect();
    } catch (IOException failed) {
      // Another class, so that the failure is not taken for one of an open connection.
      ConnectException failure = new ConnectException("no connection: " + failed);
      failure.initCause(failed);
      throw failure;
    }
    if (!call.isGet()) {
      try (OutputStream out = running.beginBody(connection)) {
        out.write(call.body());
      }
    }
    int status = connection.getResponseCode();
    running.endOfWait();
    if (status < 0) {
      throw new IOException("the answer is not HTTP");
    }
    if (status == HttpURLConnection.HTTP_PROXY_AUTH) {
      throw Proxies.refusal(call.url());
    }
    Head head = new Head(status, headers(connection));
    HttpResponse.BodySubscriber<T> body = handler.apply(head);
    try (InputStream in =
        status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
      long expected =
          status == HttpURLConnection.HTTP_NOT_MODIFIED ? 0 : connection.getContentLengthLong();
      return new Answer<>(status, head.headers(), read(in, expected, body, running));
    }
  }

  private HttpURLConnection open(Call call) throws IOException {
    Optional<ProxyServer> proxy = proxies.select(HostAddress.require(call.url()));
    URL url = call.url().toURL();
    HttpURLConnection connection =
        (HttpURLConnection)
            url.openConnection(proxy.map(ProxyServer::proxy).orElse(Proxy.NO_PROXY));
    connection.setConnectTimeout((int) connectTimeout.toMillis());
    connection.setReadTimeout((int) READ_TIMEOUT.toMillis());
    connection.setInstanceFollowRedirects(followsRedirects);
    connection.setUseCaches(false);
    connection.setAuthenticator(NO_PASSWORDS);
    if (connection instanceof HttpsURLConnection secured) {
      secured.setSSLSocketFactory(tls);
      secured.setHostnameVerifier(new CertificateNames());
    } else {
      // Not in a tunnel, where the server itself would get it.
      proxy
          .map(ProxyServer::authorization)
          .filter(value -> !value.isEmpty())
          .ifPresent(value -> connection.setRequestProperty(Proxies.AUTHORIZATION, value));
    }
    connection.setRequestProperty("Accept", "*/*");
    call.headers().forEach(connection::setRequestProperty);
    if (!call.isGet()) {
      connection.setRequestMethod("POST");
      connection.setDoOutput(true);
      connection.setFixedLengthStreamingMode(call.body().length);
    }
    return connection;
  }

  private static HttpHeaders headers(HttpURLConnection connection) throws IOException {
    Map<String, List<String>> named = new HashMap<>(connection.getHeaderFields());
    // The status line.
    named.remove(null);
    try {
      return HttpHeaders.of(named, (name, value) -> true);
    } catch (IllegalArgumentException malformed) {
      throw new IOException("the answer has malformed headers", malformed);
    }
  }

  /**
   * Reads the body to its end, after which the JDK uses the connection again.
   *
   * @param expectedBytes negative if unknown; the JDK takes a shorter body for a whole one
   */
  private static <T> T read(
      @Nullable InputStream in,
      long expectedBytes,
      HttpResponse.BodySubscriber<T> body,
      Running running)
      throws IOException {
    body.onSubscribe(NO_DEMAND);
    try {
      byte[] part = new byte[PART_BYTES];
      long bytes = 0;
      for (int read = next(in, part); read >= 0; read = next(in, part)) {
        running.requireNotCancelled();
        body.onNext(List.of(ByteBuffer.wrap(Arrays.copyOf(part, read))));
        bytes += read;
      }
      if (in != null && bytes < expectedBytes) {
        throw new EOFException("the answer is cut off");
      }
      body.onComplete();
    } catch (IOException failed) {
      body.onError(failed);
      throw failed;
    }
    try {
      return body.getBody().toCompletableFuture().join();
    } catch (CompletionException failed) {
      throw new IOException(failed.getCause());
    }
  }

  private static int next(@Nullable InputStream in, byte[] part) throws IOException {
    return in == null ? -1 : in.read(part);
  }

  /** Nothing: idle connections are the JDK's, which closes them after some seconds. */
  @Override
  public void close() {}

  /** The start of a response. */
  private record Head(int statusCode, HttpHeaders headers) implements HttpResponse.ResponseInfo {
    @Override
    public HttpClient.Version version() {
      return HttpClient.Version.HTTP_1_1;
    }
  }

  /**
   * An exchange that another thread can end. The connection is closed only until the answer begins:
   * from then on, to close it would wait for the thread that reads.
   */
  private static final class Running {
    private volatile boolean cancelled;
    private @Nullable HttpURLConnection waiting;

    void requireNotCancelled() throws IOException {
      if (cancelled) {
        throw new IOException("the request was cancelled");
      }
    }

    synchronized void begin(HttpURLConnection connection) throws IOException {
      requireNotCancelled();
      waiting = connection;
    }

    /** Sends the head; a connection that was closed would be opened again by that. */
    synchronized OutputStream beginBody(HttpURLConnection connection) throws IOException {
      requireNotCancelled();
      return connection.getOutputStream();
    }

    synchronized void endOfWait() throws IOException {
      waiting = null;
      requireNotCancelled();
    }

    void cancel() {
      cancelled = true;
    }

    synchronized void disconnect() {
      HttpURLConnection connection = waiting;
      if (connection != null) {
        connection.disconnect();
      }
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
