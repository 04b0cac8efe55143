package com.datanadhi.hub.intake;

import com.datanadhi.hub.log.Append;
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
import org.jspecify.annotations.Nullable;

/// A log of one stream in a list. Appends are durable at once, or when the test says so, or fail.
class MemoryLog implements Log {
  private final UUID epoch = new UUID(1, 1);
  private final List<LogEntry> entries = new ArrayList<>();
  private final List<Held> held = new ArrayList<>();
  private boolean hold;
  private @Nullable Append refusal;
  private @Nullable String failure;
  private int appends;

  /// From now on appends wait for [#release].
  synchronized void hold() {
    hold = true;
  }

  synchronized void release() {
    hold = false;
    held.forEach(one -> one.complete(new Append.Stored(one.first)));
    held.clear();
  }

  /// What waits, and what comes until [#recover], may be in the log or not: it is.
  synchronized void fail(String detail) {
    hold = false;
    failure = detail;
    held.forEach(one -> one.complete(new Append.Unknown(detail)));
    held.clear();
  }

  synchronized void refuse(Append.Refused with) {
    refusal = with;
  }

  synchronized void recover() {
    refusal = null;
    failure = null;
  }

  synchronized int appends() {
    return appends;
  }

  synchronized int waiting() {
    return held.size();
  }

  synchronized List<LogEntry> all() {
    return List.copyOf(entries);
  }

  @Override
  public UUID epoch() {
    return epoch;
  }

  @Override
  public synchronized Append append(String stream, List<NewEntry> batch, Durability durability) {
    if (!stream.equals(Intake.STREAM)) {
      throw new IllegalArgumentException(stream);
    }
    if (refusal != null) {
      return refusal;
    }
    appends++;
    Held one = new Held(entries.size());
    for (NewEntry entry : batch) {
      entries.add(new LogEntry(epoch, entries.size(), entry.type(), entry.time(), entry.payload()));
    }
    if (failure != null) {
      one.complete(new Append.Unknown(failure));
    } else if (hold) {
      held.add(one);
    } else {
      one.complete(new Append.Stored(one.first));
    }
    return one;
  }

  @Override
  public synchronized List<LogEntry> read(String stream, long from, int maxRecords, long maxBytes) {
    int first = (int) from;
    return first >= entries.size()
        ? List.of()
        : List.copyOf(entries.subList(first, Math.min(entries.size(), first + maxRecords)));
  }

  @Override
  public synchronized long stableEnd(String stream) {
    return held.isEmpty() ? entries.size() : held.getFirst().first;
  }

  @Override
  public synchronized long end(String stream) {
    return entries.size();
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
  public void rotate(String stream) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void beginEpoch() {
    throw new UnsupportedOperationException();
  }

  @Override
  public List<SegmentInfo> segments(String stream) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void deleteSegment(String stream, long firstOffset) {
    throw new UnsupportedOperationException();
  }

  @Override
  public List<String> streams() {
    return List.of(Intake.STREAM);
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

  private static final class Held implements Append.Accepted {
    final long first;
    private final CompletableFuture<Append.Outcome> outcome = new CompletableFuture<>();

    Held(long first) {
      this.first = first;
    }

    void complete(Append.Outcome with) {
      outcome.complete(with);
    }

    @Override
    public Append.Outcome await() throws InterruptedException {
      try {
        return outcome.get();
      } catch (java.util.concurrent.ExecutionException impossible) {
        throw new AssertionError(impossible);
      }
    }
  }
}
