package com.datanadhi.echopost.salvage;

import com.datanadhi.echopost.record.StorageException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Restores the sound records of one damaged buffer, in bounded transactions of the writer.
///
/// Rows are not sorted: a record gets its own id, or a new one in the same order, and none is
/// delivered before all are restored. A salvage that was interrupted is repeated from the start:
/// records that exist already are skipped. Holds one batch, and a bit for each id. Confined to one
/// thread.
public final class Salvage {
  private static final int BATCH_ROWS = 2_048;
  private static final int BATCH_BYTES = 1 << 20;

  /// A damaged buffer.
  ///
  /// @param file its file
  /// @param idBase added to the ids of its records; 0 if they keep their own
  public record Source(Path file, long idBase) {}

  /// Stores the rows.
  public interface Sink {
    /// Commits one batch.
    ///
    /// @param bufferId the id of the damaged buffer; null when it is not known
    /// @return how many of the rows were stored; the others existed already
    int restore(List<SalvagedRow> rows, @Nullable String bufferId)
        throws StorageException, InterruptedException;
  }

  private final Source source;
  private final Sink sink;
  private final long settledThrough;
  private final IdSet found = new IdSet();
  private final IdSet rejected = new IdSet();
  private final IdSet present = new IdSet();
  private final List<SalvagedRow> batch = new ArrayList<>();
  private int batchBytes;
  private long restored;

  /// @param settledThrough ids up to this one were settled after the buffer was quarantined
  public Salvage(Source source, Sink sink, long settledThrough) {
    this.source = source;
    this.sink = sink;
    this.settledThrough = settledThrough;
  }

  /// Restores all sound records that were not settled.
  ///
  /// @throws StorageException when the file cannot be read, or a batch cannot be stored
  public SalvageReport run() throws StorageException, InterruptedException {
    try (DamagedBuffer damaged = new DamagedBuffer(source.file())) {
      Watermark.Mark mark = damaged.mark();
      String bufferId = mark == null ? null : mark.bufferId();
      long after = Math.max(mark == null ? 0 : mark.settledThrough(), settledThrough);
      for (long image = 0; image < damaged.images(); image++) {
        if (Thread.interrupted()) {
          throw new InterruptedException();
        }
        damaged.rows(image, row -> take(row, after, bufferId));
      }
      restore(bufferId);
      IdSet.Missing missing = present.missing(after, mark == null ? 0 : mark.lastId());
      return new SalvageReport(
          source.file(),
          found.size(),
          rejected.size(),
          restored,
          damaged.isMarkSure(),
          missing.ids(),
          SalvageReport.names(missing));
    } catch (IOException failed) {
      throw new StorageException("cannot salvage " + source.file() + ": " + failed, failed);
    }
  }

  private void take(SalvagedRow row, long after, @Nullable String bufferId)
      throws StorageException, InterruptedException {
    boolean isNew =
        row.rejection() != null ? rejected.add(row.id()) : row.id() > after && found.add(row.id());
    if (!isNew) {
      return;
    }
    if (row.id() > after) {
      boolean _ = present.add(row.id());
    }
    batch.add(row);
    batchBytes += row.content().size();
    if (batch.size() >= BATCH_ROWS || batchBytes >= BATCH_BYTES) {
      restore(bufferId);
    }
  }

  private void restore(@Nullable String bufferId) throws StorageException, InterruptedException {
    if (!batch.isEmpty()) {
      restored += sink.restore(List.copyOf(batch), bufferId);
      batch.clear();
      batchBytes = 0;
    }
  }
}
