package com.datanadhi.echopost.torture;

import com.datanadhi.testkit.ClockShim;
import com.datanadhi.testkit.Directories;
import com.datanadhi.testkit.HubProcess;
import com.datanadhi.testkit.PackagedProgram;
import com.datanadhi.testkit.Shims;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/// Idempotency keys: as many callers as there are under one key, one record on every way in,
/// repeats from before the key horizon, other payloads, and agents on copies of one directory.
///
/// A round is one tenant. Its hub starts on a day before the key horizon, is killed, and starts
/// today. At the end the tenant's databases are deleted and the hub is started again: the rebuild
/// must decide as the hub did live, and give the same receipts.
final class HubKeysCampaign implements Campaign {
  private static final String TENANT = "acme";
  private static final Duration AGE = Duration.ofDays(31);

  @Override
  public String name() {
    return "hub-keys";
  }

  @Override
  public String description() {
    return "many callers under one key, one record on every way in, repeats of 30 days ago, copied"
        + " agents";
  }

  @Override
  public String skipReason() {
    return Shims.skipReason();
  }

  @Override
  public void run(CampaignRun run) throws Exception {
    while (run.startNextRound()) {
      round(run);
    }
  }

  private static void round(CampaignRun run) throws Exception {
    Path directory = Files.createDirectories(run.roundDirectory());
    Path data = directory.resolve("hub");
    HubKeysRound round;
    try (ClockShim clock = ClockShim.at(directory.resolve("clock"))) {
      clock.setOffset(AGE.negated());
      try (HubProcess hub = spawn(data, clock)) {
        long _ = hub.awaitReady();
        round =
            new HubKeysRound(
                directory,
                data,
                TENANT,
                HubProcess.createKey(data, TENANT),
                run.random(),
                run.result());
        try (HubCalls calls = round.connect(hub);
            CopiedAgents agents = round.prepareAgents()) {
          round.sendThePast(calls);
          hub.kill();
          run.result().add(CampaignResult.Counter.KILLS, 1);
          clock.setOffset(Duration.ZERO);
          today(round, data, clock, agents);
        }
      }
      run.result().add(CampaignResult.Counter.KILLS, 1);
      rebuilt(round, data, clock);
    }
    run.deleteUnlessFailed(directory);
  }

  private static void today(HubKeysRound round, Path data, ClockShim clock, CopiedAgents agents)
      throws Exception {
    try (HubProcess hub = spawn(data, clock)) {
      long _ = hub.awaitReady();
      try (HubCalls calls = round.connect(hub)) {
        agents.start(hub.url());
        round.repeatThePast(calls);
        round.sendWhatNeverCame(calls, agents);
        round.sendOtherPayloads(calls);
        round.callTogether(calls, agents);
        round.sendOnEveryWay(calls, agents);
        round.endAgents(agents);
        round.check(calls);
      }
      hub.kill();
    }
  }

  /// The databases are derived from the log: without them the hub decides everything again.
  private static void rebuilt(HubKeysRound round, Path data, ClockShim clock) throws Exception {
    Directories.delete(data.resolve("tenants"));
    try (HubProcess hub = spawn(data, clock)) {
      long _ = hub.awaitReady();
      try (HubCalls calls = round.connect(hub)) {
        round.checkRebuilt(calls);
      }
    }
  }

  private static HubProcess spawn(Path data, ClockShim clock)
      throws IOException, InterruptedException {
    return HubProcess.spawn(List.of(PackagedProgram.hub().toString()), data, clock.environment());
  }
}
