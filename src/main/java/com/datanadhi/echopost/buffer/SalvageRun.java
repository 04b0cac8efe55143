package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.record.Totals;
import com.datanadhi.echopost.salvage.DamagedBuffer;
import com.datanadhi.echopost.salvage.Salvage;
import com.datanadhi.echopost.salvage.SalvageReport;
import com.datanadhi.echopost.salvage.Watermark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Restores damaged buffers into the current one, through the writer, and reports what was found.
///
/// Used by one thread at a time.
final class SalvageRun {
  private final CommitPipeline commits;
  private final DiskReserve reserve;

  SalvageRun(CommitPipeline commits, DiskReserve reserve) {
    this.commits = commits;
    this.reserve = reserve;
  }

  /// Whether a damaged buffer is not fully restored. Any thread.
  boolean isNeeded() {
    return !commits.writer().salvages().isEmpty();
  }

  /// Restores every damaged buffer that the current one lists.
  void run() throws StorageException, InterruptedException {
    BufferWriter into = commits.writer();
    for (Salvage.Source source : into.salvages()) {
      if (Files.exists(source.file())) {
        SalvageReport _ = restore(source, into);
      } else {
        Events.severe(
            EventNames.SALVAGE_IMPOSSIBLE,
            "file",
            source.file(),
            "reason",
            "the file is missing",
            "action",
            "if it was moved, let the agent end, then run: echopost salvage FILE");
        end(source, into);
      }
    }
  }

  /// Restores the damaged buffer `file`, which the current one may not list.
  SalvageReport run(Path file) throws StorageException, InterruptedException {
    BufferWriter into = commits.writer();
    Path absolute = file.toAbsolutePath().normalize();
    for (Salvage.Source listed : into.salvages()) {
      if (listed.file().equals(absolute)) {
        return restore(listed, into);
      }
    }
    Salvage.Source source = new Salvage.Source(absolute, idBaseFor(absolute, into));
    int _ = CommitPipeline.await(commits.restore(writer -> writer.beginSalvage(source)));
    return restore(source, into);
  }

  /// 0 if the records can keep their ids, since none has been delivered behind them: the current
  /// buffer is empty, or it replaced this one and has delivered none of its own records.
  private long idBaseFor(Path file, BufferWriter into) throws StorageException {
    Totals totals = commits.totals();
    try (DamagedBuffer damaged = new DamagedBuffer(file)) {
      Watermark.Mark mark = damaged.mark();
      boolean fits =
          mark != null
              && mark.bufferId().equals(into.bufferId())
              && mark.lastId() <= totals.salvagedThrough()
              && totals.settledThrough() <= mark.settledThrough();
      return totals.lastId() == 0 || fits ? 0 : Totals.epochAfter(totals.lastId());
    } catch (IOException unreadable) {
      throw new StorageException("cannot read " + file + ": " + unreadable, unreadable);
    }
  }

  private SalvageReport restore(Salvage.Source source, BufferWriter into)
      throws StorageException, InterruptedException {
    checkSpace();
    Salvage.Sink sink =
        (rows, bufferId) -> {
          if (commits.writer() != into) {
            throw new StorageException.Corrupted("the buffer was damaged during a salvage");
          }
          checkSpace();
          return CommitPipeline.await(
              commits.restore(writer -> writer.restore(rows, source, bufferId)));
        };
    long settledThrough = source.idBase() == 0 ? commits.totals().settledThrough() : 0;
    SalvageReport report = new Salvage(source, sink, settledThrough).run();
    end(source, into);
    report.logResult();
    try {
      report.write();
    } catch (IOException failed) {
      Events.warning(EventNames.SALVAGE_REPORT_NOT_WRITTEN, "reason", failed.toString());
    }
    return report;
  }

  private void checkSpace() throws StorageException {
    if (reserve.shortage() != 0) {
      throw new StorageException.Full();
    }
  }

  /// Ends the salvage, except in a buffer that replaced `into` meanwhile: there the whole salvage
  /// must be repeated.
  private void end(Salvage.Source source, BufferWriter into)
      throws StorageException, InterruptedException {
    int _ =
        CommitPipeline.await(
            commits.restore(writer -> writer == into ? writer.endSalvage(source) : 0));
  }
}
