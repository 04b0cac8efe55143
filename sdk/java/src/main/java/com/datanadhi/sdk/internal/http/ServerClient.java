package com.datanadhi.sdk.internal.http;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpHeaders;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.BodySubscribers;
import java.net.http.HttpResponse.ResponseInfo;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Sends requests to one server. Each request has a time-out; network errors are not thrown.
 * Thread-safe.
 */
public final class ServerClient {
  private static final Duration PROBE_TIMEOUT = Duration.ofSeconds(2);

  private final HttpTransport transport;
  private final URI host;
  private final String apiKey;
  private volatile ServerOffer offer = ServerOffer.NONE;

  /**
   * A client of the server at {@code host}.
   *
   * @param transport must not follow redirects: a status 3xx is a rejection
   */
  public ServerClient(HttpTransport transport, URI host, String apiKey) {
    this.transport = transport;
    this.host = host;
    this.apiKey = apiKey;
  }

  /** The URL of the server. */
  public URI host() {
    return host;
  }

  /** What the newest answer with a status 2xx offered, to whatever request. */
  ServerOffer offer() {
    return offer;
  }

  /** Sends {@code GET host/}, which the server must answer within 2 s. */
  ProbeResult probe() throws InterruptedException {
    HttpTransport.Call probe = HttpTransport.Call.get(URI.create(host + "/"), Map.of());
    return send(probe, 0, PROBE_TIMEOUT, new Cancellation()) instanceof Exchange.Answered answer
        ? ProbeResult.of(answer.status())
        : ProbeResult.UNAVAILABLE;
  }

  /**
   * Sends {@code POST host/path}.
   *
   * @param maxAnswerBytes how much of the answer's body is wanted
   * @param timeout for the whole exchange, response body included; a second attempt on a new
   *     connection gets the same time again
   */
  Exchange post(
      String path,
      RequestBody body,
      int maxAnswerBytes,
      Duration timeout,
      Cancellation cancellation)
      throws InterruptedException {
    Map<String, String> headers = new LinkedHashMap<>(body.headers());
    headers.put("DATANADHI-API-KEY", apiKey);
    HttpTransport.Call request =
        new HttpTransport.Call(URI.create(host + path), headers, body.bytes());
    Exchange exchange = send(request, maxAnswerBytes, timeout, cancellation);
    // A server may close an idle connection at the moment in which the client uses it again. The
    // idempotency keys make a second request safe.
    return exchange instanceof Exchange.Failed failed && failed.connectionBroke()
        ? send(request, maxAnswerBytes, timeout, cancellation)
        : exchange;
  }

  private Exchange send(
      HttpTransport.Call request, int maxAnswerBytes, Duration timeout, Cancellation cancellation)
      throws InterruptedException {
    AtomicReference<@Nullable ResponseInfo> head = new AtomicReference<>();
    CompletableFuture<HttpTransport.Answer<byte[]>> response;
    try {
      response =
          transport.send(
              request,
              info -> {
                head.set(info);
                return startOfBody(maxAnswerBytes);
              });
    } catch (RejectedExecutionException closed) {
      return new Exchange.Cancelled();
    }
    cancellation.register(response);
    try {
      HttpTransport.Answer<byte[]> got = response.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
      return answered(got.status(), got.headers(), got.body(), true);
    } catch (CancellationException cancelled) {
      return new Exchange.Cancelled();
    } catch (TimeoutException late) {
      return broken(
          head.get(), new Exchange.Failed("no answer within " + timeout.toSeconds() + " s", false));
    } catch (ExecutionException failed) {
      Throwable cause = Objects.requireNonNullElse(failed.getCause(), failed);
      if (cause instanceof CancellationException) {
        return new Exchange.Cancelled();
      }
      boolean connectionBroke =
          cause instanceof IOException
              && !(cause instanceof ConnectException)
              && !(cause instanceof HttpTimeoutException);
      return broken(head.get(), new Exchange.Failed(messageOf(cause), connectionBroke));
    } finally {
      // After a time-out or an interrupt the exchange would still use a connection.
      boolean unused = response.cancel(true);
      cancellation.unregister();
    }
  }

  /** A status counts even if the body after it does not arrive. */
  private Exchange broken(@Nullable ResponseInfo head, Exchange.Failed failure) {
    return head == null ? failure : answered(head.statusCode(), head.headers(), new byte[0], false);
  }

  private Exchange.Answered answered(
      int status, HttpHeaders headers, byte[] body, boolean complete) {
    Exchange.Answered answer = new Exchange.Answered(status, headers, body, complete);
    if (answer.isSuccess()) {
      offer = ServerOffer.of(headers);
    }
    return answer;
  }

  /** Reads the whole body, so that the connection can be used again, and keeps its start. */
  private static BodySubscriber<byte[]> startOfBody(int maxBytes) {
    ByteArrayOutputStream start = new ByteArrayOutputStream();
    return BodySubscribers.mapping(
        BodySubscribers.ofByteArrayConsumer(chunk ->
            chunk.ifPresent(
                bytes -> start.write(bytes, 0, Math.min(bytes.length, maxBytes - start.size())))),
        end -> start.toByteArray());
  }

  private static String messageOf(Throwable failure) {
    String message = failure.getMessage();
    if (message != null) {
      return message;
    }
    String problem =
        failure instanceof ConnectException ? "it cannot be reached" : "the request failed";
    return problem + " (" + failure.getClass().getSimpleName() + ")";
  }

  /** Lets other threads cancel the requests of one thread. Thread-safe. */
  public static final class Cancellation {
    private boolean cancelled;
    private CompletableFuture<?> running = CompletableFuture.completedFuture(null);

    private synchronized void register(CompletableFuture<?> request) {
      running = request;
      if (cancelled) {
        boolean unused = request.cancel(true);
      }
    }

    private synchronized void unregister() {
      running = CompletableFuture.completedFuture(null);
    }

    /** Cancels the request that runs, and each later one until {@link #reset}. */
    public synchronized void cancel() {
      cancelled = true;
      boolean unused = running.cancel(true);
    }

    /** Later requests are no longer cancelled. */
    public synchronized void reset() {
      cancelled = false;
    }
  }
}
