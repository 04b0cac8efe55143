package com.datanadhi.echopost.replay;

import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.upstream.DeliveryClient;
import com.datanadhi.echopost.upstream.EncodedBatch;
import java.util.List;

/// Records that were read and are encoded as one request.
///
/// @param limit of batches when it was made
/// @param gzip whether it is packed
record Batch(List<PendingRecord> records, int limit, boolean gzip, EncodedBatch encoded)
    implements AutoCloseable {
  /// Encodes a portion that is a batch.
  ///
  /// @param records those of the portion
  static Batch of(List<PendingRecord> records, Portion portion, DeliveryClient client) {
    return new Batch(
        records,
        portion.limit(),
        portion.gzip(),
        client.encode(portion.requests(), portion.gzip()));
  }

  int size() {
    return records.size();
  }

  long firstId() {
    return records.getFirst().id();
  }

  long lastId() {
    return records.getLast().id();
  }

  @Override
  public void close() {
    encoded.close();
  }
}
