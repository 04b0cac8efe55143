package com.datanadhi.echopost.upstream;

import com.datanadhi.echopost.time.Clock;
import io.netty.buffer.ByteBuf;
import java.time.Duration;
import java.util.Iterator;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// Delivers over one connection, each request after the response to the one before.
///
/// The event loop sends the next request as soon as a response is read: waking the replay thread
/// for each response, and the loop for each request, would take longer than the exchange itself.
///
/// One thread creates an instance, calls [#await] once and then reads the results; everything else
/// runs on the connection's event loop. Only `sinceNanos` is read by both at the same time, and is
/// volatile; the completion of `ended` publishes the rest to the waiting thread.
///
/// @param <T> what one request delivers
final class SequentialDelivery<T> {
  /// A delivery without a response after this time has failed.
  static final Duration TIMEOUT = Duration.ofSeconds(10);

  private static final long TIMEOUT_NANOS = TIMEOUT.toNanos();
  private static final long SHORTEST_WAIT_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

  private final HttpConnection connection;
  private final Iterator<T> deliveries;
  private final Function<T, ByteBuf> encoder;
  private final BodyLimit bodyLimit;
  private final Predicate<ServerResponse> continueAfter;
  private final Clock clock;

  /// True when all is done, false when the last request is to be sent over another connection.
  private final CompletableFuture<Boolean> ended = new CompletableFuture<>();

  private volatile long sinceNanos;

  private boolean reused;
  private boolean timedOut;
  private boolean stopped;
  private int responses;

  /// @param deliveries what to send
  /// @param encoder encodes a request just before it is sent, which releases it
  /// @param bodyLimit how much of each response's body is read
  /// @param continueAfter takes each response, on the event loop, and returns whether to send the
  ///   next request; must not block
  /// @param reused whether `connection` has had an exchange before
  /// @param sinceNanos when the first of `deliveries` was first tried
  SequentialDelivery(
      HttpConnection connection,
      Iterator<T> deliveries,
      Function<T, ByteBuf> encoder,
      BodyLimit bodyLimit,
      Predicate<ServerResponse> continueAfter,
      boolean reused,
      Clock clock,
      long sinceNanos) {
    this.connection = connection;
    this.deliveries = deliveries;
    this.encoder = encoder;
    this.bodyLimit = bodyLimit;
    this.continueAfter = continueAfter;
    this.reused = reused;
    this.clock = clock;
    this.sinceNanos = sinceNanos;
  }

  /// Delivers, and waits for the end.
  ///
  /// @return false when the next request got no response because the reused connection was closed,
  ///   and is to be sent again over another one
  /// @throws InterruptedException when the thread was interrupted; `continueAfter` is not called
  ///   after that
  boolean await() throws InterruptedException {
    connection.execute(this::send);
    try {
      while (true) {
        long left = sinceNanos + TIMEOUT_NANOS - clock.nanos();
        try {
          return ended.get(Math.max(left, SHORTEST_WAIT_NANOS), TimeUnit.NANOSECONDS);
        } catch (TimeoutException slow) {
          connection.execute(this::closeIfTimedOut);
        }
      }
    } catch (ExecutionException broken) {
      throw new IllegalStateException(broken.getCause());
    } catch (InterruptedException interrupted) {
      connection.execute(this::stop);
      boolean _ = ended.exceptionally(broken -> true).join();
      throw interrupted;
    }
  }

  /// The number of responses that `continueAfter` has got.
  int responses() {
    return responses;
  }

  /// The time when the current or next request was first tried, in the clock's nanoseconds.
  long sinceNanos() {
    return sinceNanos;
  }

  private void send() {
    if (stopped || !deliveries.hasNext()) {
      boolean _ = ended.complete(true);
    } else if (reused && !connection.isUsable()) {
      boolean _ = ended.complete(false);
    } else {
      try {
        // The exchange starts in a later task, after all bytes that were read are processed: a
        // second response to the last request must not be taken for the response to this one.
        var _ =
            connection
                .exchange(encoder.apply(deliveries.next()), bodyLimit)
                .whenComplete(this::completed);
      } catch (RuntimeException | Error broken) {
        // Netty throws its own OutOfMemoryError, which does not end the process.
        boolean _ = ended.completeExceptionally(broken);
      }
    }
  }

  private void completed(HttpConnection.@Nullable Response response, @Nullable Throwable failure) {
    if (stopped) {
      boolean _ = ended.complete(true);
      return;
    }
    if (response == null && reused && !timedOut && !connection.hasResponseBytes()) {
      // The server may close an idle connection at any time (RFC 9112, section 9.5): that does
      // not mean that it is down.
      boolean _ = ended.complete(false);
      return;
    }
    reused = true;
    responses++;
    sinceNanos = clock.nanos();
    try {
      stopped =
          !continueAfter.test(
              response == null ? noAnswer(failure) : response.toServerResponse(clock.now()));
    } catch (RuntimeException | Error broken) {
      boolean _ = ended.completeExceptionally(broken);
      return;
    }
    send();
  }

  private ServerResponse noAnswer(@Nullable Throwable failure) {
    return new ServerResponse.NoAnswer(
        timedOut
            ? FailureText.noResponse(connection.peer(), TIMEOUT)
            : FailureText.exchange(connection.peer(), failure));
  }

  private void closeIfTimedOut() {
    if (clock.nanos() - sinceNanos >= TIMEOUT_NANOS) {
      timedOut = true;
      connection.close();
    }
  }

  private void stop() {
    stopped = true;
    connection.close();
  }
}
