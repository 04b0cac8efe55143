package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.testkit.Directories;
import com.datanadhi.echopost.testkit.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/// One run of a campaign: how long it goes on, its chance, its directories, what came of it.
final class Attack implements AutoCloseable {
  private final long seed;
  private final Random random;
  private final long rounds;
  private final long endNanos;
  private final Path work;
  private final Tally tally = new Tally();
  private final Progress progress;
  private final long startNanos = System.nanoTime();
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
  boolean goesOn() {
    boolean more = rounds > 0 ? begun < rounds : begun == 0 || System.nanoTime() - endNanos < 0;
    begun += more ? 1 : 0;
    progress.show(
        rounds > 0 ? begun - 1 : TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - startNanos));
    return more;
  }

  /// Rounds begun so far.
  long rounds() {
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

  /// Removes what a sound round has left; the directories of others stay to be looked at.
  void forget(Path directory) throws IOException {
    if (tally.isSound() && Files.exists(directory)) {
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
