package com.datanadhi.hub.log.segments;

import com.datanadhi.hub.log.NewEntry;
import com.datanadhi.hub.log.segments.Segment.Bounds;
import com.datanadhi.hub.log.segments.Segment.Kind;
import com.datanadhi.hub.time.Clock;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// Writes what waits, group by group, each with one sync. Confined to the writer's thread, which
/// nobody interrupts: an interrupt would close its channels.
final class LogWriter {
  /// What the writer tells the log.
  interface Listener {
    /// The batches from `from` on of this group, and all later ones of the stream, have no room.
    void noRoom(Stream stream, Group group, int from, long writtenEnd, String reason);

    /// A segment is sealed.
    void sealed(Stream stream, Segment segment, SegmentIndex index);

    /// The bytes that fit into the open segment of a stream.
    void remaining(Stream stream, long bytes);
  }

  private static final int BUFFER_BYTES = 1 << 20;

  /// Half of what the contract allows, for a disk that is slow.
  private static final long WEAK_SYNC_NANOS = TimeUnit.MILLISECONDS.toNanos(400);

  private static final class State {
    final Spares spares;
    @Nullable OpenSegment open;
    long end;
    boolean unsynced;
    long unsyncedSince;

    State(Spares spares, long end) {
      this.spares = spares;
      this.end = end;
    }
  }

  private final Map<Stream, State> states = new LinkedHashMap<>();
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
  private final Duration segmentAge;
  private final Clock clock;
  private final Listener listener;
  private UUID epoch;
  private final AtomicLong commits = new AtomicLong();

  LogWriter(UUID epoch, Duration segmentAge, Clock clock, Listener listener) {
    this.epoch = epoch;
    this.segmentAge = segmentAge;
    this.clock = clock;
    this.listener = listener;
  }

  long commits() {
    return commits.get();
  }

  void epoch(UUID next) {
    epoch = next;
  }

  /// Writes the batches to the operating system.
  void write(Group group, java.util.function.Function<Stream, Spares> spares) throws IOException {
    long _ = commits.incrementAndGet();
    for (Stream stream : group.streams()) {
      State state = states.get(stream);
      if (state == null) {
        state = new State(spares.apply(stream), stream.stableEnd());
        states.put(stream, state);
      }
      write(stream, state, group);
    }
  }

  private void write(Stream stream, State state, Group group) throws IOException {
    List<Batch> batches = group.batches();
    for (int i = 0; i < batches.size(); i++) {
      Batch batch = batches.get(i);
      if (batch.stream() != stream) {
        continue;
      }
      try {
        for (NewEntry entry : batch.entries()) {
          segmentFor(stream, state, entry).add(entry, stream.stableEnd());
          state.end++;
          if (!state.unsynced) {
            state.unsynced = true;
            state.unsyncedSince = Clock.system().nanoTime();
          }
        }
      } catch (Spares.NoRoomException full) {
        listener.noRoom(stream, group, i, state.end, String.valueOf(full.getMessage()));
        break;
      }
      batch.forgetEntries();
    }
    OpenSegment open = state.open;
    if (open != null) {
      open.flush();
    }
    listener.remaining(stream, open == null ? 0 : remaining(stream, open));
  }

  private static long remaining(Stream stream, OpenSegment open) {
    return stream.segmentBytes() - RecordFormat.HEADER_BYTES - open.position();
  }

  private OpenSegment segmentFor(Stream stream, State state, NewEntry entry) throws IOException {
    OpenSegment open = state.open;
    long bytes = (long) RecordFormat.HEADER_BYTES + entry.payload().length;
    if (open != null && open.hasRecords() && bytes > remaining(stream, open)) {
      seal(stream, state);
      open = null;
    }
    if (open == null) {
      open = open(stream, state);
    }
    return open;
  }

  private OpenSegment open(Stream stream, State state) throws IOException {
    SegmentName name = new SegmentName(epoch, state.end);
    FileChannel channel = state.spares.take(name);
    SegmentIndex index = new SegmentIndex();
    Segment segment =
        new Segment(
            name,
            stream.directory(),
            Kind.RECORDS,
            new Bounds(state.end, RecordFormat.SEGMENT_HEADER_BYTES, 0),
            index);
    OpenSegment open =
        new OpenSegment(segment, index, channel, buffer, clock.nanoTime(), clock.wallMillis());
    stream.add(segment);
    state.open = open;
    return open;
  }

  /// Makes what was written of these streams durable and visible.
  void sync(Iterable<Stream> streams) throws IOException {
    for (Stream stream : streams) {
      State state = states.get(stream);
      if (state != null) {
        sync(stream, state);
      }
    }
  }

  private static void sync(Stream stream, State state) throws IOException {
    OpenSegment open = state.open;
    if (open != null && state.unsynced) {
      open.sync();
      state.unsynced = false;
      open.segment().extend(new Bounds(state.end, open.position(), 0));
      stream.stable(state.end);
    }
  }

  /// Syncs what was appended at a weaker level long enough ago, and seals segments that are old.
  void tick() throws IOException {
    for (Map.Entry<Stream, State> entry : states.entrySet()) {
      State state = entry.getValue();
      if (state.unsynced && Clock.system().nanoTime() - state.unsyncedSince >= WEAK_SYNC_NANOS) {
        sync(entry.getKey(), state);
      }
      OpenSegment open = state.open;
      if (open != null && clock.nanoTime() - open.openedAt() >= segmentAge.toNanos()) {
        seal(entry.getKey(), state);
      }
    }
  }

  void seal(Stream stream) throws IOException {
    State state = states.get(stream);
    if (state != null) {
      seal(stream, state);
    }
  }

  void sealAll() throws IOException {
    for (Map.Entry<Stream, State> entry : states.entrySet()) {
      seal(entry.getKey(), entry.getValue());
    }
  }

  private void seal(Stream stream, State state) throws IOException {
    OpenSegment open = state.open;
    if (open == null) {
      return;
    }
    open.flush();
    if (state.unsynced) {
      // A seal that survives a power loss says that the records before it did.
      open.sync();
    }
    long limit = open.position();
    long sealedAt = Math.max(1, clock.wallMillis());
    open.seal(sealedAt);
    state.open = null;
    state.unsynced = false;
    open.segment().extend(new Bounds(state.end, limit + RecordFormat.HEADER_BYTES, sealedAt));
    stream.stable(state.end);
    listener.remaining(stream, 0);
    listener.sealed(stream, open.segment(), open.index());
  }

  /// Closes the files as they are.
  void abandon() throws IOException {
    for (State state : states.values()) {
      OpenSegment open = state.open;
      state.open = null;
      if (open != null) {
        open.close();
      }
    }
  }
}
