package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.testkit.StubServer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;

/// kill -9 of the agent and its launcher at random moments.
///
/// A round is one directory. While clients send and the server goes up and down, the agent is
/// killed and restarted many times; in most rounds the server offers batches. Then the clients
/// stop, the server stays up, and the agent is killed twice more while it replays and drains. The
/// last agent must deliver everything and exit.
final class KillCampaign implements Campaign {
  private static final int KILLS_PER_ROUND = 12;
  private static final int MAX_RUNTIME_MILLIS = 700;
  private static final int MAX_PROGRESS = 2_000;
  private static final long MAX_PROGRESS_NANOS = TimeUnit.SECONDS.toNanos(5);
  private static final Duration TIMEOUT = Duration.ofSeconds(60);

  @Override
  public String name() {
    return "kill";
  }

  @Override
  public String description() {
    return "kill -9 at random moments of start-up, ingest, replay, checkpoint and drain";
  }

  @Override
  public void run(CampaignRun run) throws Exception {
    while (run.startNextRound()) {
      round(run);
    }
  }

  private static void round(CampaignRun run) throws Exception {
    Random random = run.random();
    Path directory = run.roundDirectory();
    DeliveryChecker checker = new DeliveryChecker(directory.getFileName().toString(), run.result());
    try (StubServer server = StubServer.down()) {
      server.keep(false);
      server.onDelivery(checker.recordThen(StubServer.OK));
      var _ = new RandomOffer(server, run.rounds(), random, checker, run.result());
      AgentProcess agent = AgentProcess.spawn(directory, server.url());
      try (BackgroundClients _ =
          new BackgroundClients(
              agent.socket(),
              1 + random.nextInt(4),
              1 + random.nextInt(64),
              50 + random.nextInt(2_000),
              0,
              checker,
              run.result())) {
        for (int kill = 0; kill < KILLS_PER_ROUND; kill++) {
          if (random.nextBoolean()) {
            server.comeUp();
          } else {
            server.goDown();
            checker.allowRepeat();
          }
          if (random.nextInt(4) > 0) {
            agent.awaitReady();
          }
          if (random.nextBoolean()) {
            // The random bound makes early kills likely: during a start, or just after it.
            pause(random.nextInt(1 + random.nextInt(MAX_RUNTIME_MILLIS)));
          } else {
            // A slow machine too accepts and delivers enough for batches to grow.
            awaitProgress(random.nextInt(MAX_PROGRESS), server, run.result());
          }
          agent = killAndRestart(agent, server, checker);
        }
        server.goDown();
        checker.allowRepeat();
        awaitProgress(MAX_PROGRESS, server, run.result());
      }
      server.comeUp();
      for (int kill = 0; kill < 2; kill++) {
        int undelivered = (int) checker.undelivered();
        awaitProgress(random.nextInt(1 + undelivered), server, run.result());
        agent = killAndRestart(agent, server, checker);
      }
      end(agent, checker, run.result());
      run.deleteUnlessFailed(directory);
    }
  }

  /// Waits until this many more records are acknowledged or delivered, for at most a few seconds.
  private static void awaitProgress(int records, StubServer server, CampaignResult result) {
    long end = System.nanoTime() + MAX_PROGRESS_NANOS;
    long target = progress(server, result) + records;
    while (progress(server, result) < target && System.nanoTime() - end < 0) {
      pause(1);
    }
  }

  private static long progress(StubServer server, CampaignResult result) {
    return server.count() + result.count(CampaignResult.Counter.ACKNOWLEDGED);
  }

  /// Kills `agent`, and starts a new one on its directory.
  private static AgentProcess killAndRestart(
      AgentProcess agent, StubServer server, DeliveryChecker checker) throws Exception {
    agent.close();
    checker.agentKilled();
    return AgentProcess.spawn(agent.directory(), server.url());
  }

  private static void end(AgentProcess agent, DeliveryChecker checker, CampaignResult result)
      throws Exception {
    try (agent) {
      int exit = agent.awaitExit(TIMEOUT);
      if (exit != 0) {
        result.addViolation("exit " + exit + ": " + agent.output());
      }
    } catch (TimeoutException notEnded) {
      result.addViolation(String.valueOf(notEnded.getMessage()));
    }
    checker.checkNothingLost();
  }

  private static void pause(int millis) {
    LockSupport.parkNanos(millis * 1_000_000L);
  }
}
