package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.testkit.Directories;
import com.datanadhi.echopost.testkit.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// One run of a campaign: how long it goes on, its chance, its directories, what came of it.
final class Attack implements AutoCloseable {
  /// So many directories of a campaign that broke a promise; with all of them a long run could fill
  /// the disk.
  private static final int MOST_KEPT = 10;

  private final long seed;
  private final Random random;
  private final long rounds;
  private final long endNanos;
  private final Path work;
  private final Tally tally = new Tally();
  private final Progress progress;
  private final long startNanos = System.nanoTime();
  private final AtomicInteger kept = new AtomicInteger();
  private long begun;

  /// @param rounds how many at most; 0 for as many as fit into `seconds`
  Attack(String name, long seed, long rounds, long seconds) throws IOException {
    this.seed = seed;
    this.random = new Random(seed);
    this.rounds = rounds;
    this.endNanos = startNanos + TimeUnit.SECONDS.toNanos(seconds);
    this.work = Files.createTempDirectory("torture");
    this.progress = new Progress(name, rounds > 0 ? rounds : seconds);
  }

  /// Whether there is to be another round; at least one there is.
  synchronized boolean goesOn() {
    boolean more = rounds > 0 ? begun < rounds : begun == 0 || System.nanoTime() - endNanos < 0;
    begun += more ? 1 : 0;
    showProgress();
    return more;
  }

  /// Whether there is time left, so that a round may go on; not when rounds are counted.
  synchronized boolean hasTime() {
    showProgress();
    return rounds == 0 && System.nanoTime() - endNanos < 0;
  }

  /// Whether there is so much time left, and more.
  boolean hasTime(Duration longer) {
    return rounds == 0 && System.nanoTime() + longer.toNanos() - endNanos < 0;
  }

  private void showProgress() {
    progress.show(
        rounds > 0 ? begun - 1 : TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - startNanos));
  }

  /// Rounds begun so far.
  synchronized long rounds() {
    return begun;
  }

  long seed() {
    return seed;
  }

  Random random() {
    return random;
  }

  Tally tally() {
    return tally;
  }

  /// A directory for this round, which does not exist yet.
  Path directory() {
    return work.resolve("round-" + begun);
  }

  /// Removes what a round has left, unless a promise was broken: then the first ones stay to be
  /// looked at.
  void forget(Path directory) throws IOException {
    if (Files.exists(directory) && (tally.isSound() || kept.incrementAndGet() > MOST_KEPT)) {
      Directories.delete(directory);
    }
  }

  /// Where the directories of rounds are that were not sound.
  Path work() {
    return work;
  }

  @Override
  public void close() throws IOException {
    progress.end();
    if (tally.isSound()) {
      Directories.delete(work);
    }
  }
}
