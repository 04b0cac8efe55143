package com.datanadhi.echopost.grpc;

import com.datanadhi.echopost.time.Clock;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/// The open connections of a server: decides whether they are read, and which ones are closed to
/// make room. Confined to the event loop, except [#nanosSinceTick].
final class ConnectionLimits {
  private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(1);

  /// A client that sends a byte now and then is not idle: this long after its connection was
  /// opened, it must have had a record stored.
  private static final long FRUITLESS_NANOS = TimeUnit.SECONDS.toNanos(5);

  /// Not a share of the connections that are open: a crowd may have just left.
  private static final int MAX_PREFERRED = SocketListener.MAX_CONNECTIONS * 3 / 4;

  /// More than the longest delay of a tick by other work of the loop, which Netty limits to 1 s.
  /// With a shorter time, no connection would be idle while the loop is busy, and no new one would
  /// be accepted.
  private static final long LATE_NANOS = 2 * IDLE_NANOS;

  private final Clock clock;
  private final ServerLimits limits;
  private final Set<ClientConnection> open = new LinkedHashSet<>();
  private boolean applicationReads = true;
  // Written on the event loop, read by the watchdog's thread.
  private volatile long tickNanos;

  /// @param maxStreams see [ServerLimits]
  ConnectionLimits(EventLoop loop, int maxStreams, Clock clock) {
    this.clock = clock;
    this.tickNanos = clock.nanos();
    this.limits =
        new ServerLimits(
            maxStreams,
            this::updateReading,
            // Deferred, since a stream can close within the read of a connection.
            () -> loop.execute(this::updateReading));
  }

  ServerLimits limits() {
    return limits;
  }

  void opened(ClientConnection connection) {
    open.add(connection);
    connection.setReading(isReading());
  }

  void closed(ClientConnection connection) {
    open.remove(connection);
  }

  // ---- reading

  /// See [GrpcServer#setReading].
  void setReading(boolean reading) {
    applicationReads = reading;
    updateReading();
  }

  private boolean isReading() {
    return applicationReads && !limits.hasTooManyStreams();
  }

  private void updateReading() {
    // A copy, since reading from a connection can close it. isReading() is evaluated for each one,
    // since what is read from one can stop reading for all.
    for (ClientConnection connection : List.copyOf(open)) {
      connection.setReading(isReading());
    }
  }

  // ---- upkeep

  /// See [GrpcServer#tickSoon].
  void tick(boolean makeRoom) {
    long now = clock.nanos();
    boolean late = now - tickNanos > LATE_NANOS;
    tickNanos = now;
    for (ClientConnection connection : open) {
      connection.tick(now, late);
    }
    if (limits.hasTooManyStreams()) {
      closeSlowReaders();
    }
    if (makeRoom && isReading()) {
      closeIdle(now);
    }
  }

  /// Closes the connections with the most responses that their clients have not read. Requests that
  /// arrived are processed; a client that got no response sends its request again.
  private void closeSlowReaders() {
    int surplus = limits.surplusStreams();
    List<ClientConnection> slowestFirst = new ArrayList<>(open);
    slowestFirst.sort(Comparator.comparingInt(ClientConnection::unreadResponses).reversed());
    for (ClientConnection connection : slowestFirst) {
      if (surplus < 0 || connection.unreadResponses() == 0) {
        return;
      }
      surplus -= connection.unreadResponses();
      connection.closeNow();
    }
  }

  /// Closes up to a quarter of the connections, with GOAWAY. Preferred ones keep up to three
  /// quarters of all places: a crowd of others gets room only from each other.
  private void closeIdle(long now) {
    boolean manyPreferred =
        open.stream().filter(ClientConnection::isPreferred).count() > MAX_PREFERRED;
    open.stream()
        .filter(
            c -> c.awaitsNoResponse() && isUseless(c, now) && (manyPreferred || !c.isPreferred()))
        .sorted(
            Comparator.comparing(ClientConnection::isPreferred)
                .thenComparingLong(c -> -c.idleNanos(now)))
        .limit(Math.max(1, open.size() / 4))
        .forEach(c -> c.close(now));
  }

  private static boolean isUseless(ClientConnection connection, long now) {
    return connection.idleNanos(now) > IDLE_NANOS
        || (!connection.isPreferred() && connection.unansweredNanos(now) > FRUITLESS_NANOS);
  }

  /// See [GrpcServer#nanosSinceTick]. Any thread.
  long nanosSinceTick() {
    return clock.nanos() - tickNanos;
  }

  /// See [GrpcServer#hasNewConnection].
  boolean hasNewConnection(long nanos) {
    long now = clock.nanos();
    return open.stream().anyMatch(c -> c.hasNoCallYet() && c.idleNanos(now) < nanos);
  }
}
