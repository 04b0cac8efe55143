package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.testkit.StubServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;

/// One directory of [DrainCampaign]: its application processes, its server that goes up and down,
/// and the agents that the applications spawn. At the end the applications stop sending, the server
/// stays up, and every agent must exit with everything delivered.
final class DrainScenario {
  /// How the applications send: in bursts, each followed by a pause.
  enum SendPattern {
    ONE_PROCESS(1, 1, 45),
    /// Two processes whose bursts start together, so that both may spawn an agent at once.
    TWO_IN_STEP(1, 2, 45),
    TWO_INDEPENDENT(2, 1, 45),
    /// Two independent processes with long pauses.
    TWO_SLOW(2, 1, 60);

    private final int groups;
    private final int processesPerGroup;
    private final long maxSeconds;

    /// @param groups of processes; the bursts of a group start together
    /// @param maxSeconds the longest duration of a scenario
    SendPattern(int groups, int processesPerGroup, long maxSeconds) {
      this.groups = groups;
      this.processesPerGroup = processesPerGroup;
      this.maxSeconds = maxSeconds;
    }
  }

  private static final long MIN_NANOS = TimeUnit.SECONDS.toNanos(12);
  private static final int LINGER_MILLIS = 2_000;
  private static final int MIN_SLOW_PAUSE_MILLIS = 3_000;
  private static final int MAX_SLOW_PAUSE_MILLIS = 12_000;
  private static final int MIN_SERVER_PERIOD_MILLIS = 200;
  private static final int MAX_SERVER_PERIOD_MILLIS = 20_000;
  private static final Duration EXIT_TIMEOUT = Duration.ofMinutes(2);

  private final Path directory;
  private final Path socket;
  private final String name;
  private final SendPattern pattern;
  private final Random random;
  private final CampaignRun run;
  private final CampaignResult result;
  private final DeliveryChecker checker;
  private final SendFailureCheck failureCheck;
  private final long startNanos = System.nanoTime();
  private long drainedAgents;

  /// @param stalls of this machine, detected while the scenario runs
  DrainScenario(
      Path directory, SendPattern pattern, Random random, CampaignRun run, StallDetector stalls) {
    this.directory = directory;
    this.socket = directory.resolve("data-nadhi-agent.sock");
    this.name = pattern + " " + directory.getFileName();
    this.pattern = pattern;
    this.random = random;
    this.run = run;
    this.result = run.result();
    this.checker = new DeliveryChecker(name, result);
    this.failureCheck = new SendFailureCheck(name, stalls, result);
  }

  void run() throws Exception {
    try (StubServer server = StubServer.up()) {
      server.keep(false);
      server.onDelivery(checker.recordThen(StubServer.OK));
      var _ = new RandomOffer(server, random.nextInt(1 << 10), random, checker, result);
      List<SimulatedSdk> processes = new ArrayList<>();
      List<Thread> groups = new ArrayList<>();
      for (int g = 0; g < pattern.groups; g++) {
        List<Application> group = new ArrayList<>();
        for (int p = 0; p < pattern.processesPerGroup; p++) {
          SimulatedSdk sdk = new SimulatedSdk(directory, server.url(), checker, result);
          group.add(new Application(sdk, processes.size(), new Random(random.nextLong())));
          processes.add(sdk);
        }
        Random groupRandom = new Random(random.nextLong());
        groups.add(Thread.ofVirtual().start(() -> sendInStep(group, groupRandom)));
      }
      switchServer(server, processes);
      for (Thread group : groups) {
        group.join();
      }
      server.comeUp();
      long quiet = System.nanoTime();
      awaitNoAgents(processes);
      result.recordTime("time to exit without work", System.nanoTime() - quiet);
      failureCheck.check(
          processes.stream().flatMap(sdk -> sdk.socketDeletions().stream()).toList());
      // The last agent has no successor.
      result.add("hand-overs", Math.max(0, drainedAgents - 1));
      checker.checkNothingLost();
    }
  }

  /// Whether to continue; in a short run every pattern ends early.
  private boolean continues() {
    long age = System.nanoTime() - startNanos;
    return age < MIN_NANOS
        || (age < TimeUnit.SECONDS.toNanos(pattern.maxSeconds) && run.hasTimeLeft());
  }

  private void pause(long millis) {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    while (System.nanoTime() - end < 0 && continues()) {
      LockSupport.parkNanos(Math.min(end - System.nanoTime(), TimeUnit.MILLISECONDS.toNanos(100)));
    }
  }

