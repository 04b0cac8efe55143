package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.StubServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// One directory of [Drain]: its application processes, its server that comes and goes, and the
/// agents that come and go with both. In the end the applications fall silent, the server stays up,
/// and every agent must be gone with all delivered.
///
/// One kind of failure there may be: a client looked and saw the name, the name went, the client
/// connected and found none. Each is proved: the connect failed for want of a name, and between the
/// look and the connect an agent was withdrawing it by its own log, or another process deleted it.
final class DrainCell {
  /// How applications send: in bursts, with a quiet time after each.
  enum Pace {
    /// One process.
    ALONE(1, 1, 45),
    /// Two, which send at the same moments, and so start an agent each at the same moment too.
    TOGETHER(1, 2, 45),
    /// Two, each by itself.
    APART(2, 1, 45),
    /// Two, each by itself, with long quiet times.
    SLOW(2, 1, 60);

    private final int groups;
    private final int processes;
    private final long longestSeconds;

    /// @param groups of processes that send at the same moments
    /// @param processes in each group
    /// @param longestSeconds of a cell's life
    Pace(int groups, int processes, long longestSeconds) {
      this.groups = groups;
      this.processes = processes;
      this.longestSeconds = longestSeconds;
    }
  }

  /// What an agent did to its socket's name, by its own log.
  ///
  /// @param from it was about to take the name away
  /// @param to it had done so
  private record Withdrawal(Instant from, Instant to) {}

  private static final long SHORTEST_NANOS = TimeUnit.SECONDS.toNanos(12);
  private static final int LINGER_MILLIS = 2_000;
  private static final int LONGEST_GAP_MILLIS = 12_000;
  private static final int SHORTEST_FLAP_MILLIS = 200;
  private static final int LONGEST_FLAP_MILLIS = 20_000;

  /// A little less than what an agent that leaves gives to clients that say nothing.
  private static final Duration SILENCE = Duration.ofMillis(450);

  private static final Duration PATIENCE = Duration.ofMinutes(2);

  /// The log's times are in milliseconds.
  private static final Duration CLOCK_STEP = Duration.ofMillis(1);

  private static final Pattern LINE =
      Pattern.compile("\"time\":\"([^\"]+)\".*\"event\":\"([^\"]+)\"");

  private final Path directory;
  private final Path socket;
  private final String name;
  private final Pace pace;
  private final Random random;
  private final Attack attack;
  private final Tally tally;
  private final Witness witness;
  private final long begunNanos = System.nanoTime();
  private final Stalls stalls;
  private final List<Sdk.Sent.NobodyThere> gaps = new ArrayList<>();
  private final List<Sdk.Sent.Failed> failures = new ArrayList<>();
  private final List<Withdrawal> withdrawals = new ArrayList<>();
  private long left;

  /// @param stalls of the machine, while the cell lives
  DrainCell(Path directory, Pace pace, Random random, Attack attack, Stalls stalls) {
    this.stalls = stalls;
    this.directory = directory;
    this.socket = directory.resolve("data-nadhi-agent.sock");
    this.name = pace + " " + directory.getFileName();
    this.pace = pace;
    this.random = random;
    this.attack = attack;
    this.tally = attack.tally();
    this.witness = new Witness(name, tally);
  }

  void run() throws Exception {
    try (StubServer server = StubServer.up()) {
      server.keep(false);
      server.onDelivery(witness.recording(StubServer.OK));
      List<Sdk> processes = new ArrayList<>();
      List<Thread> groups = new ArrayList<>();
      for (int g = 0; g < pace.groups; g++) {
        List<Application> group = new ArrayList<>();
        for (int p = 0; p < pace.processes; p++) {
          Sdk sdk = new Sdk(directory, server.url(), witness, tally);
          group.add(new Application(sdk, processes.size(), new Random(random.nextLong())));
          processes.add(sdk);
        }
        Random chance = new Random(random.nextLong());
        groups.add(Thread.ofVirtual().start(() -> logTogether(group, chance)));
      }
      flap(server, processes);
      for (Thread group : groups) {
        group.join();
      }
      server.comeUp();
      long quiet = System.nanoTime();
      awaitGone(processes);
      tally.took("stay of an agent with nothing to do", System.nanoTime() - quiet);
      explainGaps(processes);
      // Whoever left last has handed over to nobody.
      tally.add("hand-overs", Math.max(0, left - 1));
      witness.close();
    }
  }

