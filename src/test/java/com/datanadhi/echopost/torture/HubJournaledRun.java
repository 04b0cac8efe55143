package com.datanadhi.echopost.torture;

import com.datanadhi.testkit.DiskShim;
import com.datanadhi.testkit.HubProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A completed run of several hubs on one data directory under load, each with a durability of its
/// own: the journal of all their changes to the disk, and what senders sent and were told, each
/// with the length of the journal at that moment. Thread-safe.
final class HubJournaledRun implements HubObserver {
  /// A durability, strongest first.
  private enum Level {
    FSYNC,
    WAL,
    RAM
  }

  /// One hub, from the moment when it was ready.
  private static final class Session {
    private final Level level;
    private boolean killed;
    private long aliveAtEnd = Long.MAX_VALUE;

    Session(Level level) {
      this.level = level;
    }
  }

  private sealed interface Observation {
    long journalLength();

    record Sending(long journalLength, HubChecker.Sent sent) implements Observation {}

    /// @param alive how long hubs had been running until then, in nanoseconds
    record Acknowledged(
        long journalLength,
        long alive,
        Session session,
        HubChecker.Sent sent,
        @Nullable String receipt)
        implements Observation {}
  }

  static final String TENANT = "power";

  /// What `wal` and `ram` may lose is one second. The rest is for threads of a busy machine.
  private static final long WEAK_NANOS = TimeUnit.MILLISECONDS.toNanos(2_500);

  private static final int SENDERS = 3;
  private static final Duration TIMEOUT = Duration.ofSeconds(60);

  private final DiskShim shim;
  private final HubDirectory directory;
  private final CampaignResult result;
  private final List<Observation> observations = new ArrayList<>();
  private Session session = new Session(Level.FSYNC);
  private long aliveBefore;
  private long sessionStart;

  private HubJournaledRun(DiskShim shim, CampaignResult result) throws Exception {
    this.shim = shim;
    this.directory = HubDirectory.create(shim.directory(), "--segment-bytes", "64KiB");
    this.result = result;
  }

  /// Performs the run: senders send while hubs are killed, or stopped in order, and replaced.
  static HubJournaledRun perform(Path home, Random random, CampaignResult result) throws Exception {
    HubJournaledRun run = new HubJournaledRun(new DiskShim(Files.createDirectories(home)), result);
    List<Level> levels = new ArrayList<>(List.of(Level.FSYNC, Level.FSYNC, Level.WAL, Level.RAM));
    Collections.shuffle(levels, random);
    HubProcess hub = run.start(levels.removeFirst());
    try {
      run.directory.createKeys(TENANT);
      try (HubSenders senders =
          new HubSenders(
              run.directory.url(),
              run.directory.apiKeys(),
              SENDERS,
              200,
              10_000_000,
              random,
              run,
              result)) {
        for (Level next : levels) {
          run.await(senders, random);
          run.end(hub, random.nextBoolean());
          hub = run.start(next);
        }
        run.await(senders, random);
      }
      run.end(hub, random.nextBoolean());
    } finally {
      hub.close();
    }
    return run;
  }

  /// Lets senders send: at a weaker level for longer than what it may lose.
  private void await(HubSenders senders, Random random) {
    senders.awaitAcknowledged(20L + random.nextInt(60), TIMEOUT);
    if (session.level != Level.FSYNC) {
      senders.awaitAcknowledged(Long.MAX_VALUE / 2, Duration.ofNanos(WEAK_NANOS * 5 / 4));
    }
  }

  private HubProcess start(Level level) throws Exception {
    HubProcess hub =
        directory
            .with("--durability", level.name().toLowerCase(Locale.ROOT))
            .spawn(shim.environment());
    hub.awaitReady();
    synchronized (this) {
      session = new Session(level);
      sessionStart = System.nanoTime();
    }
    return hub;
  }

  private void end(HubProcess hub, boolean kill) throws Exception {
    synchronized (this) {
      aliveBefore = alive();
      sessionStart = 0;
      session.aliveAtEnd = aliveBefore;
      session.killed = kill;
    }
    if (kill) {
      hub.kill();
    } else {
      hub.terminate();
      int exit = hub.awaitExit(TIMEOUT);
      if (exit != 0) {
        result.addViolation("exit " + exit + " on a disk without faults: " + hub.output());
      }
    }
    hub.close();
  }

  private synchronized long alive() {
    return aliveBefore + (sessionStart == 0 ? 0 : System.nanoTime() - sessionStart);
  }

  DiskShim shim() {
    return shim;
  }

  HubDirectory directory() {
    return directory;
  }

  @Override
  public synchronized void sending(HubChecker.Sent transaction) {
    observations.add(new Observation.Sending(shim.journalLength(), transaction));
  }

  @Override
  public synchronized void acknowledged(HubChecker.Sent transaction, @Nullable String receipt) {
    observations.add(
        new Observation.Acknowledged(shim.journalLength(), alive(), session, transaction, receipt));
  }

  @Override
  public void refused(int status, String body) {
    new HubChecker("journaled run", result).refused(status, body);
  }

  /// What senders know at the moment when the journal has this length: gives `checker` everything
  /// that may be stored, and of what was acknowledged that which a power loss cannot take.
  ///
  /// @return the transactions that must be stored, each as `<tenant> <key>`
  synchronized Set<String> replayUntil(long journalLength, HubChecker checker) {
    long alive = 0;
    for (Observation observation : observations) {
      if (observation instanceof Observation.Acknowledged known
          && known.journalLength() <= journalLength) {
        alive = known.alive();
      }
    }
    Map<String, Observation.Acknowledged> first = new HashMap<>();
    Set<String> required = new HashSet<>();
    for (Observation observation : observations) {
      if (observation.journalLength() > journalLength) {
        break;
      }
      switch (observation) {
        case Observation.Sending(long _, HubChecker.Sent sent) -> checker.sending(sent);
        case Observation.Acknowledged known -> {
          String key = known.sent().tenant() + " " + known.sent().key();
          // A repeat says nothing new: it has the durability of the first.
          Observation.Acknowledged original = first.getOrDefault(key, known);
          first.put(key, original);
          if (survives(original, alive)) {
            checker.acknowledged(known.sent(), known.receipt());
            required.add(key);
          }
        }
      }
    }
    return required;
  }

  private static boolean survives(Observation.Acknowledged known, long alive) {
    Session session = known.session();
    boolean synced = alive - known.alive() > WEAK_NANOS;
    return switch (session.level) {
      case FSYNC -> true;
      case WAL -> synced;
      case RAM -> synced && (!session.killed || session.aliveAtEnd - known.alive() > WEAK_NANOS);
    };
  }
}
