package com.datanadhi.hub.log;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

/// The contract of [Log] as plain lists: each append is durable at once.
public final class ListLog implements Log {
  /// What stays when the log is closed.
  public static final class Store {
    final Map<String, Records> streams = new TreeMap<>();
    UUID epoch = new UUID(1, 1);
  }

  static final class Records {
    final List<LogEntry> all = new ArrayList<>();
    final TreeMap<Long, Long> sealed = new TreeMap<>();
    long openFrom;
    long start;
  }

  private final Store store;
  private final long bound;
  private final CompletableFuture<Throwable> failure = new CompletableFuture<>();
  private boolean closed;
  private long appended;
  private long appendedBytes;
  private long refused;

  /// @param bound of the bytes of one append
  public ListLog(Store store, long bound) {
    this.store = store;
    this.bound = bound;
    store.streams.keySet().forEach(this::rotate);
  }

  private record Done(long firstOffset) implements Append.Accepted {
    @Override
    public Append.Outcome await() {
      return new Append.Stored(firstOffset);
    }
  }

  @Override
  public synchronized UUID epoch() {
    return store.epoch;
  }

  @Override
  public synchronized Append append(String stream, List<NewEntry> entries, Durability durability) {
    if (entries.isEmpty()) {
      throw new IllegalArgumentException("an append needs a record");
    }
    if (closed) {
      refused++;
      return new Append.Refused(Append.Cause.CLOSED, "closed");
    }
    long bytes = 0;
    for (NewEntry entry : entries) {
      if (entry.payload().length > MAX_PAYLOAD || entry.type() < 1 || entry.type() > 255) {
        throw new IllegalArgumentException("not an entry");
      }
      bytes += 29L + entry.payload().length;
    }
    if (bytes > bound) {
      refused++;
      return new Append.Refused(Append.Cause.FULL, "full");
    }
    Records records = store.streams.computeIfAbsent(stream, _ -> new Records());
    long first = records.all.size();
    for (NewEntry entry : entries) {
      records.all.add(
          new LogEntry(
              store.epoch, records.all.size(), entry.type(), entry.time(), entry.payload()));
    }
    appended += entries.size();
    appendedBytes += bytes;
    notifyAll();
    return new Done(first);
  }

  @Override
  public synchronized List<LogEntry> read(String stream, long from, int maxRecords, long maxBytes) {
    if (from < 0 || maxRecords < 1) {
      throw new IllegalArgumentException("not a range");
    }
    Records records = store.streams.get(stream);
    List<LogEntry> found = new ArrayList<>();
    if (records == null || from >= records.all.size()) {
      return found;
    }
    if (from < records.start) {
      throw new IllegalArgumentException("deleted");
    }
    long bytes = 0;
    for (LogEntry entry : records.all.subList((int) from, records.all.size())) {
      bytes += entry.payload().length;
      if (found.size() == maxRecords || (!found.isEmpty() && bytes > maxBytes)) {
        break;
      }
      found.add(entry);
    }
    return found;
  }

  @Override
  public synchronized long stableEnd(String stream) {
    return end(stream);
  }

  @Override
  public synchronized long end(String stream) {
    Records records = store.streams.get(stream);
    return records == null ? 0 : records.all.size();
  }

  @Override
  public synchronized boolean awaitStable(String stream, long offset, Duration timeout)
      throws InterruptedException {
    long until = System.nanoTime() + TimeUnit.NANOSECONDS.convert(timeout) / 2;
    while (end(stream) <= offset && !closed && System.nanoTime() - until < 0) {
      wait(Math.max(1, (until - System.nanoTime()) / 1_000_000));
    }
    return end(stream) > offset;
  }

  @Override
  public synchronized long start(String stream) {
    Records records = store.streams.get(stream);
    return records == null ? 0 : records.start;
  }

  @Override
  public synchronized void rotate(String stream) {
    Records records = store.streams.get(stream);
    if (records != null && records.openFrom < records.all.size()) {
      records.sealed.put(records.openFrom, (long) records.all.size());
      records.openFrom = records.all.size();
    }
  }

  @Override
  public synchronized void beginEpoch() {
    store.streams.keySet().forEach(this::rotate);
    store.epoch = UUID.randomUUID();
  }

  @Override
  public synchronized List<SegmentInfo> segments(String stream) {
    List<SegmentInfo> infos = new ArrayList<>();
    Records records = store.streams.get(stream);
    if (records != null) {
      records.sealed.forEach((first, end) -> infos.add(info(records, first, end, 1)));
      if (records.openFrom < records.all.size()) {
        infos.add(info(records, records.openFrom, records.all.size(), 0));
      }
    }
    return infos;
  }

  private static SegmentInfo info(Records records, long first, long end, long sealedAt) {
    long bytes = 0;
    for (LogEntry entry : records.all.subList((int) first, (int) end)) {
      bytes += 29L + entry.payload().length;
    }
    return new SegmentInfo(records.all.get((int) first).epoch(), first, end, bytes, sealedAt);
  }

  @Override
  public synchronized void deleteSegment(String stream, long firstOffset) {
    Records records = store.streams.get(stream);
    if (records == null || firstOffset != records.start) {
      throw new IllegalArgumentException("this reference only deletes the oldest segment");
    }
    Long end = records.sealed.remove(firstOffset);
    if (end == null) {
      throw new IllegalArgumentException("not sealed");
    }
    records.start = end;
  }

  /// Deletes everything before this offset.
  public synchronized void drop(String stream, long before) {
    Records records = store.streams.get(stream);
    if (records != null) {
      records.start = before;
    }
  }

  @Override
  public synchronized List<String> streams() {
    return List.copyOf(store.streams.keySet());
  }

  @Override
  public synchronized LogStats stats() {
    return new LogStats(appended, appendedBytes, refused, 0, 0, 0, 0, 0);
  }

  @Override
  public CompletionStage<Throwable> failure() {
    return failure;
  }

  @Override
  public synchronized void close() {
    closed = true;
    notifyAll();
  }
}
