package com.datanadhi.echopost.replay;

import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.record.NewRecord;
import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.upstream.DeliveryClient;
import com.datanadhi.echopost.upstream.DeliveryRequest;
import com.datanadhi.echopost.upstream.Offer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Decides which records go together in one request, and which one by one.
///
/// Records go in batches while the server offers it: one API key a batch, at most as many as
/// [BatchSize] permits, and at most 4 MiB. A record that does not fit into one line goes by itself,
/// and so does one with another API key than those before and after it: each batch is a commit, and
/// records that go one by one share theirs. After three unreadable answers in a row, records go one
/// by one until the next probe succeeds.
///
/// Not thread-safe: only the replay thread uses it.
final class BatchPolicy {
  static final int LARGEST_BYTES = 4 << 20;
  static final int UNREADABLE_ANSWERS = 3;

  /// Behind a balancer, the offer can change with each response: a change is reported at most once
  /// in this many successful probes, about a minute.
  static final int PROBES_PER_REPORT = 30;

  private final DeliveryClient client;
  private final BatchSize size = new BatchSize();
  private Offer reportedOffer = Offer.NONE;
  private long reportedAtProbe = -PROBES_PER_REPORT;

  // Records up to this id go one by one.
  private long refusedThroughId;

  private int unreadableAnswers;
  private long suspendedAtProbe = -1;
  private boolean suspensionReported;

  BatchPolicy(DeliveryClient client) {
    this.client = client;
  }

  /// Records that are sent next.
  ///
  /// @param isBatch whether in one request, else one by one
  /// @param gzip whether to pack the batch
  record Portion(List<DeliveryRequest> requests, boolean isBatch, boolean gzip) {}

  /// The largest number of records of the next batch; 0 while records go one by one. Reads the
  /// server's newest offer.
  int limit() {
    Offer newest = client.offer();
    if (!newest.equals(reportedOffer)
        && client.successfulProbes() - reportedAtProbe >= PROBES_PER_REPORT) {
      reportedOffer = newest;
      reportedAtProbe = client.successfulProbes();
      if (newest.batches()) {
        Events.info(EventNames.BATCHES_OFFERED, "gzip", newest.gzip());
      } else {
        Events.info(EventNames.BATCHES_WITHDRAWN);
      }
    }
    return newest.batches() && client.successfulProbes() != suspendedAtProbe ? size.records() : 0;
  }

  /// The first of `records` that are sent together, at least one.
  ///
  /// @param records in replay order; the first is sound
  Portion next(List<PendingRecord> records) {
    int limit = limit();
    List<DeliveryRequest> batch = limit == 0 ? List.of() : batch(records, limit);
    return batch.isEmpty()
        ? new Portion(oneByOne(records, limit), false, false)
        : new Portion(batch, true, client.offer().gzip());
  }

  private List<DeliveryRequest> batch(List<PendingRecord> records, int limit) {
    List<DeliveryRequest> batch = new ArrayList<>(Math.min(limit, records.size()));
    byte[] apiKey = records.getFirst().content().apiKey();
    int bytes = 0;
    if (limit > 1 && isOnlyOfItsKey(records, 0)) {
      return batch;
    }
    for (PendingRecord record : records) {
      DeliveryRequest request = request(record);
      int length = request.lineLength();
      if (batch.size() == limit
          || goesAlone(record, request, length)
          || bytes + length > LARGEST_BYTES
          || !Arrays.equals(apiKey, request.apiKey())) {
        return batch;
      }
      batch.add(request);
      bytes += length;
    }
    return batch;
  }

  private List<DeliveryRequest> oneByOne(List<PendingRecord> records, int limit) {
    List<DeliveryRequest> requests = new ArrayList<>(records.size());
    for (int i = 0; i < records.size(); i++) {
      PendingRecord record = records.get(i);
      DeliveryRequest request = request(record);
      boolean alone =
          limit == 0
              || goesAlone(record, request, request.lineLength())
              || (limit > 1 && isOnlyOfItsKey(records, i));
      if (!record.sound() || !alone) {
        return requests;
      }
      requests.add(request);
    }
    return requests;
  }

  /// Whether another API key follows on the record at `index`, which is the first with its own.
  private static boolean isOnlyOfItsKey(List<PendingRecord> records, int index) {
    return index + 1 < records.size()
        && !Arrays.equals(
            records.get(index).content().apiKey(), records.get(index + 1).content().apiKey());
  }

  private boolean goesAlone(PendingRecord record, DeliveryRequest request, int lineLength) {
    return record.id() <= refusedThroughId
        || !record.sound()
        || lineLength > LARGEST_BYTES
        || !request.fitsOneLine();
  }

  private static DeliveryRequest request(PendingRecord record) {
    NewRecord content = record.content();
    return new DeliveryRequest(
        content.pipelines(), content.jsonData(), content.apiKey(), record.idempotencyKey());
  }

  /// The server has decided about each record of a batch.
  ///
  /// @param sent the records of the batch
  /// @param nanos the time until its answer
  void settled(int sent, long nanos) {
    unreadableAnswers = 0;
    suspensionReported = false;
    size.answered(sent, nanos);
  }

  /// The server was unavailable for a batch.
  void unavailable() {
    unreadableAnswers = 0;
    size.restart();
  }

  /// The answer to a batch was unreadable.
  ///
  /// @param reason for the log
  /// @return whether records go one by one from now on
  boolean unreadable(String reason) {
    unreadableAnswers++;
    if (unreadableAnswers < UNREADABLE_ANSWERS) {
      return false;
    }
    unreadableAnswers = 0;
    size.restart();
    suspendedAtProbe = client.successfulProbes();
    if (!suspensionReported) {
      suspensionReported = true;
      Events.warning(
          EventNames.BATCHES_SUSPENDED,
          "reason",
          "the server's answers to batches cannot be used: " + reason,
          "action",
          "records go one by one until the next probe; repair the server's answers to batches");
    }
    return true;
  }

  /// A batch was too large for the server.
  ///
  /// @param throughId its last record
  void tooLarge(int sent, long throughId) {
    unreadableAnswers = 0;
    size.halve(sent);
    if (sent == 1) {
      refusedThroughId = throughId;
    }
  }

  /// The server did not take a batch: its records go one by one.
  ///
  /// @param throughId its last record
  void refused(long throughId) {
    unreadableAnswers = 0;
    refusedThroughId = throughId;
  }
}
