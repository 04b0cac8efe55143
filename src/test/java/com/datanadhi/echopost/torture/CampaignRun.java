package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.testkit.Progress;
import com.datanadhi.testkit.Directories;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// One run of a campaign: its limits (rounds or seconds), its random numbers, the directories of
/// its rounds, and its result. Thread-safe.
final class CampaignRun implements AutoCloseable {
  /// How many round directories of a failed campaign are kept; all of a long run could fill the
  /// disk.
  private static final int MAX_KEPT_DIRECTORIES = 10;

  private final long seed;
  private final Random random;
  private final long maxRounds;
  private final long endNanos;
  private final Path workDirectory;
  private final CampaignResult result = new CampaignResult();
  private final Progress progress;
  private final long startNanos = System.nanoTime();
  private final AtomicInteger keptDirectories = new AtomicInteger();
  private long startedRounds;

  /// @param maxRounds the number of rounds; 0 for as many as start within `seconds`
  CampaignRun(String name, long seed, long maxRounds, long seconds) throws IOException {
    this.seed = seed;
    this.random = new Random(seed);
    this.maxRounds = maxRounds;
    this.endNanos = startNanos + TimeUnit.SECONDS.toNanos(seconds);
    this.workDirectory = Files.createTempDirectory("torture");
    this.progress = new Progress(name, maxRounds > 0 ? maxRounds : seconds);
  }

  /// Starts the next round, unless the limit is reached. The first round always starts.
  ///
  /// @return whether a round was started
  synchronized boolean startNextRound() {
    boolean starts =
        maxRounds > 0
            ? startedRounds < maxRounds
            : startedRounds == 0 || System.nanoTime() - endNanos < 0;
    startedRounds += starts ? 1 : 0;
    showProgress();
    return starts;
  }

  /// Whether a round may continue because there is time left; false if the run is limited by
  /// rounds.
  synchronized boolean hasTimeLeft() {
    showProgress();
    return maxRounds == 0 && System.nanoTime() - endNanos < 0;
  }

  /// Whether more than `time` is left; false if the run is limited by rounds.
  boolean hasTimeLeft(Duration time) {
    return maxRounds == 0 && System.nanoTime() + time.toNanos() - endNanos < 0;
  }

  private void showProgress() {
    progress.show(
        maxRounds > 0
            ? startedRounds - 1
            : TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - startNanos));
  }

  /// How many rounds were started.
  synchronized long rounds() {
    return startedRounds;
  }

  long seed() {
    return seed;
  }

  Random random() {
    return random;
  }

  CampaignResult result() {
    return result;
  }

  /// The directory of the current round; not created yet.
  synchronized Path roundDirectory() {
    return workDirectory.resolve("round-" + startedRounds);
  }

  /// Deletes the directory of a round that has ended. After a violation it is kept for inspection,
  /// up to a limit.
  void deleteUnlessFailed(Path directory) throws IOException {
    if (Files.exists(directory)
        && (!result.hasViolations() || keptDirectories.incrementAndGet() > MAX_KEPT_DIRECTORIES)) {
      Directories.delete(directory);
    }
  }

  /// The parent of all round directories; kept by [#close] if there were violations.
  Path workDirectory() {
    return workDirectory;
  }

  @Override
  public void close() throws IOException {
    progress.end();
    if (!result.hasViolations()) {
      Directories.delete(workDirectory);
    }
  }
}
