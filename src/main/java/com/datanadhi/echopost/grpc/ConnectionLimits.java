package com.datanadhi.echopost.grpc;

import com.datanadhi.echopost.time.Clock;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/// The open connections of a server: whether they are read, and which ones are closed to make room.
/// Confined to the event loop, but for [#nanosSinceTick].
final class ConnectionLimits {
  private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(1);

  /// Longer than other work of the loop may delay a tick, which is Netty's bound of a second:
  /// otherwise no connection would be idle while the loop is busy, and no new one would get in.
  private static final long LATE_NANOS = 2 * IDLE_NANOS;

  private final Clock clock;
  private final ServerLimits load;
  private final Set<ClientConnection> open = new LinkedHashSet<>();
  private boolean applicationReads = true;
  // Written on the event loop, read by the watchdog's thread.
  private volatile long tickNanos;

  /// @param maxStreams see [ServerLimits]
  ConnectionLimits(EventLoop loop, int maxStreams, Clock clock) {
    this.clock = clock;
    this.tickNanos = clock.nanos();
    this.load =
        new ServerLimits(
            maxStreams,
            this::updateReading,
            // Not within the read of a connection, in which a stream can close.
            () -> loop.execute(this::updateReading));
  }

  ServerLimits load() {
    return load;
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
    return applicationReads && !load.hasTooManyStreams();
  }

  private void updateReading() {
    // A copy: to read from a connection can close it. Evaluated for each one: what is read from one
    // can end reading for all.
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
    if (load.hasTooManyStreams()) {
      closeSlowReaders();
    }
    if (makeRoom && isReading()) {
      closeIdle(now);
    }
  }

  /// Closes the connections with the most responses that their clients have not read. What they
  /// sent is processed; a client that got no response sends its request again.
  private void closeSlowReaders() {
    int surplus = load.surplusStreams();
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

  private void closeIdle(long now) {
    open.stream()
        .filter(c -> c.hasNoCompleteCall() && c.idleNanos(now) > IDLE_NANOS)
        .sorted(Comparator.comparingLong((ClientConnection c) -> c.idleNanos(now)).reversed())
        .limit(Math.max(1, open.size() / 4))
        .forEach(c -> c.close(now));
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
