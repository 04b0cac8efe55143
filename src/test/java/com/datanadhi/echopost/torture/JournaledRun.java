package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.testkit.DiskShim;
import com.datanadhi.testkit.StubServer;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;

/// A completed run of agents on one directory under load: the journal of all their changes to the
/// disk, and what clients and the server observed.
///
/// @param shim has the journal
record JournaledRun(DiskShim shim, ObservationLog observations) {
  private static final int AGENTS = 3;
  private static final int SERVER_CHANGES_PER_AGENT = 5;
  private static final int MAX_RECORDS_PER_CHANGE = 400;
  private static final int MAX_PAUSE_NANOS = 1_000_000;
  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  /// Performs the run: several clients send with calls in flight, the server goes up and down, and
  /// agents are stopped by SIGTERM and replaced. The last agent drains, or is stopped too.
  static JournaledRun perform(Path home, Random random, CampaignResult result) throws Exception {
    DiskShim shim = new DiskShim(home);
    ObservationLog observations = new ObservationLog(shim);
    try (StubServer server = StubServer.down()) {
      server.keep(false);
      server.onDelivery(observations.recordThenAccept());
      AgentProcess agent = spawn(shim, server);
      try (BackgroundClients _ =
          new BackgroundClients(
              agent.socket(),
              2 + random.nextInt(3),
              1 + random.nextInt(32),
              50 + random.nextInt(1_000),
              random.nextInt(MAX_PAUSE_NANOS),
              observations,
              result)) {
        for (int number = 1; number <= AGENTS; number++) {
          for (int change = 0; change < SERVER_CHANGES_PER_AGENT; change++) {
            observations.awaitAcknowledged(1 + random.nextInt(MAX_RECORDS_PER_CHANGE), TIMEOUT);
            if (random.nextBoolean()) {
              server.comeUp();
            } else {
              server.goDown();
            }
          }
          if (number < AGENTS) {
            stop(agent, result);
            agent = spawn(shim, server);
          }
        }
      }
      if (random.nextBoolean()) {
        server.comeUp();
      } else {
        agent.terminate();
      }
      end(agent, result);
    }
    return new JournaledRun(shim, observations);
  }

  /// Cuts the power at the next moment of `cuts`, which are of this run: writes a possible state of
  /// the disk to `to`, and gives `checker` everything that was observed until then.
  void cutPower(PowerCuts cuts, Path to, DeliveryChecker checker, Random random)
      throws IOException {
    observations.replayUntil(cuts.next(to, random), checker);
    checker.agentKilled();
  }

  private static AgentProcess spawn(DiskShim shim, StubServer server) throws Exception {
    return AgentProcess.spawn(shim.directory(), server.url(), shim.environment());
  }

  private static void stop(AgentProcess agent, CampaignResult result) throws Exception {
    agent.terminate();
    end(agent, result);
  }

  private static void end(AgentProcess agent, CampaignResult result) throws Exception {
    try (agent) {
      int exit = agent.awaitExit(TIMEOUT);
      if (exit != 0 && exit != 4) {
        result.addViolation("exit " + exit + " on a disk without faults: " + agent.output());
      }
    }
  }
}
