package com.datanadhi.sdk.internal.delivery;

import com.datanadhi.sdk.Counters;
import com.datanadhi.sdk.EchoPostState;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/** Counts the outcomes of all submitted records. Thread-safe, without locks. */
public final class RecordCounts {
  private final LongAdder submitted = new LongAdder();
  private final LongAdder refused = new LongAdder();
  private final LongAdder lost = new LongAdder();
  private final LongAdder replacedValues = new LongAdder();
  private final LongAdder truncated = new LongAdder();
  private final LongAdder toMainServer = new LongAdder();
  private final LongAdder toEchoPost = new LongAdder();
  private final LongAdder toFallback = new LongAdder();
  private final Map<String, LongAdder> dropped = new ConcurrentHashMap<>();
  private final AtomicLong outstanding = new AtomicLong();

  /**
   * A record is about to be offered to the queue. It counts as outstanding from now on, so that a
   * worker cannot deliver it before it is counted.
   */
  public void countOffered() {
    outstanding.incrementAndGet();
  }

  /** The queue accepted the record that was offered. */
  public void countSubmitted() {
    submitted.increment();
  }

  /** The queue refused the record that was offered. */
  public void countRefused() {
    outstanding.decrementAndGet();
    refused.increment();
  }

  /** A submitted record differs from its payload. */
  public void countChanges(int values, boolean isTruncated) {
    replacedValues.add(values);
    if (isTruncated) {
      truncated.increment();
    }
  }

  long refused() {
    return refused.sum();
  }

  void countDelivered(Destination destination, int records) {
    if (records > 0) {
      adder(destination).add(records);
      outstanding.addAndGet(-records);
    }
  }

  void countDropped(String reason, int records) {
    dropped.computeIfAbsent(reason, r -> new LongAdder()).add(records);
    outstanding.addAndGet(-records);
  }

  void countLost(int records) {
    lost.add(records);
    outstanding.addAndGet(-records);
  }

  private LongAdder adder(Destination destination) {
    return switch (destination) {
      case MAIN_SERVER -> toMainServer;
      case ECHOPOST -> toEchoPost;
      case FALLBACK -> toFallback;
    };
  }

  /** The number of submitted records without an outcome. */
  public long outstanding() {
    return outstanding.get();
  }

  /** The counts as the public API shows them. */
  public Counters snapshot(int queueDepth, EchoPostState echoPost) {
    Map<String, Long> byReason = new TreeMap<>();
    dropped.forEach((reason, count) -> byReason.put(reason, count.sum()));
    return new Counters(
        submitted.sum(),
        refused.sum(),
        toMainServer.sum(),
        toEchoPost.sum(),
        toFallback.sum(),
        byReason,
        lost.sum(),
        replacedValues.sum(),
        truncated.sum(),
        queueDepth,
        echoPost);
  }
}
