package com.datanadhi.sdk.internal.delivery;

import com.datanadhi.sdk.Counters;
import com.datanadhi.sdk.EchoPostState;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/** What became of every record that was ever submitted. Thread-safe, without locks. */
public final class RecordCounts {
  /** The ways on which a record can be delivered. */
  public enum Destination {
    /** It was there. */
    MAIN_SERVER,
    /** It keeps the record until the main server is back. */
    ECHOPOST,
    /** In a batch. */
    FALLBACK
  }

  private final LongAdder submitted = new LongAdder();
  private final LongAdder refused = new LongAdder();
  private final LongAdder lost = new LongAdder();
  private final LongAdder toMainServer = new LongAdder();
  private final LongAdder toEchoPost = new LongAdder();
  private final LongAdder toFallback = new LongAdder();
  private final Map<String, LongAdder> dropped = new ConcurrentHashMap<>();
  private final AtomicLong open = new AtomicLong();

  /** A record is going to be taken. */
  public void submitting() {
    open.incrementAndGet();
  }

  /** It was taken. */
  public void submitted() {
    submitted.increment();
  }

  /** It was not. */
  public void refused() {
    open.decrementAndGet();
    refused.increment();
  }

  long refusedTotal() {
    return refused.sum();
  }

  void delivered(Destination way, int records) {
    if (records > 0) {
      on(way).add(records);
      open.addAndGet(-records);
    }
  }

  void dropped(String reason, int records) {
    dropped.computeIfAbsent(reason, r -> new LongAdder()).add(records);
    open.addAndGet(-records);
  }

  void lost(int records) {
    lost.add(records);
    open.addAndGet(-records);
  }

  private LongAdder on(Destination way) {
    return switch (way) {
      case MAIN_SERVER -> toMainServer;
      case ECHOPOST -> toEchoPost;
      case FALLBACK -> toFallback;
    };
  }

  /** Records of which nothing has become yet. */
  public long open() {
    return open.get();
  }

  /** All of it. */
  public Counters snapshot(int depth, EchoPostState echoPost) {
    Map<String, Long> byReason = new TreeMap<>();
    dropped.forEach((reason, count) -> byReason.put(reason, count.sum()));
    return new Counters(
        submitted.sum(),
        refused.sum(),
        on(Destination.MAIN_SERVER).sum(),
        on(Destination.ECHOPOST).sum(),
        on(Destination.FALLBACK).sum(),
        byReason,
        lost.sum(),
        depth,
        echoPost);
  }
}
