package com.datanadhi.echopost.torture;

import com.datanadhi.testkit.StubServer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// Agents that drain and exit while clients still connect.
///
/// A round is sixteen [DrainScenario]s side by side; while there is time, each is followed by
/// another one. Most have clients that connect just when their agent is about to exit, so that it
/// hands over to another agent every few seconds; some are slow.
final class DrainCampaign implements Campaign {
  /// As many as two cores can run: each hand-over costs about half a second of CPU time.
  private static final int SLOTS = 16;

  /// The send patterns, repeated over the slots.
  private static final List<DrainScenario.SendPattern> PATTERNS =
      List.of(
          DrainScenario.SendPattern.ONE_PROCESS,
          DrainScenario.SendPattern.TWO_IN_STEP,
          DrainScenario.SendPattern.ONE_PROCESS,
          DrainScenario.SendPattern.TWO_INDEPENDENT,
          DrainScenario.SendPattern.ONE_PROCESS,
          DrainScenario.SendPattern.TWO_IN_STEP,
          DrainScenario.SendPattern.ONE_PROCESS,
          DrainScenario.SendPattern.TWO_SLOW);

  /// Spreads the starts: each costs a fifth of a second of CPU time.
  private static final long BETWEEN_STARTS_NANOS = TimeUnit.MILLISECONDS.toNanos(300);

  private static final int WARM_UP_RECORDS = 20;

  @Override
  public String name() {
    return "drain";
  }

  @Override
  public String description() {
    return "clients that connect when the agent is about to exit, while the server goes up and"
        + " down";
  }

  @Override
  public void run(CampaignRun run) throws Exception {
    warmUp(run);
    while (run.startNextRound()) {
      try (StallDetector stalls = new StallDetector();
          ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
        List<Future<?>> running = new ArrayList<>();
        for (int slot = 0; slot < SLOTS; slot++) {
          DrainScenario.SendPattern pattern = PATTERNS.get(slot % PATTERNS.size());
          Random random = new Random(run.random().nextLong());
          String name = "round-" + run.rounds() + "-" + slot;
          running.add(
              executor.submit(() -> {
                int scenario = 0;
                do {
                  Path directory = run.roundDirectory().resolveSibling(name + "-" + scenario++);
                  new DrainScenario(directory, pattern, random, run, stalls).run();
                  run.deleteUnlessFailed(directory);
                } while (run.hasTimeLeft());
                return null;
              }));
          LockSupport.parkNanos(BETWEEN_STARTS_NANOS);
        }
        for (Future<?> slot : running) {
          Object _ = slot.get();
        }
      }
    }
  }

  /// Sends some records first: the first sends of this JVM are slower than an SDK's.
  private static void warmUp(CampaignRun run) throws Exception {
    Path directory = run.roundDirectory().resolveSibling("warm-up");
    CampaignResult result = new CampaignResult();
    try (StubServer server = StubServer.down();
        SimulatedSdk sdk =
            new SimulatedSdk(
                directory, server.url(), new DeliveryChecker("warm-up", result), result)) {
      for (int seq = 0; seq < WARM_UP_RECORDS; seq++) {
        if (!(sdk.send(0, seq) instanceof SimulatedSdk.SendResult.Acknowledged)) {
          run.result().addViolation("warm-up: a send failed although no agent could exit");
        }
      }
    }
    run.deleteUnlessFailed(directory);
  }
}
