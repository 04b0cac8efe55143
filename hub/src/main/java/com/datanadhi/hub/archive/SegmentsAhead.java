package com.datanadhi.hub.archive;

import com.datanadhi.hub.objects.ObjectStore;
import com.datanadhi.hub.objects.ObjectStoreException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Reads the packed records of segments before they are asked for: an archive of many small
/// segments costs the time of a request for each otherwise. It begins with one at a time, and reads
/// one more ahead with each that is taken, up to 8 and about 16 MiB. Used by one thread.
final class SegmentsAhead implements AutoCloseable {
  private static final int MOST = 8;
  private static final long MOST_BYTES = 16L << 20;

  private final ObjectStore store;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Deque<Map.Entry<SegmentName, SegmentChecksum>> waiting = new ArrayDeque<>();
  private final Deque<Reading> reading = new ArrayDeque<>();
  private long bytes;
  private int taken;

  SegmentsAhead(ObjectStore store) {
    this.store = store;
  }

  private record Reading(SegmentName name, long bytes, Future<SegmentData> data) {}

  /// Says that a segment will be asked for, behind those that were said before.
  void expect(SegmentName name, SegmentChecksum checksum) {
    waiting.add(Map.entry(name, checksum));
  }

  /// The records of the segment that is the next one of those that were said.
  SegmentData take(SegmentName name)
      throws ObjectStoreException, ArchiveFaultException, InterruptedException {
    taken++;
    begin();
    Reading next = reading.peekFirst();
    if (next == null || !next.name().equals(name)) {
      throw new IllegalStateException(name + " is not the next one");
    }
    try {
      return next.data().get();
    } catch (ExecutionException failed) {
      switch (failed.getCause()) {
        case ObjectStoreException away -> throw away;
        case ArchiveFaultException wrong -> throw wrong;
        case null, default -> throw new IllegalStateException(failed);
      }
    } finally {
      reading.removeFirst();
      bytes -= next.bytes();
    }
  }

  private void begin() {
    while (!waiting.isEmpty()
        && reading.size() < Math.min(MOST, taken)
        && (reading.isEmpty() || bytes + size(waiting.getFirst()) <= MOST_BYTES)) {
      Map.Entry<SegmentName, SegmentChecksum> next = waiting.removeFirst();
      bytes += size(next);
      reading.addLast(
          new Reading(
              next.getKey(),
              size(next),
              threads.submit(
                  () -> SegmentData.read(store, next.getKey(), Math.toIntExact(size(next))))));
    }
  }

  private static long size(Map.Entry<SegmentName, SegmentChecksum> segment) {
    return Math.clamp(segment.getValue().bytes(), 0, SegmentData.MAX_PACKED);
  }

  /// Ends what is being read, and waits for that.
  @Override
  public void close() {
    threads.shutdownNow();
    threads.close();
  }
}
