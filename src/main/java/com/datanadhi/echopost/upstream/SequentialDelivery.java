package com.datanadhi.echopost.upstream;

import com.datanadhi.echopost.time.Clock;
import io.netty.buffer.ByteBuf;
import java.util.Iterator;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// Deliveries over one connection, each sent once the one before is answered.
///
/// The event loop goes from one to the next by itself: to wake the replaying thread for each
/// answer, and the loop for each request, takes longer than the exchange does. One thread makes a
/// run and awaits its end; all else happens on the event loop.
final class SequentialDelivery {
  private static final long PATIENCE_NANOS = MainServer.DELIVERY_TIMEOUT.toNanos();
  private static final long LOOK_AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

  private final HttpConnection connection;
  private final Iterator<DeliveryRequest> deliveries;
  private final Function<DeliveryRequest, ByteBuf> request;
  private final Predicate<ServerResponse> goOn;
  private final Clock clock;
  private final CompletableFuture<Boolean> ended = new CompletableFuture<>();
  private volatile long sinceNanos;

  private boolean reused;
  private boolean late;
  private boolean stopped;
  private int answers;

  /// @param deliveries what to send
  /// @param request makes a request, once it is sure to be sent: nobody else would release it
  /// @param goOn hears each answer, on the event loop, and says whether to send the next
  /// @param reused whether `connection` has been used before
  /// @param sinceNanos when the first request was first tried
  SequentialDelivery(
      HttpConnection connection,
      Iterator<DeliveryRequest> deliveries,
      Function<DeliveryRequest, ByteBuf> request,
      Predicate<ServerResponse> goOn,
      boolean reused,
      Clock clock,
      long sinceNanos) {
    this.connection = connection;
    this.deliveries = deliveries;
    this.request = request;
    this.goOn = goOn;
    this.reused = reused;
    this.clock = clock;
    this.sinceNanos = sinceNanos;
  }

  /// Runs.
  ///
  /// @return whether it came to its end: false when the next request, which was not answered, is to
  ///   be sent again over another connection
  /// @throws InterruptedException when the thread was interrupted; `goOn` hears nothing after that
  boolean await() throws InterruptedException {
    connection.execute(this::send);
    try {
      while (true) {
        long left = sinceNanos + PATIENCE_NANOS - clock.nanos();
        try {
          return ended.get(Math.max(left, LOOK_AGAIN_NANOS), TimeUnit.NANOSECONDS);
        } catch (TimeoutException slow) {
          connection.execute(this::giveUpIfLate);
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

  /// How many answers `goOn` has heard.
  int answers() {
    return answers;
  }

  /// When the request that is under way, or next, was first tried, by the clock's nanoseconds.
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
        // Begins when all that was read is dealt with: a second answer to the last request must not
        // be taken for the answer to this one.
        var _ = connection.exchange(request.apply(deliveries.next())).whenComplete(this::answered);
      } catch (RuntimeException | Error broken) {
        // Netty throws an OutOfMemoryError of its own, which does not end the process.
        boolean _ = ended.completeExceptionally(broken);
      }
    }
  }

  private void answered(HttpConnection.@Nullable Response response, @Nullable Throwable failure) {
    if (stopped) {
      boolean _ = ended.complete(true);
      return;
    }
    if (response == null && reused && !late && !connection.wasAnswered()) {
      // The server had closed the idle connection: its right, and no sign that it is down.
      boolean _ = ended.complete(false);
      return;
    }
    reused = true;
    answers++;
    sinceNanos = clock.nanos();
    try {
      stopped = !goOn.test(response == null ? noAnswer(failure) : response.answer(clock.now()));
    } catch (RuntimeException | Error broken) {
      boolean _ = ended.completeExceptionally(broken);
      return;
    }
    send();
  }

  private ServerResponse noAnswer(@Nullable Throwable failure) {
    return new ServerResponse.NoAnswer(late ? "no answer in time" : Connector.writeTo(failure));
  }

  private void giveUpIfLate() {
    if (clock.nanos() - sinceNanos >= PATIENCE_NANOS) {
      late = true;
      connection.close();
    }
  }

  private void stop() {
    stopped = true;
    connection.close();
  }
}
