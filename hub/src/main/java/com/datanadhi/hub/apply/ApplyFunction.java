package com.datanadhi.hub.apply;

import com.datanadhi.hub.log.LogEntry;
import com.datanadhi.hub.record.Content;
import com.datanadhi.hub.record.EventBody;
import com.datanadhi.hub.record.SourceKey;
import com.datanadhi.hub.record.Transaction;
import com.datanadhi.hub.view.AppliedTransaction;
import com.datanadhi.hub.view.Interval;
import com.datanadhi.hub.view.TenantWriter;
import com.datanadhi.hub.view.ViewState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// The one apply function: what a tenant's database becomes by its next log records. It depends on
/// the database, the log records and the operators' decisions alone, so that a rebuild from the log
/// has the same result, whatever the sizes of the batches were.
///
/// For each log record behind the applied offset, in order:
///
/// 1. An operator has skipped it, or it is of type quarantined: it goes to `quarantine`, and
///    nothing else changes.
/// 2. Its `received_at` is the larger of its own time and that of the last stored record. Keys that
///    were stored more than its key horizon before are forgotten from here on.
/// 3. Of type conflict: it is kept in `conflicts`. Else each transaction is decided by itself. Its
///    key is known with the same content: duplicate. Its key is known with another content: kept in
///    `conflicts`, as one whose sender was told that it is stored. Its key is forgotten or was
///    never known, and the intervals of its source have its number: duplicate. Else its records are
///    stored under the next seqs.
///
/// It is called within the transaction that also commits the position. Thread-safe.
public final class ApplyFunction {
  private final String stream;
  private final ApplyDecisions decisions;

  /// @param stream whose log records it applies
  public ApplyFunction(String stream, ApplyDecisions decisions) {
    this.stream = stream;
    this.decisions = decisions;
  }

  /// What was done.
  ///
  /// @param state after it
  /// @param keys of the transactions, in order, also of those that were applied before
  /// @param bytes of the payloads
  /// @param events that were stored
  /// @param conflicts that were found although their senders were told that they are stored
  public record Applied(
      ViewState state, List<String> keys, long bytes, long events, List<Found> conflicts) {}

  /// A conflict that only applying found.
  public record Found(String position, String key) {}

  /// Applies log records of the writer's tenant, in order. Log records at or before the applied
  /// offset change nothing.
  ///
  /// @throws PoisonException one of them cannot be applied: the transaction is to be rolled back
  public Applied apply(TenantWriter writer, List<LogEntry> entries) {
    return batch(entries.stream().map(Incoming::of).toList()).run(writer);
  }

  Batch batch(List<Incoming> entries) {
    return new Batch(entries);
  }

  /// One call of the function.
  final class Batch {
    private final List<Incoming> entries;
    private final List<String> keys = new ArrayList<>();
    private final List<Found> found = new ArrayList<>();
    private final Map<String, AppliedTransaction> known = new HashMap<>();
    private final Map<String, Long> lastNumbers = new HashMap<>();
    private long bytes;
    private long current = -1;
    private long lastReceivedAt;
    private long forgottenBefore;
    private @Nullable UUID positionEpoch;
    private String positionStart = "";

    private Batch(List<Incoming> entries) {
      this.entries = entries;
    }

    /// The offset of the log record that is being applied, or -1.
    long current() {
      return current;
    }

    Applied run(TenantWriter writer) {
      ViewState before = writer.state();
      lastReceivedAt = before.lastReceivedAt();
      forgottenBefore = before.keysForgottenBefore();
      long stored = before.stored();
      long duplicates = before.duplicates();
      long conflicts = before.conflicts();
      long skipped = before.skipped();
      long offset = before.appliedOffset();
      @Nullable UUID epoch = null;
      History history = new History(writer, before);
      lookUp(writer, offset);
      for (Incoming incoming : entries) {
        LogEntry entry = incoming.entry();
        EventBody body = incoming.body();
        bytes += entry.payload().length;
        if (body != null) {
          body.transactions().forEach(t -> keys.add(t.key()));
        }
        if (entry.offset() <= offset) {
          continue;
        }
        current = entry.offset();
        String skip = decisions.skipReason(stream, entry.offset());
        if (skip != null) {
          quarantine(writer, entry, skip);
          skipped++;
        } else if (body == null) {
          throw new PoisonException(entry.offset(), incoming.problem());
        } else if (entry.type() == EventBody.QUARANTINED) {
          quarantine(writer, entry, body.reason());
          skipped++;
        } else {
          switch (decide(writer, history, entry, body)) {
            case STORED -> stored++;
            case DUPLICATE -> duplicates++;
            case CONFLICT -> conflicts++;
          }
        }
        offset = entry.offset();
        epoch = entry.epoch();
      }
      current = -1;
      ViewState after =
          new ViewState(
              before.tenant(),
              epoch == null ? before.epoch() : epoch.toString(),
              stream,
              offset,
              history.seq(),
              history.chain(),
              before.firstSeq(),
              before.chainBeforeFirst(),
              lastReceivedAt,
              forgottenBefore,
              stored,
              duplicates,
              conflicts,
              skipped);
      if (offset > before.appliedOffset()) {
        writer.saveState(after);
      }
      return new Applied(after, keys, bytes, history.events(), found);
    }

