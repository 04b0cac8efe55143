package com.datanadhi.hub.apply;

import com.datanadhi.hub.log.Append;
import com.datanadhi.hub.log.DamagedException;
import com.datanadhi.hub.log.Durability;
import com.datanadhi.hub.log.Log;
import com.datanadhi.hub.log.LogEntry;
import com.datanadhi.hub.log.LogStats;
import com.datanadhi.hub.log.NewEntry;
import com.datanadhi.hub.log.SegmentInfo;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/// A log as a list, whose records a test can damage. It has the one stream `events-0`. Thread-safe.
final class MemoryLog implements Log {
  private final List<LogEntry> entries = new ArrayList<>();
  private final List<Long> rotations = new ArrayList<>(List.of(0L));
  private UUID epoch;
  private long start;
  private long damagedFrom = Long.MAX_VALUE;
  private long damagedTo = Long.MAX_VALUE;

  MemoryLog(UUID epoch) {
    this.epoch = epoch;
  }

  @Override
  public synchronized UUID epoch() {
    return epoch;
  }

  synchronized long append(int type, long time, byte[] payload) {
    entries.add(new LogEntry(epoch, entries.size(), type, time, payload));
    notifyAll();
    return entries.size() - 1L;
  }

  synchronized void damage(long from, long to) {
    damagedFrom = from;
    damagedTo = to;
  }

  /// Forgets the end, as a power loss does.
  synchronized void cut(long end) {
    while (entries.size() > end) {
      entries.removeLast();
    }
  }

  @Override
  public Append append(String stream, List<NewEntry> added, Durability durability) {
    throw new UnsupportedOperationException();
  }

  @Override
  public synchronized List<LogEntry> read(String stream, long from, int maxRecords, long maxBytes)
      throws DamagedException {
    List<LogEntry> read = new ArrayList<>();
    long bytes = 0;
    for (long offset = from;
        offset < entries.size() && read.size() < maxRecords && (read.isEmpty() || bytes < maxBytes);
        offset++) {
      if (offset >= damagedFrom && offset < damagedTo) {
        if (read.isEmpty()) {
          throw new DamagedException(stream, offset, damagedTo, "the test damaged it");
        }
        break;
      }
      LogEntry entry = entries.get((int) offset);
      bytes += entry.payload().length;
      read.add(entry);
    }
    return read;
  }

  @Override
  public synchronized long stableEnd(String stream) {
    return entries.size();
  }

  @Override
  public synchronized long end(String stream) {
    return entries.size();
  }

  @Override
  public synchronized boolean awaitStable(String stream, long offset, Duration timeout)
      throws InterruptedException {
    long end = System.nanoTime() + timeout.toNanos();
    while (entries.size() <= offset) {
      long left = (end - System.nanoTime()) / 1_000_000;
      if (left <= 0) {
        return false;
      }
      wait(left);
    }
    return true;
  }

  @Override
  public synchronized long start(String stream) {
    return start;
  }

  @Override
  public synchronized void rotate(String stream) {
    if (rotations.getLast() < entries.size()) {
      rotations.add((long) entries.size());
    }
  }

  @Override
  public synchronized void beginEpoch() {
    epoch = new UUID(epoch.getMostSignificantBits() + (1L << 32), 1);
    rotate("events-0");
  }

  @Override
  public synchronized List<SegmentInfo> segments(String stream) {
    List<SegmentInfo> segments = new ArrayList<>();
    for (int i = 0; i < rotations.size(); i++) {
      long first = rotations.get(i);
      boolean isOpen = i + 1 == rotations.size();
      long end = isOpen ? entries.size() : rotations.get(i + 1);
      if (end > start) {
        segments.add(
            new SegmentInfo(
                first < entries.size() ? entries.get((int) first).epoch() : epoch,
                first,
                end,
                end - first,
                isOpen ? 0 : 1));
      }
    }
    return segments;
  }

  @Override
  public synchronized void deleteSegment(String stream, long firstOffset) {
    start = rotations.get(rotations.indexOf(firstOffset) + 1);
  }

  @Override
  public List<String> streams() {
    return List.of("events-0");
  }

  @Override
  public LogStats stats() {
    throw new UnsupportedOperationException();
  }

  @Override
  public CompletionStage<Throwable> failure() {
    return new CompletableFuture<>();
  }

  @Override
  public void close() {}
}
