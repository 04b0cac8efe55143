package com.datanadhi.hub.apply;

import com.datanadhi.hub.record.Digests;
import com.datanadhi.hub.record.RecordData;
import com.datanadhi.hub.record.SourceKey;
import com.datanadhi.hub.record.Transaction;
import com.datanadhi.hub.view.AppliedTransaction;
import com.datanadhi.hub.view.StoredEvent;
import com.datanadhi.hub.view.TenantWriter;
import com.datanadhi.hub.view.ViewState;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/// Stores transactions that are decided, from the log or from the archive, under the tenant's next
/// seqs: their records, keys, the numbers of their sources and the chain. The caller saves the
/// state in the same transaction of the database. Not thread-safe.
final class History {
  private static final JsonMapper JSON = JsonMapper.shared();

  private final TenantWriter writer;
  private final Chain chain;
  private final long seqBefore;
  private long seq;
  private @Nullable List<String> lastPipelines;
  private String lastPipelinesJson = "[]";

  /// @param state of the writer's database
  History(TenantWriter writer, ViewState state) {
    this.writer = writer;
    chain = Chain.from(state.chain());
    seqBefore = state.seq();
    seq = seqBefore;
  }

  /// Stores a transaction.
  ///
  /// @param source of its key, or null if it has none
  AppliedTransaction store(
      Transaction transaction,
      @Nullable SourceKey source,
      String position,
      long receivedAt,
      String durability) {
    List<RecordData> records = transaction.records();
    long firstSeq = seq + 1;
    int part = 0;
    for (RecordData record : records) {
      part++;
      seq++;
      writer.insertEvent(
          new StoredEvent(
              seq,
              transaction.key(),
              part,
              receivedAt,
              position,
              json(record.pipelines()),
              record.logData(),
              records.size() == 1
                  ? transaction.content().digest()
                  : Digests.content(List.of(record)).digest(),
              durability));
      chain.add(seq, part, receivedAt, transaction.key(), record.pipelines(), record.logData());
    }
    AppliedTransaction row =
        new AppliedTransaction(
            transaction.key(),
            transaction.content(),
            firstSeq,
            records.size(),
            receivedAt,
            position,
            durability);
    writer.putApplied(row);
    if (source != null) {
      writer.addNumber(source.source(), source.number(), receivedAt);
    }
    return row;
  }

  private String json(List<String> pipelines) {
    if (!pipelines.equals(lastPipelines)) {
      lastPipelines = pipelines;
      lastPipelinesJson = JSON.writeValueAsString(pipelines);
    }
    return lastPipelinesJson;
  }

  /// The last seq.
  long seq() {
    return seq;
  }

  /// The chain after it, in lower-case hex.
  String chain() {
    return chain.hex();
  }

  /// How many records were stored.
  long events() {
    return seq - seqBefore;
  }
}
