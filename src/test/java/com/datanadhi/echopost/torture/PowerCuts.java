package com.datanadhi.echopost.torture;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/// Cuts the power at random moments of a history, in their order, each as often as asked. Half of
/// the moments lie among the rare changes, which are all but those of the write-ahead log.
final class PowerCuts implements AutoCloseable {
  private final History history;
  private final Disk disk;
  private final DiskJournal journal;
  private final List<Integer> moments;
  private int taken;
  private int cuts;
  private long length;

  /// @param from the earliest moment, as a length of the journal
  /// @param count how many moments
  PowerCuts(History history, Disk.Syncs syncs, long from, int count, Random random)
      throws IOException {
    this.history = history;
    this.disk = new Disk(syncs, random);
    this.moments = moments(history.shim().journal(), from, count, random);
    this.journal = new DiskJournal(history.shim().journal());
  }

  private static List<Integer> moments(Path file, long from, int count, Random random)
      throws IOException {
    List<Integer> rare = new ArrayList<>();
    int all = 0;
    int before = 0;
    try (DiskJournal journal = new DiskJournal(file)) {
      for (DiskJournal.Entry entry = journal.next(); entry != null; entry = journal.next()) {
        all++;
        if (entry.end() < from) {
          before = all;
        } else if (!entry.change().path().matches(".*(-wal|-shm|reserve|agent\\.log)")) {
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
    return cuts < moments.size();
  }

  /// Cuts the power once more: writes to `to` what the disk could hold, and tells `witness` what
  /// had been seen until then.
  void next(Path to, Witness witness, Random random) throws IOException {
    int moment = moments.get(cuts++);
    while (taken < moment) {
      DiskJournal.@Nullable Entry entry = journal.next();
      if (entry == null) {
        throw new IOException("the journal has become shorter");
      }
      disk.take(entry);
      length = entry.end();
      taken++;
    }
    disk.cutPower(to, random);
    history.chronicle().tell(witness, length);
    witness.crashed();
  }

  /// Where the last cut was.
  @Override
  public String toString() {
    return "change " + taken + " (byte " + length + ") of " + history.shim().journal();
  }

  @Override
  public void close() throws IOException {
    journal.close();
  }
}
