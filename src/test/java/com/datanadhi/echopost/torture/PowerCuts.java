package com.datanadhi.echopost.torture;

import com.datanadhi.testkit.DiskJournal;
import com.datanadhi.testkit.DiskModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/// Cuts the power at random moments of a journaled run, in ascending order. About half of the
/// moments are right after a rare change: any but those of the WAL, the shared-memory file, the
/// disk reserve and the log.
final class PowerCuts implements AutoCloseable {
  private final JournaledRun journaledRun;
  private final DiskModel disk;
  private final DiskJournal journal;
  private final List<Integer> moments;
  private int applied;
  private int cutsMade;
  private long journalLength;

  /// @param from the earliest moment, as a length of the journal in bytes
  /// @param count the number of moments
  PowerCuts(JournaledRun journaledRun, DiskModel.Syncs syncs, long from, int count, Random random)
      throws IOException {
    this.journaledRun = journaledRun;
    this.disk = new DiskModel(syncs, random);
    this.moments = moments(journaledRun.shim().journal(), from, count, random);
    this.journal = new DiskJournal(journaledRun.shim().journal());
  }

  private static List<Integer> moments(Path file, long from, int count, Random random)
      throws IOException {
    List<Integer> rare = new ArrayList<>();
    int all = 0;
    int before = 0;
    try (DiskJournal journal = new DiskJournal(file)) {
      for (DiskJournal.JournaledChange next = journal.next(); next != null; next = journal.next()) {
        all++;
        if (next.end() < from) {
          before = all;
        } else if (!next.change().path().matches(".*(-wal|-shm|reserve|agent\\.log)")) {
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

  /// Cuts the power at the next moment: writes a possible state of the disk to `to`, and gives
  /// `checker` everything that was observed until then.
  void next(Path to, DeliveryChecker checker, Random random) throws IOException {
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
    journaledRun.observations().replayUntil(journalLength, checker);
    checker.agentKilled();
  }

  /// The moment of the last cut.
  @Override
  public String toString() {
    return "change "
        + applied
        + " (byte "
        + journalLength
        + ") of "
        + journaledRun.shim().journal();
  }

  @Override
  public void close() throws IOException {
    journal.close();
  }
}
