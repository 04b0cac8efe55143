package com.datanadhi.hub.intake;

import com.datanadhi.hub.log.DamagedException;
import com.datanadhi.hub.log.Log;
import com.datanadhi.hub.log.LogEntry;
import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.record.EventBody;
import com.datanadhi.hub.record.EventCodec;
import com.datanadhi.hub.record.Transaction;
import com.datanadhi.hub.view.ViewException;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Reads the keys of log records that are not applied yet into [Intake], after a start and before
/// its first call. Applying may go on meanwhile.
public final class TailLoader {
  private static final int BATCH_RECORDS = 10_000;
  private static final long BATCH_BYTES = 16 << 20;

  private final Log log;
  private final Intake intake;
  private final Map<String, Long> appliedOffsets = new HashMap<>();

  public TailLoader(Log log, Intake intake) {
    this.log = log;
    this.intake = intake;
  }

  /// Reads from `from` to the end that the stream has now.
  ///
  /// @param from everything before it is applied in each database, or belongs to a tenant that is
  ///   parked
  /// @return how many transactions are not applied
  /// @throws IOException the disk failed
  public long load(long from) throws IOException, InterruptedException {
    long loaded = 0;
    long end = log.stableEnd(Intake.STREAM);
    long next = Math.max(from, log.start(Intake.STREAM));
    while (next < end) {
      List<LogEntry> entries;
      try {
        entries = log.read(Intake.STREAM, next, BATCH_RECORDS, BATCH_BYTES);
      } catch (DamagedException damaged) {
        Events.warning("tail_damaged", "first", damaged.firstOffset(), "end", damaged.endOffset());
        next = damaged.endOffset();
        continue;
      }
      if (entries.isEmpty()) {
        break;
      }
      for (LogEntry entry : entries) {
        loaded += load(entry);
      }
      next = entries.getLast().offset() + 1;
    }
    return loaded;
  }

  private long load(LogEntry entry) throws InterruptedException {
    EventBody body;
    try {
      body = EventCodec.decode(entry.payload());
    } catch (EventCodec.InvalidBodyException _) {
      return 0; // Applying meets the same record and reports it.
    }
    long loaded = 0;
    int bytes = entry.payload().length;
    for (Transaction transaction : body.transactions()) {
      if (entry.offset() > appliedOffset(transaction.tenant())) {
        intake.restore(entry.type(), transaction, body.durability(), entry.offset(), bytes);
        bytes = 0;
        loaded++;
      }
    }
    return loaded;
  }

  /// Up to where the tenant's database is, or -1 if there is none that can be read.
  private long appliedOffset(String tenant) throws InterruptedException {
    Long known = appliedOffsets.get(tenant);
    if (known == null) {
      try {
        known =
            intake.view().exists(tenant)
                ? intake.view().read(tenant, reader -> reader.state().appliedOffset())
                : -1L;
      } catch (ViewException _) {
        intake.lookupFailed();
        known = -1L;
      }
      appliedOffsets.put(tenant, known);
    }
    return known;
  }
}