  /// Short runs end early, also that of a slow one.
  private boolean goesOn() {
    long age = System.nanoTime() - begunNanos;
    return age < SHORTEST_NANOS
        || (age < TimeUnit.SECONDS.toNanos(pace.longestSeconds) && attack.hasTime());
  }

  private void rest(long millis) {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    while (System.nanoTime() - end < 0 && goesOn()) {
      LockSupport.parkNanos(Math.min(end - System.nanoTime(), TimeUnit.MILLISECONDS.toNanos(100)));
    }
  }

  private void logTogether(List<Application> group, Random chance) {
    while (goesOn()) {
      boolean handsOver = !Files.exists(socket);
      List<Thread> bursts =
          group.stream().map(one -> Thread.ofPlatform().start(one::burst)).toList();
      for (Thread burst : bursts) {
        try {
          burst.join();
        } catch (InterruptedException interrupted) {
          Thread.currentThread().interrupt();
          return;
        }
      }
      rest(quietMillis(handsOver, chance));
    }
  }

  /// @param handsOver whether the agent had left before the last burst
  private int quietMillis(boolean handsOver, Random chance) {
    if (pace == Pace.SLOW) {
      return 3_000 + chance.nextInt(LONGEST_GAP_MILLIS - 3_000);
    }
    if (chance.nextInt(20) == 0) {
      return 3 + chance.nextInt(LINGER_MILLIS);
    }
    // Just when the agent is about to leave. One that has outstayed a quiet time lingers for twice
    // that.
    return (handsOver ? LINGER_MILLIS : 2 * LINGER_MILLIS) - 20 + chance.nextInt(420);
  }

  /// One process of an application.
  private final class Application {
    private final Sdk sdk;
    private final int client;
    private final Random chance;
    private int seq;

    Application(Sdk sdk, int client, Random chance) {
      this.sdk = sdk;
      this.client = client;
      this.chance = chance;
    }

