package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.testkit.DiskModel;
import com.datanadhi.testkit.DiskShim;
import com.datanadhi.testkit.Shims;
import com.datanadhi.testkit.StubServer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;

/// A disk that fails: reads, writes or syncs of one of the buffer's files return EIO, once or until
/// the fault is cleared.
///
/// A round is one directory. While clients send, the disk starts to fail; the agent continues or
/// exits with status 1. It is restarted on the failing disk, and again after the fault is cleared,
/// while clients still send. A failed sync leaves the covered writes on the disk or not, whatever
/// the page cache shows. So the round also cuts the power at random moments after the first fault.
/// Every acknowledged record must survive each cut.
final class DiskErrorCampaign implements Campaign {
  private static final List<String> FILES =
      List.of("buffer.db-wal", "buffer.db-wal", "buffer.db", "buffer.db*", "reserve", "*");
  private static final List<DiskShim.Call> CALLS = List.of(DiskShim.Call.values());
  private static final int MAX_CALLS_BEFORE_FAULT = 12;
  private static final int MAX_RECORDS = 400;
  private static final int POWER_CUTS = 4;
  private static final long FAILING_NANOS = 700_000_000;
  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final int EXIT_STORAGE_FAILED = 1;

  @Override
  public String name() {
    return "disk-error";
  }

  @Override
  public String description() {
    return "EIO from read, write or fsync, once or until cleared; then a power loss";
  }

  @Override
  public String skipReason() {
    return Shims.skipReason();
  }

  @Override
  public void run(CampaignRun run) throws Exception {
    while (run.startNextRound()) {
      CampaignResult result = new CampaignResult();
      String fault = new Round(run, result).run();
      run.result().merge(result, fault);
    }
  }

  private static final class Round {
    private final Path home;
    private final Random random;
    private final CampaignResult campaignResult;
    private final CampaignResult result;
    private final String name;
    private final CampaignRun run;

    Round(CampaignRun run, CampaignResult result) {
      this.run = run;
      this.home = run.roundDirectory();
      this.random = run.random();
      this.campaignResult = run.result();
      this.result = result;
      this.name = "round " + run.rounds();
    }

    /// @return a description of the fault
    String run() throws Exception {
      DiskShim shim = new DiskShim(home);
      DiskShim.Call call = CALLS.get(random.nextInt(CALLS.size()));
      String file = FILES.get(random.nextInt(FILES.size()));
      int nth = 1 + random.nextInt(MAX_CALLS_BEFORE_FAULT);
      boolean untilCleared = random.nextBoolean();
      ObservationLog observations = new ObservationLog(shim);
      long journalLengthAtFault;
      boolean serverUp = random.nextBoolean();
      try (StubServer server = StubServer.down()) {
        server.keep(false);
        server.onDelivery(observations.recordThenAccept());
        AgentProcess agent = spawn(shim, server);
        try (BackgroundClients clients =
            new BackgroundClients(
                agent.socket(),
                3,
                1 + random.nextInt(32),
                50 + random.nextInt(1_000),
                500_000,
                observations,
                campaignResult)) {
          observations.awaitAcknowledged(1 + random.nextInt(MAX_RECORDS), TIMEOUT);
          if (serverUp) {
            // Not earlier: an agent without work drains, and on a busy machine clients start late.
            server.comeUp();
          }
          journalLengthAtFault = shim.journalLength();
          shim.fail(call, file, nth, untilCleared);
          agent = letDiskFail(agent, shim, server);
          if (untilCleared) {
            agent = letDiskFail(agent, shim, server);
          }
          shim.clearFaults();
          agent = recover(agent, shim, server, observations);
          campaignResult.add("refused calls", clients.refusedCalls());
        }
        agent.terminate();
        end(agent);
      }
      campaignResult.add("failed calls", shim.failures());
      JournaledRun journaled = new JournaledRun(shim, observations);
      cutPower(journaled, journalLengthAtFault);
      drainWithoutFaults(journaled);
      if (!result.hasViolations()) {
        run.deleteUnlessFailed(home);
      }
      return call
          + " of "
          + file
          + (untilCleared ? ", until cleared" : ", once")
          + ", from call "
          + nth;
    }

    /// Lets the disk fail for a while, with the server down and then up.
    ///
    /// @return the agent, or a new one if the agent has ended
    private AgentProcess letDiskFail(AgentProcess agent, DiskShim shim, StubServer server)
        throws Exception {
      server.goDown();
      LockSupport.parkNanos(FAILING_NANOS);
      server.comeUp();
      LockSupport.parkNanos(FAILING_NANOS);
      if (agent.isAlive()) {
        campaignResult.add("agents that survived a fault", 1);
        return agent;
      }
      end(agent);
      return spawn(shim, server);
    }

    /// Waits until records are acknowledged without faults, and restarts the agent when it ends.
    ///
    /// @return the agent that acknowledged them
    private AgentProcess recover(
        AgentProcess failing, DiskShim shim, StubServer server, ObservationLog observations)
        throws Exception {
      AgentProcess agent = failing;
      int records = 1 + random.nextInt(MAX_RECORDS);
      for (int second = 0; second < TIMEOUT.toSeconds(); second++) {
        try {
          observations.awaitAcknowledged(records, Duration.ofSeconds(1));
          return agent;
        } catch (TimeoutException notYet) {
          // An agent may meet the fault only now, and end.
          if (!agent.isAlive()) {
            end(agent);
            agent = spawn(shim, server);
          }
        }
      }
      result.addViolation(
          name + ": acknowledges no records after the fault was cleared: " + agent.output());
      return agent;
    }

    private void end(AgentProcess agent) throws Exception {
      try (agent) {
        int exit = agent.awaitExit(TIMEOUT);
        campaignResult.add("exits with status " + exit, 1);
        if (exit != EXIT_STORAGE_FAILED && exit != 0 && exit != 4) {
          result.addViolation(name + ": exit " + exit + ": " + agent.output());
        }
      } catch (TimeoutException notEnded) {
        result.addViolation(name + ": " + notEnded.getMessage());
      }
    }

    private static AgentProcess spawn(DiskShim shim, StubServer server) throws Exception {
      return AgentProcess.spawn(shim.directory(), server.url(), shim.environment());
    }

    private void cutPower(JournaledRun journaled, long from) throws Exception {
      try (PowerCuts cuts =
          new PowerCuts(journaled.shim(), DiskModel.Syncs.HONOURED, from, POWER_CUTS, random)) {
        while (cuts.hasNext()) {
          Path disk = home.resolve("cut-" + random.nextLong());
          DeliveryChecker checker = new DeliveryChecker(name, result);
          journaled.cutPower(cuts, disk, checker, random);
          List<String> errors = RecoveryCheck.readBuffer(disk, checker, true);
          checker.checkNothingLost();
          errors.forEach(error -> result.addViolation(name + ": " + error + " at " + cuts));
        }
      }
    }

    /// Starts an agent on the disk without faults, which must deliver the remaining records.
    private void drainWithoutFaults(JournaledRun journaled) throws Exception {
      DeliveryChecker checker = new DeliveryChecker(name, result);
      journaled.observations().replayUntil(Long.MAX_VALUE, checker);
      checker.agentKilled();
      RecoveryCheck.drainWithAgent(journaled.shim().disk(), checker, true)
          .forEach(error -> result.addViolation(name + ": " + error));
      checker.checkNothingLost();
    }
  }
}
