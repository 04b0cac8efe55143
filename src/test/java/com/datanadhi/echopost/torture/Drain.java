package com.datanadhi.echopost.torture;

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
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Agents that leave while clients still come.
///
/// A round is some directories side by side, each with two application processes whose records come
/// with gaps of 3 ms to 12 s, mostly about as long as an agent waits before it leaves, and with a
/// server that comes and goes. One kind of failure there may be: the client looked, the agent
/// withdrew its name, the client found nobody. Each is proved by the agent's own log to be that.
final class Drain implements Campaign {
  private static final int DIRECTORIES = 4;
  private static final int PROCESSES = 2;
  private static final long ROUND_NANOS = TimeUnit.SECONDS.toNanos(12);
  private static final long LINGER_MILLIS = 2_000;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /// The log's times are in milliseconds.
  private static final Duration CLOCK_STEP = Duration.ofMillis(1);

  private static final Pattern WITHDRAWN =
      Pattern.compile("\"time\":\"([^\"]+)\",\"level\":\"INFO\",\"event\":\"draining\"");

  @Override
  public String name() {
    return "drain";
  }

  @Override
  public String attack() {
    return "clients that come when the agent is about to leave, while the server comes and goes";
  }

  @Override
  public void run(Attack attack) throws Exception {
    while (attack.goesOn()) {
      try (ExecutorService side = Executors.newVirtualThreadPerTaskExecutor()) {
        List<Future<?>> running = new ArrayList<>();
        for (int d = 0; d < DIRECTORIES; d++) {
          Path directory = attack.directory().resolveSibling("round-" + attack.rounds() + "-" + d);
          long seed = attack.random().nextLong();
          running.add(
              side.submit(() -> {
                new One(directory, new Random(seed), attack.tally()).run();
                attack.forget(directory);
                return null;
              }));
        }
        for (Future<?> one : running) {
          Object _ = one.get();
        }
      }
    }
  }

  /// One directory.
  private static final class One {
    private final Path directory;
    private final Random random;
    private final Tally tally;
    private final Witness witness;
    private final List<Sdk.Sent.NobodyThere> gaps = new ArrayList<>();
    private final long endNanos = System.nanoTime() + ROUND_NANOS;

    One(Path directory, Random random, Tally tally) {
      this.directory = directory;
      this.random = random;
      this.tally = tally;
      this.witness = new Witness(directory.getFileName().toString(), tally);
    }

    void run() throws Exception {
      try (StubServer server = StubServer.up()) {
        server.keep(false);
        server.onDelivery(witness.recording(StubServer.OK));
        List<Sdk> processes = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        for (int p = 0; p < PROCESSES; p++) {
          Sdk sdk = new Sdk(directory, server.url(), witness, tally);
          processes.add(sdk);
          int client = p;
          long seed = random.nextLong();
          threads.add(Thread.ofPlatform().start(() -> log(sdk, client, new Random(seed))));
        }
        flap(server, processes);
        for (Thread thread : threads) {
          thread.join();
        }
        server.comeUp();
        awaitEnd(processes);
        explainGaps();
        witness.close();
      }
    }

    /// The application: a record, a gap, a record.
    private void log(Sdk sdk, int client, Random chance) {
      int seq = 0;
      while (System.nanoTime() - endNanos < 0) {
        try {
          note(sdk.send(client, seq++));
        } catch (IOException broken) {
          tally.broken(directory.getFileName() + ": " + broken);
        }
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(gapMillis(chance)));
      }
    }

    private static long gapMillis(Random chance) {
      return switch (chance.nextInt(10)) {
        case 0 -> 3 + chance.nextInt(300);
        case 1 -> 3_000 + chance.nextInt(9_000);
        // Just when the agent is about to leave.
        default -> LINGER_MILLIS + chance.nextInt(400);
      };
    }

    private synchronized void note(Sdk.Sent sent) {
      switch (sent) {
        case Sdk.Sent.Acknowledged() -> {}
        case Sdk.Sent.NobodyThere gap -> gaps.add(gap);
        case Sdk.Sent.Failed(String how) ->
            tally.broken(directory.getFileName() + ": a send failed: " + how);
      }
    }

    private void flap(StubServer server, List<Sdk> processes) throws Exception {
      while (System.nanoTime() - endNanos < 0) {
        // Mostly up: only then does an agent leave.
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(2_000 + random.nextInt(4_000)));
        count(processes);
        server.goDown();
        witness.mayRepeat();
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(200 + random.nextInt(600)));
        server.comeUp();
      }
    }

    private void count(List<Sdk> processes) throws Exception {
      for (Sdk sdk : processes) {
        for (int exit : sdk.ended()) {
          switch (exit) {
            case 0 -> tally.add("hand-overs", 1);
            // Two processes started one each.
            case 3 -> tally.add("second agents", 1);
            default -> tally.broken(directory.getFileName() + ": an agent ended with " + exit);
          }
        }
      }
    }

    private void awaitEnd(List<Sdk> processes) throws Exception {
      for (Sdk sdk : processes) {
        try (sdk) {
          for (AgentProcess agent : sdk.agents()) {
            int _ = agent.awaitExit(PATIENCE);
          }
          count(List.of(sdk));
        }
      }
      if (Files.exists(directory.resolve("data-nadhi-agent.sock"))) {
        tally.broken(directory.getFileName() + ": every agent has left, and a socket stands there");
      }
    }

    /// Each must have had an agent's withdrawal in its midst.
    private void explainGaps() throws IOException {
      List<Instant> withdrawals = withdrawals();
      for (Sdk.Sent.NobodyThere gap : gaps) {
        boolean explained =
            withdrawals.stream()
                .anyMatch(
                    at -> !at.isBefore(gap.looked().minus(CLOCK_STEP)) && !at.isAfter(gap.tried()));
        if (explained) {
          tally.add("sends into the gap", 1);
          tally.took("gap", Duration.between(gap.looked(), gap.tried()).toNanos());
        } else {
          tally.broken(
              directory.getFileName()
                  + ": looked at "
                  + gap.looked()
                  + ", nobody there at "
                  + gap.tried()
                  + ", and no agent withdrew between them: "
                  + withdrawals);
        }
      }
    }

    private List<Instant> withdrawals() throws IOException {
      List<Instant> all = new ArrayList<>();
      try (Stream<Path> logs = Files.find(directory, 2, (path, _) -> path.endsWith("agent.log"))) {
        for (Path log : logs.toList()) {
          Matcher line = WITHDRAWN.matcher(Files.readString(log));
          while (line.find()) {
            all.add(Instant.parse(line.group(1)));
          }
        }
      }
      return all;
    }
  }
}
