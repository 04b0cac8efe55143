package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.grpc.GrpcServer;
import com.datanadhi.echopost.time.Clock;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// Limits the records that wait for their commit, and the open calls of SendLog.
///
/// At either limit the server stops reading; the kernel's socket buffers and HTTP/2 flow control
/// then hold the clients back. If no commit ends for 5 s while the memory for records is full,
/// reading resumes, and records are refused until a commit ends. If too many calls stay open and no
/// commit ends for 5 s, incomplete requests are refused, since they hold up the others; if no
/// record waits for a commit, nothing but that can end the pause, and they are refused at once.
///
/// Confined to the event loop, except [#hasOpenCalls].
final class BackPressure {
  private static final int MAX_WAITING_RECORDS = 8_192;
  private static final long MAX_WAITING_BYTES = 16L << 20;

  /// 8,192 calls that wait for a commit, and 4,096 behind an incomplete one; the latter send at
  /// most their window.
  private static final int MAX_OPEN_CALLS = MAX_WAITING_RECORDS + MAX_WAITING_RECORDS / 2;

  /// A call has a stream until its client has read the response; see [GrpcServer].
  static final int MAX_STREAMS = 2 * MAX_OPEN_CALLS;

  private static final long STALL_NANOS = TimeUnit.SECONDS.toNanos(5);

  /// Longer than the event loop takes to answer a commit.
  private static final long NO_COMMIT_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  /// Whether messages are accepted into memory.
  ///
  ///     ACCEPTING ── full ──▶ PAUSED ── no commit for 5 s ──▶ REFUSING
  ///     PAUSED or REFUSING ── a commit, and not half full ──▶ ACCEPTING
  ///     REFUSING ── a commit, and still half full ──▶ PAUSED
  private enum Stage {
    ACCEPTING,
    PAUSED,
    /// Messages are read, and all records refused.
    REFUSING
  }

  private final GrpcServer server;
  private final Availability availability;
  private final Clock clock;
  // Retries to run when messages are accepted again, the oldest first.
  private final Set<Runnable> waiting = new LinkedHashSet<>();
  private Stage stage = Stage.ACCEPTING;
  // Independent of the stage, since it depends only on the number of open calls.
  private boolean tooManyOpenCalls;
  private long progressNanos;
  // Changed on the event loop, read by any thread.
  private final AtomicInteger openCalls = new AtomicInteger();

  BackPressure(GrpcServer server, Availability availability, Clock clock) {
    this.server = server;
    this.availability = availability;
    this.clock = clock;
  }

  // ---- calls

  /// A call of SendLog has started; [#callEnded] has to follow.
  void callStarted() {
    if (openCalls.incrementAndGet() >= MAX_OPEN_CALLS && !tooManyOpenCalls) {
      tooManyOpenCalls = true;
      progressNanos = clock.nanos();
      updateReading();
    }
  }

  void callEnded() {
    if (openCalls.decrementAndGet() < MAX_WAITING_RECORDS && tooManyOpenCalls) {
      tooManyOpenCalls = false;
      // Deferred, since a call can end within the read of a connection.
      server.loop().execute(this::updateReading);
    }
  }

  /// Whether a call has started and is not answered. Any thread.
  boolean hasOpenCalls() {
    return openCalls.get() > 0;
  }

  // ---- records

  /// Whether the next message of a connection may be requested.
  ///
  /// @param retry if not, runs once it may
  boolean acceptsMessage(Runnable retry) {
    if (stage == Stage.PAUSED) {
      waiting.add(retry);
      return false;
    }
    return true;
  }

  /// Removes the retry of a connection that has ended.
  void remove(Runnable retry) {
    waiting.remove(retry);
  }

  /// Whether every record is refused, because the buffer has not committed one for 5 s.
  boolean isRefusing() {
    return stage == Stage.REFUSING;
  }

  /// A record was accepted.
  ///
  /// @param roundRecords the number of accepted records that are not appended yet
  /// @param roundBytes their size
  void accepted(int roundRecords, long roundBytes) {
    if (stage == Stage.ACCEPTING && isFull(roundRecords, roundBytes)) {
      stage = Stage.PAUSED;
      progressNanos = clock.nanos();
      updateReading();
    }
  }

  private boolean isFull(int roundRecords, long roundBytes) {
    Buffer buffer = availability.buffer();
    return buffer.waitingRecords() + roundRecords >= MAX_WAITING_RECORDS
        || buffer.waitingBytes() + roundBytes >= MAX_WAITING_BYTES;
  }

  private boolean isHalfFull() {
    Buffer buffer = availability.buffer();
    return buffer.waitingRecords() >= MAX_WAITING_RECORDS / 2
        || buffer.waitingBytes() >= MAX_WAITING_BYTES / 2;
  }

  /// The buffer has completed records, and their calls are answered.
  void completed() {
    progressNanos = clock.nanos();
    if (stage != Stage.ACCEPTING && !isHalfFull()) {
      stage = Stage.ACCEPTING;
      resume();
    } else if (stage == Stage.REFUSING) {
      stage = Stage.PAUSED;
      updateReading();
    }
  }

  private void resume() {
    List<Runnable> next = List.copyOf(waiting);
    waiting.clear();
    next.forEach(Runnable::run);
    updateReading();
  }

  private void updateReading() {
    server.setReading(stage != Stage.PAUSED && !tooManyOpenCalls);
  }

  // ---- upkeep

  /// Handles time-outs.
  ///
  /// @return whether incomplete requests must be refused, because they hold up too many calls:
  ///   until [#hasTooManyOpenCalls] returns false
  boolean tick() {
    long now = clock.nanos();
    if (stage == Stage.PAUSED && now - progressNanos > STALL_NANOS) {
      stage = Stage.REFUSING;
      resume();
    }
    long limit = availability.waitingRecords() == 0 ? NO_COMMIT_NANOS : STALL_NANOS;
    if (tooManyOpenCalls && now - progressNanos > limit) {
      progressNanos = now;
      return true;
    }
    return false;
  }

  /// Whether too many calls are open: nothing is read until many of them have ended.
  boolean hasTooManyOpenCalls() {
    return tooManyOpenCalls;
  }
}
