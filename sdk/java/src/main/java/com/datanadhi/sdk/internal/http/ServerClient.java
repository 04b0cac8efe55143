package com.datanadhi.sdk.internal.http;

import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Sends requests to one server. Each request has a time-out and returns an outcome; network errors
 * are not thrown. Thread-safe.
 */
public final class ServerClient {
  private static final Duration PROBE_TIMEOUT = Duration.ofSeconds(2);

  private final HttpClient client;
  private final URI host;
  private final String apiKey;

  /**
   * A client of the server at {@code host}.
   *
   * @param client must not follow redirects: a status 3xx is a rejection
   */
  public ServerClient(HttpClient client, URI host, String apiKey) {
    this.client = client;
    this.host = host;
    this.apiKey = apiKey;
  }

  /** The URL of the server. */
  public URI host() {
    return host;
  }

  /** Whether the server answers {@code GET host/} with 2xx within 2 s. */
  public boolean isHealthy() throws InterruptedException {
    HttpRequest probe = HttpRequest.newBuilder(URI.create(host + "/")).GET().build();
    return send(probe, PROBE_TIMEOUT, new Cancellation()) instanceof DeliveryOutcome.Delivered;
  }

  /**
   * Sends {@code POST host/path}.
   *
   * @param keys the idempotency keys of the records in the body, in the same order
   * @param timeout for the whole exchange, response body included; a second attempt on a new
   *     connection gets the same time again
   */
  public DeliveryOutcome post(
      String path,
      String contentType,
      byte[] body,
      List<String> keys,
      Duration timeout,
      Cancellation cancellation)
      throws InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(host + path))
            .header("Content-Type", contentType)
            .header("DATANADHI-API-KEY", apiKey)
            .header("Idempotency-Key", listOfStrings(keys))
            .POST(HttpRequest.BodyPublishers.ofByteArray(body))
            .build();
    DeliveryOutcome outcome = send(request, timeout, cancellation);
    // A server may close an idle connection at the moment in which the client uses it again. The
    // idempotency keys make a second request safe.
    return outcome instanceof DeliveryOutcome.Unavailable failed && failed.connectionBroke()
        ? send(request, timeout, cancellation)
        : outcome;
  }

  private DeliveryOutcome send(HttpRequest request, Duration timeout, Cancellation cancellation)
      throws InterruptedException {
    CompletableFuture<HttpResponse<Void>> response =
        client.sendAsync(request, BodyHandlers.discarding());
    cancellation.register(response);
    try {
      return DeliveryOutcome.of(response.get(timeout.toNanos(), TimeUnit.NANOSECONDS).statusCode());
    } catch (CancellationException cancelled) {
      return new DeliveryOutcome.Cancelled();
    } catch (TimeoutException late) {
      return new DeliveryOutcome.Unavailable(
          "no answer within " + timeout.toSeconds() + " s", false);
    } catch (ExecutionException failed) {
      Throwable cause = Objects.requireNonNullElse(failed.getCause(), failed);
      if (cause instanceof CancellationException) {
        return new DeliveryOutcome.Cancelled();
      }
      boolean connectionBroke =
          cause instanceof IOException
              && !(cause instanceof ConnectException)
              && !(cause instanceof HttpTimeoutException);
      return new DeliveryOutcome.Unavailable(messageOf(cause), connectionBroke);
    } finally {
      // After a time-out or an interrupt the exchange would still use a connection.
      boolean unused = response.cancel(true);
      cancellation.unregister();
    }
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

  /** A list of strings as in RFC 8941; keys contain neither quotes nor backslashes. */
  private static String listOfStrings(List<String> keys) {
    return '"' + String.join("\", \"", keys) + '"';
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
