package com.datanadhi.hub.http;

import com.datanadhi.hub.time.Clock;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.server.ConnectionMetaData;

/// The open connections. Closes those that take too long for a head or a body, which the idle
/// time-out does not do while single bytes keep coming; and, when there are too many, those of the
/// least use: first those that never sent a valid API key, then those idle for longest. So whoever
/// opens thousands of connections does not lock out the others. If requests are in progress on all,
/// the newest is closed. Thread-safe.
final class Connections implements Connection.Listener {
  /// Finding the least useful costs a scan, so a few more are closed at a time.
  private static final int EVICT_SHARE = 64;

  private final DoorSettings settings;
  private final Clock clock;
  private final Map<Connection, State> open = new ConcurrentHashMap<>();
  private final AtomicInteger count = new AtomicInteger();
  private final AtomicInteger active = new AtomicInteger();
  private volatile boolean closing;
  private final Object requestEnd = new Object();

  Connections(DoorSettings settings, Clock clock) {
    this.settings = settings;
    this.clock = clock;
  }

  @Override
  public void onOpened(Connection connection) {
    // Below TLS there is a connection, too; it is closed with the one above it.
    if (!(connection instanceof ConnectionMetaData)) {
      return;
    }
    State state = new State(connection);
    open.put(connection, state);
    if (count.incrementAndGet() > settings.maxConnections() && !evict(state)) {
      state.close();
    }
  }

  @Override
  public void onClosed(Connection connection) {
    if (open.remove(connection) != null) {
      count.decrementAndGet();
    }
  }

  int size() {
    return count.get();
  }

  /// The clock of the door, which only goes forward.
  long nanoTime() {
    return clock.nanoTime();
  }

  /// Waits until no request is in progress, or the time is over.
  void awaitNoRequests(long nanos) throws InterruptedException {
    closing = true;
    long deadline = clock.nanoTime() + nanos;
    synchronized (requestEnd) {
      long left = nanos;
      while (active.get() > 0 && left > 0) {
        requestEnd.wait(left / 1_000_000 + 1);
        left = deadline - clock.nanoTime();
      }
    }
  }

  State of(ConnectionMetaData connection) {
    // A connection that was closed meanwhile gets a state that nobody looks at.
    Connection key = connection.getConnection();
    State state = open.get(key);
    return state == null ? new State(key) : state;
  }

  /// Closes what is late. Called about every second.
  void turn() {
    long now = clock.nanoTime();
    for (State state : open.values()) {
      if (state.isLate(now)) {
        state.close();
      }
    }
  }

  /// Closes the connections of the least use, but not the newest one.
  ///
  /// @return false if all others are in use
  private boolean evict(State newest) {
    List<Idle> idle = new ArrayList<>();
    // Not the count: it grows beyond those that are looked at, and then all of them would go.
    int seen = 0;
    for (State state : open.values()) {
      seen++;
      if (state.requests == 0 && state != newest) {
        idle.add(new Idle(state, state.known, state.since));
      }
    }
    idle.sort(Comparator.comparing(Idle::known).thenComparingLong(Idle::since));
    int excess =
        Math.max(1, seen - settings.maxConnections() + settings.maxConnections() / EVICT_SHARE);
    idle.stream().limit(excess).forEach(each -> each.state().close());
    return !idle.isEmpty();
  }

  /// A connection without a request in progress, as it was when it was looked at.
  private record Idle(State state, boolean known, long since) {}

  /// One connection.
  final class State {
    private final Connection connection;
    private volatile int requests;
    private volatile boolean known;
    private volatile long since = clock.nanoTime();
    private volatile long bytesWhenIdle;
    private volatile long headSince;
    private volatile boolean inHead;
    private volatile boolean inBody;
    private volatile long bodySince;

    private State(Connection connection) {
      this.connection = connection;
    }

    void requestBegins() {
      synchronized (this) {
        requests++;
      }
      inHead = false;
      active.incrementAndGet();
    }

    void requestEnded() {
      since = clock.nanoTime();
      inHead = false;
      inBody = false;
      bytesWhenIdle = connection.getBytesIn();
      synchronized (this) {
        requests--;
      }
      if (active.decrementAndGet() == 0 && closing) {
        synchronized (requestEnd) {
          requestEnd.notifyAll();
        }
      }
    }

    /// A request had a valid API key.
    void isOfKnownSender() {
      known = true;
    }

    long nanoTime() {
      return clock.nanoTime();
    }

    void bodyBegins() {
      bodySince = clock.nanoTime();
      inBody = true;
    }

    void bodyEnded() {
      inBody = false;
    }

    /// Whether the body takes too long.
    boolean isBodyLate() {
      return inBody && clock.nanoTime() - bodySince > settings.bodyTotal().toNanos();
    }

    private boolean isLate(long now) {
      if (requests > 0) {
        // The handler answers 408 by itself, unless what drips in is no content (such as the
        // extensions of a chunk), so that it is never woken.
        return inBody
            && now - bodySince > settings.bodyTotal().plus(settings.bodyProgress()).toNanos();
      }
      if (!inHead && connection.getBytesIn() != bytesWhenIdle) {
        headSince = now;
        inHead = true;
      }
      return inHead && requests == 0 && now - headSince > settings.headTimeout().toNanos();
    }

    private void close() {
      connection.getEndPoint().close();
    }
  }
}