  private void sendInStep(List<Application> group, Random groupRandom) {
    while (continues()) {
      boolean newAgent = !Files.exists(socket);
      List<Thread> bursts =
          group.stream()
              .map(application -> Thread.ofPlatform().start(application::sendBurst))
              .toList();
      for (Thread burst : bursts) {
        try {
          burst.join();
        } catch (InterruptedException interrupted) {
          Thread.currentThread().interrupt();
          return;
        }
      }
      pause(pauseMillis(newAgent, groupRandom));
    }
  }

  /// @param newAgent whether the last burst started an agent, because the one before had exited
  private int pauseMillis(boolean newAgent, Random groupRandom) {
    if (pattern == SendPattern.TWO_SLOW) {
      return MIN_SLOW_PAUSE_MILLIS
          + groupRandom.nextInt(MAX_SLOW_PAUSE_MILLIS - MIN_SLOW_PAUSE_MILLIS);
    }
    if (groupRandom.nextInt(20) == 0) {
      return 3 + groupRandom.nextInt(LINGER_MILLIS);
    }
    // Just when the agent is about to exit. It lingers for twice the longest gap between arrivals:
    // longer once it has seen one of these pauses.
    return (newAgent ? LINGER_MILLIS : 2 * LINGER_MILLIS) - 20 + groupRandom.nextInt(420);
  }

  /// One process of an application.
  private final class Application {
    private final SimulatedSdk sdk;
    private final int client;
    private final Random random;
    private int seq;

    Application(SimulatedSdk sdk, int client, Random random) {
      this.sdk = sdk;
      this.client = client;
      this.random = random;
    }

    /// Sends one or several records, with a random interval before each but the first.
    void sendBurst() {
      int records = random.nextInt(3) > 0 ? 1 : 1 + random.nextInt(12);
      for (int i = 0; i < records; i++) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(i == 0 ? 0 : 3 + random.nextInt(250)));
        try {
          failureCheck.add(sdk.send(client, seq++));
        } catch (IOException failed) {
          result.addViolation(name + ": " + failed);
        }
      }
    }
  }

  private void switchServer(StubServer server, List<SimulatedSdk> processes) throws Exception {
    while (continues()) {
      pause(upMillis());
      checkEndedAgents(processes);
      server.goDown();
      checker.allowRepeat();
      pause(downMillis());
      server.comeUp();
    }
  }

  /// Mostly long enough for an agent to exit: it does so only while the server is up.
  private int upMillis() {
    return switch (random.nextInt(8)) {
      case 0 -> MIN_SERVER_PERIOD_MILLIS + random.nextInt(LINGER_MILLIS);
      case 1 -> anyPeriodMillis();
      default -> LINGER_MILLIS + random.nextInt(2 * LINGER_MILLIS);
    };
  }

  private int downMillis() {
    return pattern == SendPattern.TWO_SLOW || random.nextInt(20) == 0
        ? anyPeriodMillis()
        : MIN_SERVER_PERIOD_MILLIS + random.nextInt(600);
  }

  private int anyPeriodMillis() {
    return MIN_SERVER_PERIOD_MILLIS
        + random.nextInt(MAX_SERVER_PERIOD_MILLIS - MIN_SERVER_PERIOD_MILLIS);
  }

  private void checkEndedAgents(List<SimulatedSdk> processes) throws Exception {
    for (SimulatedSdk sdk : processes) {
      for (SimulatedSdk.EndedAgent agent : sdk.takeEnded()) {
        switch (agent.exit()) {
          case 0 -> {
            drainedAgents++;
            failureCheck.addAgentLog(agent.output());
          }
          // Two processes each spawned one.
          case 3 -> result.add("agents refused by the lock", 1);
          default ->
              result.addViolation(
                  name + ": an agent exited with " + agent.exit() + ": " + agent.output());
        }
      }
    }
  }

  private void awaitNoAgents(List<SimulatedSdk> processes) throws Exception {
    for (SimulatedSdk sdk : processes) {
      try (sdk) {
        for (AgentProcess agent : sdk.agents()) {
          int _ = agent.awaitExit(EXIT_TIMEOUT);
        }
        checkEndedAgents(List.of(sdk));
      } catch (TimeoutException notEnded) {
        result.addViolation(
            name + ": without clients, with the server up: " + notEnded.getMessage());
      }
    }
    if (Files.exists(socket)) {
      result.addViolation(name + ": every agent has exited, but the socket exists");
    }
    String pid = Files.readString(DirectoryLayout.lock(directory)).strip();
    if (ProcessHandle.of(Long.parseLong(pid)).isPresent()) {
      result.addViolation(name + ": the launcher has ended, but its agent " + pid + " still runs");
    }
    result.add("scenarios drained", 1);
  }
}
