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
 * One server, as requests that always end: with an answer, or with why there is none. Thread-safe.
 */
public final class ServerClient {
  private static final Duration PROBE_TIMEOUT = Duration.ofSeconds(2);

  private final HttpClient client;
  private final URI host;
  private final String apiKey;

  /** {@code client} follows no redirects. */
  public ServerClient(HttpClient client, URI host, String apiKey) {
    this.client = client;
    this.host = host;
    this.apiKey = apiKey;
  }

  /** Its URL. */
  public URI host() {
    return host;
  }

  /** {@code GET host/}: whether it answers 2xx within 2 s. */
  public boolean isWell() throws InterruptedException {
    HttpRequest probe = HttpRequest.newBuilder(URI.create(host + "/")).GET().build();
    return send(probe, PROBE_TIMEOUT, new Call()) instanceof DeliveryOutcome.Delivered;
  }

  /**
   * {@code POST host/path}. The time-out is for all of it, the answer's body included.
   *
   * @param keys the idempotency keys of what the body holds, in its order
   */
  public DeliveryOutcome post(
      String path, String type, byte[] body, List<String> keys, Duration timeout, Call call)
      throws InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(host + path))
            .header("Content-Type", type)
            .header("DATANADHI-API-KEY", apiKey)
            .header("Idempotency-Key", quoted(keys))
            .POST(HttpRequest.BodyPublishers.ofByteArray(body))
            .build();
    DeliveryOutcome answer = send(request, timeout, call);
    // A server may close a connection that was kept at the moment in which we use it again. The key
    // makes it safe to ask twice.
    return answer instanceof DeliveryOutcome.Unavailable lost && lost.mayBeStale()
        ? send(request, timeout, call)
        : answer;
  }

  private DeliveryOutcome send(HttpRequest request, Duration timeout, Call call)
      throws InterruptedException {
    CompletableFuture<HttpResponse<Void>> answer =
        client.sendAsync(request, BodyHandlers.discarding());
    call.begin(answer);
    try {
      return DeliveryOutcome.of(answer.get(timeout.toNanos(), TimeUnit.NANOSECONDS).statusCode());
    } catch (CancellationException abandoned) {
      return new DeliveryOutcome.Abandoned();
    } catch (TimeoutException late) {
      return new DeliveryOutcome.Unavailable(
          "no answer within " + timeout.toSeconds() + " s", false);
    } catch (ExecutionException failed) {
      Throwable cause = Objects.requireNonNullElse(failed.getCause(), failed);
      if (cause instanceof CancellationException) {
        return new DeliveryOutcome.Abandoned();
      }
      boolean mayBeStale =
          cause instanceof IOException
              && !(cause instanceof ConnectException)
              && !(cause instanceof HttpTimeoutException);
      return new DeliveryOutcome.Unavailable(said(cause), mayBeStale);
    } finally {
      // Whoever stops waiting leaves no exchange behind.
      boolean unused = answer.cancel(true);
      call.end();
    }
  }

  private static String said(Throwable failure) {
    String message = failure.getMessage();
    return message == null ? failure.getClass().getSimpleName() : message;
  }

  /** A list of strings by RFC 8941; keys have neither quotes nor backslashes. */
  private static String quoted(List<String> keys) {
    return '"' + String.join("\", \"", keys) + '"';
  }

  /** A request in the hands of one thread that others can take from it. */
  public static final class Call {
    private boolean abandoned;
    private CompletableFuture<?> running = CompletableFuture.completedFuture(null);

    private synchronized void begin(CompletableFuture<?> request) {
      running = request;
      if (abandoned) {
        boolean unused = request.cancel(true);
      }
    }

    private synchronized void end() {
      running = CompletableFuture.completedFuture(null);
    }

    /** The request that runs, and all later ones until {@link #resume}, end as abandoned. */
    public synchronized void abandon() {
      abandoned = true;
      boolean unused = running.cancel(true);
    }

    /** Requests are waited for again. */
    public synchronized void resume() {
      abandoned = false;
    }
  }
}
