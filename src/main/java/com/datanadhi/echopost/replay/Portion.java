package com.datanadhi.echopost.replay;

import com.datanadhi.echopost.record.NewRecord;
import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.upstream.DeliveryRequest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Records that are sent next: those at the start of what was read that go together.
///
/// A batch has one API key, and at most 4 MiB. A record that does not fit into one line goes by
/// itself, and so does one with another API key than those before and after it: each batch is a
/// commit, and records that go one by one share theirs. Immutable.
///
/// @param isBatch whether in one request, else one by one
/// @param limit the largest number of records of a batch; 0 while records go one by one
/// @param gzip whether to pack the batch
record Portion(List<DeliveryRequest> requests, boolean isBatch, int limit, boolean gzip) {
  static final int LARGEST_BYTES = 4 << 20;

  /// The first of `records` that are sent together, at least one.
  ///
  /// @param records in replay order; the first is sound
  /// @param gzip whether the server takes packed batches
  /// @param refusedThroughId records up to this id go one by one
  static Portion of(List<PendingRecord> records, int limit, boolean gzip, long refusedThroughId) {
    List<DeliveryRequest> batch = limit == 0 ? List.of() : batch(records, limit, refusedThroughId);
    return batch.isEmpty()
        ? new Portion(oneByOne(records, limit, refusedThroughId), false, limit, gzip)
        : new Portion(batch, true, limit, gzip);
  }

  private static List<DeliveryRequest> batch(
      List<PendingRecord> records, int limit, long refusedThroughId) {
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
          || goesAlone(record, request, length, refusedThroughId)
          || bytes + length > LARGEST_BYTES
          || !Arrays.equals(apiKey, request.apiKey())) {
        return batch;
      }
      batch.add(request);
      bytes += length;
    }
    return batch;
  }

  private static List<DeliveryRequest> oneByOne(
      List<PendingRecord> records, int limit, long refusedThroughId) {
    List<DeliveryRequest> requests = new ArrayList<>(records.size());
    for (int i = 0; i < records.size(); i++) {
      PendingRecord record = records.get(i);
      DeliveryRequest request = request(record);
      boolean alone =
          limit == 0
              || goesAlone(record, request, request.lineLength(), refusedThroughId)
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

  private static boolean goesAlone(
      PendingRecord record, DeliveryRequest request, int lineLength, long refusedThroughId) {
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
}