    /// A record or some, each after a gap of its own.
    void burst() {
      int records = chance.nextInt(3) > 0 ? 1 : 1 + chance.nextInt(12);
      for (int i = 0; i < records; i++) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(i == 0 ? 0 : 3 + chance.nextInt(250)));
        try {
          note(sdk.send(client, seq++));
        } catch (IOException broken) {
          tally.broken(name + ": " + broken);
        }
      }
    }
  }

  private synchronized void note(Sdk.Sent sent) {
    tally.add("sends", 1);
    switch (sent) {
      case Sdk.Sent.Acknowledged() -> {}
      case Sdk.Sent.NobodyThere gap -> gaps.add(gap);
      case Sdk.Sent.Failed failed -> failures.add(failed);
    }
  }

  private void flap(StubServer server, List<Sdk> processes) throws Exception {
    while (goesOn()) {
      rest(upMillis());
      count(processes);
      server.goDown();
      witness.mayRepeat();
      rest(downMillis());
      server.comeUp();
    }
  }

  /// Mostly up: only then does an agent leave.
  private int upMillis() {
    return switch (random.nextInt(8)) {
      case 0 -> SHORTEST_FLAP_MILLIS + random.nextInt(LINGER_MILLIS);
      case 1 -> anyFlapMillis();
      default -> LINGER_MILLIS + random.nextInt(2 * LINGER_MILLIS);
    };
  }

  private int downMillis() {
    return pace == Pace.SLOW || random.nextInt(20) == 0
        ? anyFlapMillis()
        : SHORTEST_FLAP_MILLIS + random.nextInt(600);
  }

  private int anyFlapMillis() {
    return SHORTEST_FLAP_MILLIS + random.nextInt(LONGEST_FLAP_MILLIS - SHORTEST_FLAP_MILLIS);
  }

  private void count(List<Sdk> processes) throws Exception {
    for (Sdk sdk : processes) {
      for (Sdk.Ended agent : sdk.ended()) {
        switch (agent.exit()) {
          case 0 -> {
            left++;
            noteWithdrawals(agent.output());
          }
          // Two processes started one each.
          case 3 -> tally.add("second agents", 1);
          default ->
              tally.broken(name + ": an agent ended with " + agent.exit() + ": " + agent.output());
        }
      }
    }
  }

  private void noteWithdrawals(String log) {
    Instant from = Instant.MAX;
    Matcher line = LINE.matcher(log);
    while (line.find()) {
      Instant time = Instant.parse(line.group(1));
      if (line.group(2).equals(EventNames.SERVING_RESUMED)) {
        tally.add("agents that served on", 1);
      }
      if (!from.equals(Instant.MAX)) {
        withdrawals.add(new Withdrawal(from, time));
      }
      from = line.group(2).equals(EventNames.DRAINING) ? time : Instant.MAX;
    }
  }

  private void awaitGone(List<Sdk> processes) throws Exception {
    for (Sdk sdk : processes) {
      try (sdk) {
        for (AgentProcess agent : sdk.agents()) {
          int _ = agent.awaitExit(PATIENCE);
        }
        count(List.of(sdk));
      } catch (TimeoutException stays) {
        tally.broken(name + ": the server is up, all is quiet, and " + stays.getMessage());
      }
    }
    if (Files.exists(socket)) {
      tally.broken(name + ": every agent has left, and a socket stands there");
    }
    String last = Files.readString(DirectoryLayout.lock(directory)).strip();
    if (ProcessHandle.of(Long.parseLong(last)).isPresent()) {
      tally.broken(name + ": the agent's launcher has ended, and the agent " + last + " lives");
    }
    tally.add("times gone once all was quiet", 1);
  }

  /// Each must have had a withdrawal or a deletion in its midst.
  private void explainGaps(List<Sdk> processes) {
    List<Instant> deletions = processes.stream().flatMap(sdk -> sdk.deletions().stream()).toList();
    for (Sdk.Sent.NobodyThere gap : gaps) {
      Instant looked = gap.looked().minus(CLOCK_STEP);
      boolean withdrawn =
          withdrawals.stream()
              .anyMatch(one ->
                  !one.to().plus(CLOCK_STEP).isBefore(looked) && !one.from().isAfter(gap.tried()));
      boolean deleted =
          deletions.stream().anyMatch(at -> !at.isBefore(looked) && !at.isAfter(gap.tried()));
      if (gap.noName() && (withdrawn || deleted)) {
        tally.add("sends into the gap", 1);
        tally.took("gap", Duration.between(gap.looked(), gap.tried()).toNanos());
      } else {
        breakUnlessStalled(
            gap.looked(),
            gap.tried(),
            gap + " is not the gap: withdrawn " + withdrawals + ", deleted " + deletions);
      }
    }
    for (Sdk.Sent.Failed failed : failures) {
      breakUnlessStalled(failed.looked(), failed.tried(), "a send failed: " + failed);
    }
  }

  /// A client that is connected and says nothing for half a second is told goodbye by an agent that
  /// leaves. No SDK does that, but a machine that stands still makes it do so.
  private void breakUnlessStalled(Instant from, Instant to, String how) {
    if (stalls.between(from, to).compareTo(SILENCE) >= 0) {
      tally.add("sends that this machine held up for half a second, and that failed", 1);
    } else {
      tally.broken(name + ": " + how);
    }
  }
}
