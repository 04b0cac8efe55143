package com.datanadhi.echopost.salvage;

import com.datanadhi.echopost.record.StorageException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Puts the sound records of one damaged buffer back, in bounded transactions of the one writer.
///
/// Order needs no sorting here: a record is put under its own id, or one in the same order, and
/// nothing is delivered before all are back. For the same reason a salvage that was cut short is
/// simply done again: what is back already is passed over. Holds one batch, and a bit for each id.
public final class Salvage {
  private static final int BATCH_ROWS = 2_048;
  private static final int BATCH_BYTES = 1 << 20;

  /// @param file the damaged buffer
  /// @param idBase added to the ids of its records; 0 where they keep their own
  public record Source(Path file, long idBase) {}

  /// How the rows get in.
  public interface Sink {
    /// Commits one batch.
    ///
    /// @return how many of its rows were put back, the others being there already
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

  /// @param settledThrough ids up to this one were settled after the buffer was set aside
  public Salvage(Source source, Sink sink, long settledThrough) {
    this.source = source;
    this.sink = sink;
    this.settledThrough = settledThrough;
  }

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
