package com.datanadhi.echopost.torture;

import com.datanadhi.testkit.Directories;
import com.datanadhi.testkit.DiskJournal.Change;
import com.datanadhi.testkit.DiskModel;
import com.datanadhi.testkit.DiskShim;
import com.datanadhi.testkit.HubProcess;
import com.datanadhi.testkit.Shims;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/// Power loss of a hub, once per round: its disk is rebuilt from a journal of writes and syncs, as
/// it could be after a power loss at a random moment of a journaled run. Everything acknowledged at
/// `fsync`, and everything that was acknowledged at a weaker level longer ago than that level may
/// lose, must be in the log. Most logs are read in this process; on some disks a hub is started,
/// whose databases must have the same exactly once.
///
/// To show that a missing fsync would be found, the campaign also cuts the power of a disk that
/// ignores syncs, which must lose records.
final class HubPowerCampaign implements Campaign {
  private static final int CUTS_PER_RUN = 150;
  private static final int CUTS_WITH_IGNORED_SYNCS = 30;
  private static final int CUTS_PER_HUB_START = 15;
  private static final String STREAM = "events-0";
  private static final Duration TIMEOUT = Duration.ofSeconds(60);

  @Override
  public String name() {
    return "hub-power";
  }

  @Override
  public String description() {
    return "power loss of the hub: unsynced writes are lost, torn, or written out of order";
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
      HubJournaledRun journaled = HubJournaledRun.perform(home, run.random(), run.result());
      run.result().add("journaled runs", 1);
      checkThatIgnoredSyncsLoseRecords(run, journaled, home);
      try (PowerCuts cuts = cuts(journaled, DiskModel.Syncs.HONOURED, CUTS_PER_RUN, run.random())) {
        int cut = 0;
        while (roundStarted && cuts.hasNext()) {
          check(run, journaled, cuts, cut++ % CUTS_PER_HUB_START == CUTS_PER_HUB_START - 1);
          roundStarted = run.startNextRound();
        }
      }
      run.deleteUnlessFailed(home);
    }
  }

  /// Any change but a write or a sync is rare, and most faults are near one.
  private static PowerCuts cuts(
      HubJournaledRun journaled, DiskModel.Syncs syncs, int count, Random random)
      throws IOException {
    return new PowerCuts(
        journaled.shim(),
        syncs,
        0,
        count,
        random,
        change -> !(change instanceof Change.Written || change instanceof Change.Synced));
  }

  private static void check(
      CampaignRun run, HubJournaledRun journaled, PowerCuts cuts, boolean starts) throws Exception {
    long seed = run.random().nextLong();
    CampaignResult result = new CampaignResult();
    HubChecker checker = new HubChecker("cut " + run.rounds(), result);
    // A weaker level loses what a sender may then send once more, after later ones.
    checker.allowAnyOrder();
    Path disk = run.roundDirectory();
    long journalLength = cuts.next(disk, new Random(seed));
    Set<String> required = journaled.replayUntil(journalLength, checker);
    HubDirectory directory = journaled.directory().at(DiskShim.directoryOn(disk));
    HubLogFiles log = HubLogFiles.read(directory.data(), STREAM);
    log.faults().forEach(result::addViolation);
    List<String> lost = lost(required, log);
    if (!lost.isEmpty()) {
      result.add(CampaignResult.Counter.LOST, lost.size());
      result.addViolation(
          "not in the log: "
              + lost.subList(0, Math.min(5, lost.size()))
              + " ("
              + lost.size()
              + ")");
    }
    if (starts) {
      run.result().add("hub starts", 1);
      startHub(directory, checker, result);
    }
    run.result().add("required records", required.size());
    run.result().merge(result, "cut " + run.rounds() + " at " + cuts + ", random seed " + seed);
    if (result.hasViolations()) {
      run.deleteUnlessFailed(disk);
    } else {
      Directories.delete(disk);
    }
  }

  private static List<String> lost(Set<String> required, HubLogFiles log) {
    Set<String> lost = new HashSet<>(required);
    lost.removeAll(log.keys());
    return new ArrayList<>(lost);
  }

  /// Starts a hub on a disk as the power loss left it.
  private static void startHub(HubDirectory directory, HubChecker checker, CampaignResult result)
      throws Exception {
    String tenant = HubJournaledRun.TENANT;
    try (HubProcess hub = directory.spawn(Map.of())) {
      try {
        hub.awaitReady();
        result.recordTime("until all is stored", directory.awaitApplied(hub, TIMEOUT));
        checker.check(directory.data(), tenant);
      } catch (IllegalStateException failed) {
        result.addViolation(failed.getMessage() + "; it printed:\n" + hub.output());
      }
    }
  }

  private static void checkThatIgnoredSyncsLoseRecords(
      CampaignRun run, HubJournaledRun journaled, Path home) throws Exception {
    long lost = 0;
    try (PowerCuts cuts =
        cuts(journaled, DiskModel.Syncs.IGNORED, CUTS_WITH_IGNORED_SYNCS, run.random())) {
      while (cuts.hasNext() && lost == 0) {
        Path disk = home.resolve("ignored-" + run.random().nextLong());
        long journalLength = cuts.next(disk, run.random());
        HubChecker checker = new HubChecker("ignored syncs", new CampaignResult());
        Set<String> required = journaled.replayUntil(journalLength, checker);
        lost = lost(required, HubLogFiles.read(DiskShim.directoryOn(disk), STREAM)).size();
      }
    }
    run.result().add("lost by a disk that ignores syncs", lost);
    if (lost == 0) {
      run.result()
          .addViolation(
              "disks that ignore syncs lost nothing: this campaign cannot detect a missing fsync");
    }
  }
}
