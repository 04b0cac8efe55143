package com.datanadhi.echopost.torture;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Power loss, as often as there are rounds: at a random moment of a history the disk is rebuilt as
/// it could be then, from the journal of what was written and synced. The records on it, together
/// with those that the server had got by then, must be all that were acknowledged, each client's in
/// order. Most disks are read here; on some the program itself is started.
///
/// The figures are summed over all cuts. That this would find a missing fsync is tried too: on a
/// disk that never syncs records must be lost.
final class Power implements Campaign {
  private static final int CUTS_OF_A_HISTORY = 100;
  private static final int CUTS_WITHOUT_SYNCS = 30;
  private static final int CUTS_TO_ONE_START = 40;

  @Override
  public String name() {
    return "power";
  }

  @Override
  public String attack() {
    return "power loss: what was not synced is lost, torn, or written out of order";
  }

  @Override
  public String obstacle() {
    return Shims.obstacle();
  }

  @Override
  public void run(Attack attack) throws Exception {
    boolean goesOn = attack.goesOn();
    while (goesOn) {
      Path home = attack.directory().resolveSibling("history-" + attack.rounds());
      History history = History.live(home, attack.random(), attack.tally());
      attack.tally().add("histories", 1);
      showThatItCanFail(attack, history, home);
      // A start takes seconds, in which it mostly waits: other disks are read meanwhile.
      try (ExecutorService starts = Executors.newVirtualThreadPerTaskExecutor();
          PowerCuts cuts =
              new PowerCuts(history, Disk.Syncs.HONOURED, 0, CUTS_OF_A_HISTORY, attack.random())) {
        List<Future<?>> started = new ArrayList<>();
        while (goesOn && cuts.hasNext()) {
          Cut cut = cut(attack, cuts);
          if (attack.rounds() % CUTS_TO_ONE_START == 0) {
            attack.tally().add("started", 1);
            started.add(
                starts.submit(() -> {
                  cut.check(attack, Remains.drain(cut.disk(), cut.witness(), false));
                  return null;
                }));
          } else {
            cut.check(attack, Remains.read(cut.disk(), cut.witness(), false));
          }
          goesOn = attack.goesOn();
        }
        for (Future<?> start : started) {
          Object _ = start.get();
        }
      }
      attack.forget(home);
    }
  }

  private record Cut(String where, Path disk, Witness witness, Tally tally) {
    void check(Attack attack, List<String> wrong) throws IOException {
      witness.close();
      wrong.forEach(tally::broken);
      attack.tally().take(tally, where);
      attack.forget(disk);
    }
  }

  private static Cut cut(Attack attack, PowerCuts cuts) throws IOException {
    long seed = attack.random().nextLong();
    Tally tally = new Tally();
    String name = "cut " + attack.rounds();
    Witness witness = new Witness(name, tally);
    cuts.next(attack.directory(), witness, new Random(seed));
    return new Cut(name + " at " + cuts + " by " + seed, attack.directory(), witness, tally);
  }

  private static void showThatItCanFail(Attack attack, History history, Path home)
      throws Exception {
    long lost = lostWithoutSyncs(history, home.resolve("without-syncs"), attack.random());
    attack.tally().add("lost by disks without syncs", lost);
    if (lost == 0) {
      attack.tally().broken("disks that never synced lost nothing: this campaign is blind");
    }
  }

  /// Cuts the power of disks that never synced, until one has lost something.
  ///
  /// @return how many records it lost
  static long lostWithoutSyncs(History history, Path home, Random random) throws Exception {
    Tally tally = new Tally();
    try (PowerCuts cuts =
        new PowerCuts(history, Disk.Syncs.NEVER_HAPPENED, 0, CUTS_WITHOUT_SYNCS, random)) {
      while (cuts.hasNext() && tally.count(Tally.Count.LOST) == 0) {
        Path disk = home.resolve(String.valueOf(random.nextLong()));
        Witness witness = new Witness("without syncs", tally);
        cuts.next(disk, witness, random);
        List<String> _ = Remains.read(disk, witness, false);
        witness.close();
      }
    }
    return tally.count(Tally.Count.LOST);
  }
}
