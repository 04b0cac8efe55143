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
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
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
    Exchange exchange = send(List.of(probe), 0, PROBE_TIMEOUT, new Cancellation()).get(0);
    return exchange instanceof Exchange.Answered answer
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
    return postAll(path, List.of(body), maxAnswerBytes, timeout, cancellation).get(0);
  }

  /** As {@link #post} for each body, all at the same time; returns the exchanges in their order. */
  List<Exchange> postAll(
      String path,
      List<RequestBody> bodies,
      int maxAnswerBytes,
      Duration timeout,
      Cancellation cancellation)
      throws InterruptedException {
    List<HttpTransport.Call> requests = bodies.stream().map(body -> request(path, body)).toList();
    List<Exchange> exchanges = send(requests, maxAnswerBytes, timeout, cancellation);
    // A server may close an idle connection at the moment in which the client uses it again. The
    // idempotency keys make a second request safe.
    List<Integer> broken =
        IntStream.range(0, exchanges.size())
            .filter(
                i -> exchanges.get(i) instanceof Exchange.Failed failed && failed.connectionBroke())
            .boxed()
            .toList();
    List<Exchange> again =
        send(broken.stream().map(requests::get).toList(), maxAnswerBytes, timeout, cancellation);
    for (int i = 0; i < again.size(); i++) {
      exchanges.set(broken.get(i), again.get(i));
    }
    return exchanges;
  }

  private HttpTransport.Call request(String path, RequestBody body) {
    Map<String, String> headers = new LinkedHashMap<>(body.headers());
    headers.put("DATANADHI-API-KEY", apiKey);
    return new HttpTransport.Call(URI.create(host + path), headers, body.bytes());
  }

  private List<Exchange> send(
      List<HttpTransport.Call> requests,
      int maxAnswerBytes,
      Duration timeout,
      Cancellation cancellation)
      throws InterruptedException {
    long end = System.nanoTime() + timeout.toNanos();
    List<Running> running = new ArrayList<>();
    try {
      for (HttpTransport.Call request : requests) {
        running.add(start(request, maxAnswerBytes, cancellation));
      }
      List<Exchange> exchanges = new ArrayList<>();
      for (Running request : running) {
        exchanges.add(await(request, end, timeout));
      }
      return exchanges;
    } finally {
      for (Running request : running) {
        // After a time-out or an interrupt the exchange would still use a connection.
        boolean unused = request.response().cancel(true);
      }
      cancellation.unregister();
    }
  }

  private Running start(HttpTransport.Call request, int maxAnswerBytes, Cancellation cancellation) {
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
      response = CompletableFuture.failedFuture(new CancellationException());
    }
    cancellation.register(response);
    return new Running(response, head);
  }

  private Exchange await(Running request, long end, Duration timeout) throws InterruptedException {
    try {
      HttpTransport.Answer<byte[]> got =
          request.response().get(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS);
      return answered(got.status(), got.headers(), got.body(), true);
    } catch (CancellationException cancelled) {
      return new Exchange.Cancelled();
    } catch (TimeoutException late) {
      return broken(
          request.head().get(),
          new Exchange.Failed("no answer within " + timeout.toSeconds() + " s", false));
    } catch (ExecutionException failed) {
      Throwable cause = Objects.requireNonNullElse(failed.getCause(), failed);
      if (cause instanceof CancellationException) {
        return new Exchange.Cancelled();
      }
      boolean connectionBroke =
          cause instanceof IOException
              && !(cause instanceof ConnectException)
              && !(cause instanceof HttpTimeoutException);
      return broken(request.head().get(), new Exchange.Failed(messageOf(cause), connectionBroke));
    }
  }

  /**
   * A request that was sent.
   *
   * @param head of the answer, as soon as that has arrived
   */
  private record Running(
      CompletableFuture<HttpTransport.Answer<byte[]>> response,
      AtomicReference<@Nullable ResponseInfo> head) {}

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
    private final List<CompletableFuture<?>> running = new ArrayList<>();

    private synchronized void register(CompletableFuture<?> request) {
      running.add(request);
      if (cancelled) {
        boolean unused = request.cancel(true);
      }
    }

    private synchronized void unregister() {
      running.clear();
    }

    /** Cancels the requests that run, and each later one until {@link #reset}. */
    public synchronized void cancel() {
      cancelled = true;
      for (CompletableFuture<?> request : List.copyOf(running)) {
        boolean unused = request.cancel(true);
      }
    }

    /** Later requests are no longer cancelled. */
    public synchronized void reset() {
      cancelled = false;
    }
  }
}
