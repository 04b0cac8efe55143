package com.datanadhi.echopost.replay;

import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.upstream.ServerResponse;
import java.util.List;
import java.util.function.Predicate;

/// Records that are delivered one by one, up to the first that the server does not accept or to a
/// deadline. Another thread calls [#test] while the replay thread waits for the end of the
/// delivery; only after that the replay thread reads the results.
final class RecordDelivery implements Predicate<ServerResponse> {
  private final List<PendingRecord> records;
  private final long deadlineNanos;
  private final Clock clock;
  private final ReplayMetrics metrics;
  private long sinceNanos;

  private int responses;
  private PendingRecord last;
  private DeliveryOutcome outcome = new DeliveryOutcome.Delivered();
  private int delivered;
  private long deliveredId;
  private long deliveredNanos;

  RecordDelivery(
      List<PendingRecord> records, long deadlineNanos, Clock clock, ReplayMetrics metrics) {
    this.records = records;
    this.deadlineNanos = deadlineNanos;
    this.clock = clock;
    this.metrics = metrics;
    this.sinceNanos = clock.nanos();
    this.last = records.getFirst();
  }

  @Override
  public boolean test(ServerResponse response) {
    long now = clock.nanos();
    metrics.attempted(now - sinceNanos);
    sinceNanos = now;
    last = records.get(responses++);
    outcome = DeliveryOutcome.of(response);
    if (!(outcome instanceof DeliveryOutcome.Delivered)) {
      return false;
    }
    metrics.delivered(last.content().jsonData().length);
    delivered++;
    deliveredId = last.id();
    deliveredNanos = now;
    return now - deadlineNanos < 0;
  }

  /// The number of responses.
  int responses() {
    return responses;
  }

  /// The record that got the last response.
  PendingRecord last() {
    return last;
  }

  /// The outcome of the last response.
  DeliveryOutcome outcome() {
    return outcome;
  }

  /// The number of accepted records.
  int delivered() {
    return delivered;
  }

  /// The last accepted record; 0 if none was.
  long deliveredId() {
    return deliveredId;
  }

  /// When it was accepted.
  long deliveredNanos() {
    return deliveredNanos;
  }
}
