package com.datanadhi.hub.bench;

import com.datanadhi.hub.log.Append;
import com.datanadhi.hub.log.Durability;
import com.datanadhi.hub.log.Log;
import com.datanadhi.hub.log.LogEntry;
import com.datanadhi.hub.log.LogStats;
import com.datanadhi.hub.log.NewEntry;
import com.datanadhi.hub.log.SegmentInfo;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/// A log whose appends complete at once and keep nothing.
final class InstantLog implements Log {
  private final UUID epoch = UUID.randomUUID();
  private long end;

  private record Done(long firstOffset) implements Append.Accepted {
    @Override
    public Append.Outcome await() {
      return new Append.Stored(firstOffset);
    }
  }

  @Override
  public UUID epoch() {
    return epoch;
  }

  @Override
  public synchronized Append append(String stream, List<NewEntry> entries, Durability durability) {
    long first = end;
    end += entries.size();
    return new Done(first);
  }

  @Override
  public List<LogEntry> read(String stream, long from, int maxRecords, long maxBytes) {
    return List.of();
  }

  @Override
  public synchronized long stableEnd(String stream) {
    return end;
  }

  @Override
  public synchronized long end(String stream) {
    return end;
  }

  @Override
  public boolean awaitStable(String stream, long offset, Duration timeout) {
    return stableEnd(stream) > offset;
  }

  @Override
  public long start(String stream) {
    return 0;
  }

  @Override
  public void rotate(String stream) {}

  @Override
  public void beginEpoch() {}

  @Override
  public List<SegmentInfo> segments(String stream) {
    return List.of();
  }

  @Override
  public void deleteSegment(String stream, long firstOffset) {
    throw new IllegalArgumentException("there is no segment");
  }

  @Override
  public List<String> streams() {
    return List.of();
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
