package com.datanadhi.hub.log.segments;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.datanadhi.hub.log.LogEntry;
import com.datanadhi.hub.log.MemoryDirectory;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.testkit.Directories;
import com.datanadhi.testkit.DiskJournal;
import com.datanadhi.testkit.DiskModel;
import com.datanadhi.testkit.DiskShim;
import com.datanadhi.testkit.Shims;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Kills a program that appends, loses the power of its disk at many moments, and compares what a
/// log on that disk has with what the program acknowledged. On a disk that ignores syncs the same
/// check must fail.
final class PowerLossTest {
  /// More than the second in which weaker levels are synced: the machine is shared.
  private static final long WEAK_MILLIS = 1500;

  private static final int CUTS = Integer.getInteger("hub.power.cuts", 60);
  private static final int RUNS = 3;

  private record Stored(
      int run, long journal, long millis, String stream, long offset, String level, String text) {}

  private record Started(long journal, long millis, String epoch, Map<String, Long> ends) {}

  @TempDir(factory = MemoryDirectory.class)
  @SuppressWarnings("NullAway.Init")
  Path home;

  private final List<Stored> acknowledged = new ArrayList<>();
  private final List<Started> starts = new ArrayList<>();

  /// One program that is killed, or closed in order, after a number of acknowledgements.
  private void run(Path log, Map<String, String> environment, String weakest, Random random)
      throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "--enable-preview",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                AppendingProgram.class.getName(),
                log.toString(),
                weakest,
                String.valueOf(random.nextInt(1 << 30)))
            .redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.environment().putAll(environment);
    Process process = builder.start();
    long lines = 150L + random.nextInt(500);
    boolean kill = random.nextInt(3) > 0;
    try (BufferedReader out = process.inputReader(StandardCharsets.US_ASCII)) {
      for (String line = out.readLine(); line != null; line = out.readLine()) {
        take(line);
        if (lines-- == 0 && kill) {
          // Not Process.destroyForcibly, which closes the streams.
          boolean _ = process.toHandle().destroyForcibly();
        } else if (lines < 0 && !kill && process.isAlive()) {
          process.outputWriter().close();
        } else if (lines > 0 && lines % 50 == 0) {
          process.outputWriter().write("\n");
          process.outputWriter().flush();
        }
      }
    }
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
  }

  private void take(String line) {
    String[] words = line.split(" ", -1);
    if (words[0].equals("started")) {
      starts.add(
          new Started(
              Long.parseLong(words[1]),
              Long.parseLong(words[2]),
              words[3],
              Map.of("events-0", Long.parseLong(words[4]), "control", Long.parseLong(words[5]))));
    } else if (words[0].equals("stored") && words.length == 8) {
      acknowledged.add(
          new Stored(
              starts.size() - 1,
              Long.parseLong(words[1]),
              Long.parseLong(words[2]),
              words[3],
              Long.parseLong(words[4]),
              words[5],
              words[6]));
    }
  }

  /// The acknowledgements before this moment that must be there, or may be lost.
  private Map<Boolean, List<Stored>> expected(long journal) {
    Map<Integer, Long> lastMillis = new HashMap<>();
    for (Stored one : acknowledged) {
      if (one.journal() <= journal) {
        lastMillis.merge(one.run(), one.millis(), Math::max);
      }
    }
    Map<Boolean, List<Stored>> result = new HashMap<>();
    for (Stored one : acknowledged) {
      if (one.journal() > journal) {
        continue;
      }
      boolean synced =
          one.level().equals("fsync")
              || one.millis() + WEAK_MILLIS <= lastMillis.getOrDefault(one.run(), 0L);
      boolean recovered = false;
      if (one.run() + 1 < starts.size() && starts.get(one.run() + 1).journal() <= journal) {
        // A killed process loses what was only in memory.
        recovered =
            one.level().equals("wal")
                || one.offset() < starts.get(one.run() + 1).ends().getOrDefault(one.stream(), 0L);
      }
      result.computeIfAbsent(synced || recovered, _ -> new ArrayList<>()).add(one);
    }
    return result;
  }

  private static Map<String, List<LogEntry>> readAll(SegmentLog log) throws Exception {
    Map<String, List<LogEntry>> all = new HashMap<>();
    for (String stream : List.of("events-0", "control")) {
      List<LogEntry> entries = new ArrayList<>();
      while (entries.size() < log.end(stream)) {
        entries.addAll(log.read(stream, entries.size(), 100, 10_000));
      }
      all.put(stream, entries);
    }
    return all;
  }

  private static boolean has(Map<String, List<LogEntry>> all, Stored one) {
    List<LogEntry> entries = all.getOrDefault(one.stream(), List.of());
    return one.offset() < entries.size()
        && new String(entries.get((int) one.offset()).payload(), StandardCharsets.US_ASCII)
            .equals(one.text());
  }

  /// @return the number of acknowledged records that should be there and are not
  private int missing(Path disk, long journal, boolean mustBeSound) throws Exception {
    Path directory = DiskShim.directoryOn(disk).resolve("log");
    Map<Boolean, List<Stored>> expected = expected(journal);
    Map<String, List<LogEntry>> all;
    String epoch;
    try (SegmentLog log = SegmentLog.open(directory, AppendingProgram.SETTINGS, Clock.system())) {
      epoch = log.epoch().toString();
      all = readAll(log);
    }
    if (mustBeSound) {
      assertThat(LogVerifier.verify(directory).findings()).isEmpty();
      Started last = null;
      for (Started start : starts) {
        last = start.journal() <= journal ? start : last;
      }
      for (Stored one : expected.getOrDefault(false, List.of())) {
        if (last != null && !has(all, one) && starts.indexOf(last) == one.run()) {
          assertThat(epoch).as("after the loss of %s", one).isNotEqualTo(last.epoch());
        }
      }
    }
    int missing = 0;
    for (Stored one : expected.getOrDefault(true, List.of())) {
      if (!has(all, one)) {
        missing++;
      }
    }
    return missing;
  }

  private static List<Long> moments(Path journal, int count, Random random) throws IOException {
    List<Long> all = new ArrayList<>();
    List<Long> rare = new ArrayList<>();
    try (DiskJournal changes = new DiskJournal(journal)) {
      for (var next = changes.next(); next != null; next = changes.next()) {
        all.add(next.end());
        if (!(next.change() instanceof DiskJournal.Change.Written)
            && !(next.change() instanceof DiskJournal.Change.Synced)) {
          rare.add(next.end());
        }
      }
    }
    List<Long> moments = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      List<Long> from = random.nextBoolean() ? rare : all;
      moments.add(from.get(random.nextInt(from.size())));
    }
    moments.sort(null);
    return moments;
  }

  private int cutPower(DiskShim shim, DiskModel.Syncs syncs, int cuts, Random random)
      throws Exception {
    int missing = 0;
    DiskModel disk = new DiskModel(syncs, random);
    List<Long> moments = moments(shim.journal(), cuts, random);
    int cut = 0;
    try (DiskJournal changes = new DiskJournal(shim.journal())) {
      for (var next = changes.next(); next != null && cut < cuts; next = changes.next()) {
        disk.apply(next);
        while (cut < cuts && moments.get(cut) <= next.end()) {
          Path to = home.resolve("cut-" + syncs + "-" + cut++);
          disk.cutPower(to, random);
          boolean honoured = syncs == DiskModel.Syncs.HONOURED;
          try {
            missing += missing(to, next.end(), honoured);
          } catch (Exception | AssertionError broken) {
            if (honoured) {
              throw new AssertionError("at byte " + next.end() + " of the journal", broken);
            }
            missing++;
          }
          Directories.delete(to);
        }
      }
    }
    return missing;
  }

  private void losePower(String weakest) throws Exception {
    assumeTrue(Shims.skipReason().isEmpty(), Shims.skipReason());
    long seed = Long.getLong("hub.power.seed", System.nanoTime());
    System.err.println(weakest + ": seed " + seed);
    Random random = new Random(seed);
    DiskShim shim = new DiskShim(Files.createDirectories(home.resolve("run")));
    for (int run = 0; run < RUNS; run++) {
      run(shim.directory().resolve("log"), shim.environment(), weakest, random);
    }
    assertThat(starts).hasSize(RUNS);
    assertThat(acknowledged).hasSizeGreaterThan(300);
    assertThat(cutPower(shim, DiskModel.Syncs.HONOURED, CUTS, random))
        .as("lost at %s, seed %d", weakest, seed)
        .isZero();
    assertThat(cutPower(shim, DiskModel.Syncs.IGNORED, 20, random))
        .as("lost by a disk that ignores syncs")
        .isPositive();
  }

  @Test
  void a_power_loss_loses_nothing_that_was_acknowledged_at_fsync() throws Exception {
    losePower("fsync");
  }

  @Test
  void a_power_loss_at_wal_loses_at_most_the_last_second() throws Exception {
    losePower("wal");
  }

  @Test
  void a_power_loss_at_ram_loses_at_most_the_last_second() throws Exception {
    losePower("ram");
  }
}