    /// Looks up the keys of all log records at once. A number behind the last one of its source is
    /// new without a look-up.
    private void lookUp(TenantWriter writer, long applied) {
      Set<String> wanted = new HashSet<>();
      for (Incoming incoming : entries) {
        EventBody body = incoming.body();
        if (body == null || incoming.entry().offset() <= applied) {
          continue;
        }
        for (Transaction transaction : body.transactions()) {
          SourceKey source = SourceKey.parse(transaction.key());
          if (source == null
              || source.number()
                  <= lastNumbers.computeIfAbsent(source.source(), s -> last(writer, s))) {
            wanted.add(transaction.key());
          }
        }
      }
      if (!wanted.isEmpty()) {
        known.putAll(writer.applied(wanted));
      }
    }

    private static long last(TenantWriter writer, String source) {
      List<Interval> intervals = writer.intervals(source);
      return intervals.isEmpty() ? 0 : intervals.getLast().last();
    }

    private Decision decide(TenantWriter writer, History history, LogEntry entry, EventBody body) {
      long receivedAt = Math.max(entry.time(), lastReceivedAt);
      forgottenBefore = Math.max(forgottenBefore, receivedAt - body.keyHorizonMillis());
      String position = position(entry);
      boolean conflict = entry.type() == EventBody.CONFLICT;
      if (conflict) {
        for (Transaction transaction : body.transactions()) {
          keepConflict(writer, transaction, position, receivedAt, entry, false);
        }
        return Decision.CONFLICT;
      }
      boolean stored = false;
      for (Transaction transaction : body.transactions()) {
        SourceKey source = SourceKey.parse(transaction.key());
        AppliedTransaction row = known(transaction.key());
        if (row != null) {
          if (!row.content().equals(transaction.content())) {
            keepConflict(writer, transaction, position, receivedAt, entry, true);
            found.add(new Found(position, transaction.key()));
            conflict = true;
          }
        } else if (source == null || !hasNumber(writer, source)) {
          store(history, transaction, source, position, receivedAt, body.durability());
          stored = true;
        }
      }
      if (stored) {
        return Decision.STORED;
      }
      return conflict ? Decision.CONFLICT : Decision.DUPLICATE;
    }

    private void quarantine(TenantWriter writer, LogEntry entry, String reason) {
      writer.putQuarantined(
          position(entry),
          entry.offset(),
          Math.max(entry.time(), lastReceivedAt),
          reason,
          entry.payload());
    }

    private @Nullable AppliedTransaction known(String key) {
      AppliedTransaction row = known.get(key);
      return row != null && row.receivedAt() >= forgottenBefore ? row : null;
    }

    private boolean hasNumber(TenantWriter writer, SourceKey source) {
      return source.number() <= lastNumbers.computeIfAbsent(source.source(), s -> last(writer, s))
          && writer.hasNumber(source.source(), source.number());
    }

    private void keepConflict(
        TenantWriter writer,
        Transaction transaction,
        String position,
        long receivedAt,
        LogEntry entry,
        boolean acknowledged) {
      AppliedTransaction first = writer.appliedRow(transaction.key());
      Content firstContent =
          first != null && first.receivedAt() >= forgottenBefore ? first.content() : null;
      writer.putConflict(
          transaction.key(),
          firstContent,
          transaction.content(),
          position,
          receivedAt,
          entry.payload(),
          acknowledged);
    }

    private void store(
        History history,
        Transaction transaction,
        @Nullable SourceKey source,
        String position,
        long receivedAt,
        String durability) {
      AppliedTransaction row = history.store(transaction, source, position, receivedAt, durability);
      known.put(transaction.key(), row);
      if (source != null) {
        lastNumbers.merge(source.source(), source.number(), Math::max);
      }
      lastReceivedAt = receivedAt;
    }

    private String position(LogEntry entry) {
      if (!entry.epoch().equals(positionEpoch)) {
        positionEpoch = entry.epoch();
        positionStart = LogEntry.positionStart(positionEpoch, stream);
      }
      return positionStart + entry.offset();
    }
  }

  private enum Decision {
    STORED,
    DUPLICATE,
    CONFLICT
  }
}
