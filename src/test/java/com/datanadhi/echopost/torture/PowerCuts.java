package com.datanadhi.echopost.torture;

import com.datanadhi.testkit.DiskJournal;
import com.datanadhi.testkit.DiskModel;
import com.datanadhi.testkit.DiskShim;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// Cuts the power at random moments of a journal, in ascending order. About half of the moments are
/// right after a rare change: by default any but those of the WAL, the shared-memory file, the disk
/// reserve and the log.
final class PowerCuts implements AutoCloseable {
  private final DiskShim shim;
  private final DiskModel disk;
  private final DiskJournal journal;
  private final List<Integer> moments;
  private int applied;
  private int cutsMade;
  private long journalLength;

  /// @param from the earliest moment, as a length of the journal in bytes
  /// @param count the number of moments
  PowerCuts(DiskShim shim, DiskModel.Syncs syncs, long from, int count, Random random)
      throws IOException {
    this(shim, syncs, from, count, random, PowerCuts::isRareForAnAgent);
  }

  private static boolean isRareForAnAgent(DiskJournal.Change change) {
    return !change.path().matches(".*(-wal|-shm|reserve|agent\\.log)");
  }

  /// As above, with another idea of what is rare.
  PowerCuts(
      DiskShim shim,
      DiskModel.Syncs syncs,
      long from,
      int count,
      Random random,
      Predicate<DiskJournal.Change> isRare)
      throws IOException {
    this.shim = shim;
    this.disk = new DiskModel(syncs, random);
    this.moments = moments(shim.journal(), from, count, random, isRare);
    this.journal = new DiskJournal(shim.journal());
  }

  private static List<Integer> moments(
      Path file, long from, int count, Random random, Predicate<DiskJournal.Change> isRare)
      throws IOException {
    List<Integer> rare = new ArrayList<>();
    int all = 0;
    int before = 0;
    try (DiskJournal journal = new DiskJournal(file)) {
      for (DiskJournal.JournaledChange next = journal.next(); next != null; next = journal.next()) {
        all++;
        if (next.end() < from) {
          before = all;
        } else if (isRare.test(next.change())) {
          rare.add(all);
        }
      }
    }
    List<Integer> moments = new ArrayList<>();
    for (int n = 0; n < count; n++) {
      moments.add(
          !rare.isEmpty() && random.nextBoolean()
              ? rare.get(random.nextInt(rare.size()))
              : before + random.nextInt(1 + all - before));
    }
    moments.sort(null);
    return moments;
  }

  boolean hasNext() {
    return cutsMade < moments.size();
  }

  /// Cuts the power at the next moment: writes a possible state of the disk to `to`.
  ///
  /// @return the length of the journal at that moment
  long next(Path to, Random random) throws IOException {
    int moment = moments.get(cutsMade++);
    while (applied < moment) {
      DiskJournal.@Nullable JournaledChange change = journal.next();
      if (change == null) {
        throw new IOException("the journal became shorter");
      }
      disk.apply(change);
      journalLength = change.end();
      applied++;
    }
    disk.cutPower(to, random);
    return journalLength;
  }

  /// The moment of the last cut.
  @Override
  public String toString() {
    return "change " + applied + " (byte " + journalLength + ") of " + shim.journal();
  }

  @Override
  public void close() throws IOException {
    journal.close();
  }
}
