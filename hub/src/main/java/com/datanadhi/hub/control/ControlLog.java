package com.datanadhi.hub.control;

import com.datanadhi.hub.apply.ApplyDecisions.Loss;
import com.datanadhi.hub.log.Append;
import com.datanadhi.hub.log.DamagedException;
import com.datanadhi.hub.log.Durability;
import com.datanadhi.hub.log.Log;
import com.datanadhi.hub.log.LogEntry;
import com.datanadhi.hub.log.NewEntry;
import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.record.CursorKey;
import com.datanadhi.hub.record.EventBody;
import com.datanadhi.hub.record.Uuid7;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.view.ViewState;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/// The stream `control` in the log, as the records that it consists of. Thread-safe.
final class ControlLog {
  /// The stream's name.
  static final String STREAM = "control";

  private static final int BATCH_RECORDS = 1_000;
  private static final long BATCH_BYTES = 4L << 20;
  private static final Duration VISIBLE = Duration.ofSeconds(10);

  private final Log log;
  private final Clock clock;
  private final long keyHorizonMillis;
  private final Uuid7 uuids = new Uuid7();

  /// @param keyHorizonMillis noted in each record, as in all log records
  ControlLog(Log log, Clock clock, long keyHorizonMillis) {
    this.log = log;
    this.clock = clock;
    this.keyHorizonMillis = keyHorizonMillis;
  }

  /// Appends a record and waits until it is on stable storage.
  ///
  /// @return its offset
  long append(ControlRecord record) throws ControlUnavailableException, InterruptedException {
    long now = clock.wallMillis();
    UUID unique = uuids.next(now);
    String key =
        record instanceof ControlRecord.CursorMoved(var tenant, var pipeline, var consumer, _)
            ? CursorKey.of(tenant, pipeline, consumer, unique)
            : unique.toString();
    byte[] payload = record.toPayload(key, keyHorizonMillis);
    NewEntry entry = new NewEntry(EventBody.TRANSACTIONS, now, payload);
    switch (log.append(STREAM, List.of(entry), Durability.FSYNC)) {
      case Append.Refused refused -> throw new ControlUnavailableException(refused.detail());
      case Append.Accepted accepted -> {
        return switch (accepted.await()) {
          case Append.Stored(long offset) -> offset;
          case Append.Unknown(String detail) ->
              throw new ControlUnavailableException(
                  "it is not known whether the change is stored: " + detail);
        };
      }
    }
  }

  /// The last offset that is on stable storage, or -1.
  long lastOffset() {
    return log.stableEnd(STREAM) - 1;
  }

  /// Waits for a log record at `offset`: what is on stable storage can be read a moment later.
  ///
  /// @throws IOException none came
  void await(long offset) throws IOException, InterruptedException {
    if (!log.awaitStable(STREAM, offset - 1, VISIBLE)) {
      throw new IOException("offset " + offset + " of " + STREAM + " is not readable");
    }
  }

  /// The next log records from `offset` on; none at the end.
  List<LogEntry> read(long offset) throws IOException, DamagedException {
    return log.read(STREAM, offset, BATCH_RECORDS, BATCH_BYTES);
  }

  /// What the log records mean.
  ///
  /// @throws ControlDamagedException a newer version of the hub has written one
  static List<ControlRecord> meanings(List<LogEntry> entries) throws ControlDamagedException {
    List<ControlRecord> records = new ArrayList<>(entries.size());
    for (LogEntry entry : entries) {
      try {
        records.add(ControlRecord.ofPayload(entry.payload()));
      } catch (ControlRecord.UnreadableException unreadable) {
        throw new ControlDamagedException(
            "the log record "
                + LogEntry.position(entry.epoch(), STREAM, entry.offset())
                + " cannot be understood: "
                + unreadable.getMessage()
                + ". Start the version of the hub that wrote it, or a later one");
      }
    }
    return records;
  }

  /// Checks that the log continues what the database has applied. A stream that ends before the
  /// database, or is another one, would make keys unknown that senders hold: they would discard
  /// what they cannot deliver.
  void checkFits(ViewState state) throws IOException, ControlDamagedException {
    long applied = state.appliedOffset();
    if (applied < 0) {
      checkStartsAt(0);
      return;
    }
    if (applied >= log.stableEnd(STREAM)) {
      throw new ControlDamagedException(
          "the stream "
              + STREAM
              + " ends at offset "
              + log.stableEnd(STREAM)
              + ", but its database has applied offset "
              + applied
              + ": the log of this directory is missing or older than its databases."
              + " Put back the log that belongs to it");
    }
    if (applied < log.start(STREAM)) {
      checkStartsAt(applied + 1);
      return;
    }
    try {
      List<LogEntry> last = log.read(STREAM, applied, 1, 1);
      if (!last.isEmpty() && !last.getFirst().epoch().toString().equals(state.epoch())) {
        throw new ControlDamagedException(
            "the database of "
                + STREAM
                + " follows another log (epoch "
                + state.epoch()
                + ") than the one in this directory (epoch "
                + last.getFirst().epoch()
                + "). Put back the log that belongs to it");
      }
    } catch (DamagedException behindUs) {
      // It was applied before it was damaged; `verify log` names it.
      Events.warning("control_record_damaged", "reason", String.valueOf(behindUs.getMessage()));
    }
  }

  /// @throws ControlDamagedException the log does not reach back to `needed` any more
  void checkStartsAt(long needed) throws ControlDamagedException {
    if (log.start(STREAM) > needed) {
      throw new ControlDamagedException(
          "the stream "
              + STREAM
              + " begins at offset "
              + log.start(STREAM)
              + ", but its database needs it from "
              + needed
              + ": API keys would be missing. Put back the database or the log");
    }
  }

  /// The losses of this stream that are recorded from `offset` on.
  List<Loss> lossesBehind(long from) throws IOException {
    List<Loss> found = new ArrayList<>();
    try {
      for (long next = from; ; ) {
        List<LogEntry> entries = read(next);
        if (entries.isEmpty()) {
          return found;
        }
        for (LogEntry entry : entries) {
          try {
            if (ControlRecord.ofPayload(entry.payload())
                    instanceof ControlRecord.Loss(var stream, var first, var last, var reason)
                && stream.equals(STREAM)) {
              found.add(new Loss(first, last, reason));
            }
          } catch (ControlRecord.UnreadableException reportedInItsTurn) {
            Events.warning("control_record_unreadable", "offset", entry.offset());
          }
        }
        next = entries.getLast().offset() + 1;
      }
    } catch (DamagedException furtherOn) {
      found.addAll(lossesBehind(furtherOn.endOffset()));
      return found;
    }
  }

  /// The name of one log record.
  String position(long offset) {
    return LogEntry.position(log.epoch(), STREAM, offset);
  }
}
