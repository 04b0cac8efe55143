package com.datanadhi.echopost.torture;

import com.datanadhi.testkit.DiskModel;
import com.datanadhi.testkit.Shims;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Power loss, once per round: the disk is rebuilt from a journal of writes and syncs, as it could
/// be after a power loss at a random moment of a journaled run. The records on it, together with
/// those delivered by then, must include every acknowledged record, in order for each client. Most
/// disks are read in this process; on some the program itself is started.
///
/// The counts are sums over all power cuts. To show that a missing fsync would be found, the
/// campaign also cuts the power of a disk that ignores syncs, which must lose records.
final class PowerCampaign implements Campaign {
  private static final int CUTS_PER_RUN = 100;
  private static final int CUTS_WITH_IGNORED_SYNCS = 30;
  private static final int CUTS_PER_AGENT_START = 40;

  @Override
  public String name() {
    return "power";
  }

  @Override
  public String description() {
    return "power loss: unsynced writes are lost, torn, or written out of order";
  }

  @Override
  public String skipReason() {
    return Shims.skipReason();
  }

  @Override
  public void run(CampaignRun run) throws Exception {
    boolean roundStarted = run.startNextRound();
    while (roundStarted) {
      Path home = run.roundDirectory().resolveSibling("run-" + run.rounds());
      JournaledRun journaled = JournaledRun.perform(home, run.random(), run.result());
      run.result().add("journaled runs", 1);
      checkThatIgnoredSyncsLoseRecords(run, journaled, home);
      // An agent mostly waits for the seconds that it runs: other disks are read meanwhile.
      try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
          PowerCuts cuts =
              new PowerCuts(
                  journaled.shim(), DiskModel.Syncs.HONOURED, 0, CUTS_PER_RUN, run.random())) {
        List<Future<?>> pending = new ArrayList<>();
        while (roundStarted && cuts.hasNext()) {
          Cut cut = cut(run, journaled, cuts);
          if (run.rounds() % CUTS_PER_AGENT_START == 0) {
            run.result().add("agent starts", 1);
            pending.add(
                executor.submit(() -> {
                  cut.check(run, RecoveryCheck.drainWithAgent(cut.disk(), cut.checker(), false));
                  return null;
                }));
          } else {
            cut.check(run, RecoveryCheck.readBuffer(cut.disk(), cut.checker(), false));
          }
          roundStarted = run.startNextRound();
        }
        for (Future<?> start : pending) {
          Object _ = start.get();
        }
      }
      run.deleteUnlessFailed(home);
    }
  }

  private record Cut(String where, Path disk, DeliveryChecker checker, CampaignResult result) {
    void check(CampaignRun run, List<String> errors) throws IOException {
      checker.checkNothingLost();
      errors.forEach(result::addViolation);
      run.result().merge(result, where);
      run.deleteUnlessFailed(disk);
    }
  }

  private static Cut cut(CampaignRun run, JournaledRun journaled, PowerCuts cuts)
      throws IOException {
    long seed = run.random().nextLong();
    CampaignResult result = new CampaignResult();
    String name = "cut " + run.rounds();
    DeliveryChecker checker = new DeliveryChecker(name, result);
    journaled.cutPower(cuts, run.roundDirectory(), checker, new Random(seed));
    return new Cut(
        name + " at " + cuts + ", random seed " + seed, run.roundDirectory(), checker, result);
  }

  private static void checkThatIgnoredSyncsLoseRecords(
      CampaignRun run, JournaledRun journaled, Path home) throws Exception {
    long lost = lostWithIgnoredSyncs(journaled, home.resolve("ignored-syncs"), run.random());
    run.result().add("lost by a disk that ignores syncs", lost);
    if (lost == 0) {
      run.result()
          .addViolation(
              "disks that ignore syncs lost nothing: this campaign cannot detect a missing fsync");
    }
  }

  /// Cuts the power of a disk that ignores syncs until records are lost.
  ///
  /// @return how many records were lost
  static long lostWithIgnoredSyncs(JournaledRun journaled, Path home, Random random)
      throws Exception {
    CampaignResult result = new CampaignResult();
    try (PowerCuts cuts =
        new PowerCuts(
            journaled.shim(), DiskModel.Syncs.IGNORED, 0, CUTS_WITH_IGNORED_SYNCS, random)) {
      while (cuts.hasNext() && result.count(CampaignResult.Counter.LOST) == 0) {
        Path disk = home.resolve(String.valueOf(random.nextLong()));
        DeliveryChecker checker = new DeliveryChecker("ignored syncs", result);
        journaled.cutPower(cuts, disk, checker, random);
        List<String> _ = RecoveryCheck.readBuffer(disk, checker, false);
        checker.checkNothingLost();
      }
    }
    return result.count(CampaignResult.Counter.LOST);
  }
}
