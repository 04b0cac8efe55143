package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.testkit.StubServer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// Agents that leave while clients still come.
///
/// A round is sixteen [DrainCell]s side by side, one after the other in each place as long as there
/// is time. Most have clients that come just when their agent is about to leave, so that it hands
/// over to another every few seconds; some are slow.
final class Drain implements Campaign {
  /// As many as two cores bear: each hand-over costs about half a second of one.
  private static final int PLACES = 16;

  /// Whose turn it is, from place to place.
  private static final List<DrainCell.Pace> PACES =
      List.of(
          DrainCell.Pace.ALONE,
          DrainCell.Pace.TOGETHER,
          DrainCell.Pace.ALONE,
          DrainCell.Pace.APART,
          DrainCell.Pace.ALONE,
          DrainCell.Pace.TOGETHER,
          DrainCell.Pace.ALONE,
          DrainCell.Pace.SLOW);

  /// Not all at once: a start costs a fifth of a second of a core.
  private static final long BETWEEN_PLACES_NANOS = TimeUnit.MILLISECONDS.toNanos(300);

  private static final int WARM_UP = 20;

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
    warmUp(attack);
    while (attack.goesOn()) {
      try (Stalls stalls = new Stalls();
          ExecutorService side = Executors.newVirtualThreadPerTaskExecutor()) {
        List<Future<?>> running = new ArrayList<>();
        for (int place = 0; place < PLACES; place++) {
          DrainCell.Pace pace = PACES.get(place % PACES.size());
          Random random = new Random(attack.random().nextLong());
          String name = "round-" + attack.rounds() + "-" + place;
          running.add(
              side.submit(() -> {
                int cell = 0;
                do {
                  Path directory = attack.directory().resolveSibling(name + "-" + cell++);
                  new DrainCell(directory, pace, random, attack, stalls).run();
                  attack.forget(directory);
                } while (attack.hasTime());
                return null;
              }));
          LockSupport.parkNanos(BETWEEN_PLACES_NANOS);
        }
        for (Future<?> one : running) {
          Object _ = one.get();
        }
      }
    }
  }

  /// The first sends of this process are slow, and no SDK's.
  private static void warmUp(Attack attack) throws Exception {
    Path directory = attack.directory().resolveSibling("warm-up");
    Tally tally = new Tally();
    try (StubServer server = StubServer.down();
        Sdk sdk = new Sdk(directory, server.url(), new Witness("warm-up", tally), tally)) {
      for (int seq = 0; seq < WARM_UP; seq++) {
        if (!(sdk.send(0, seq) instanceof Sdk.Sent.Acknowledged)) {
          attack.tally().broken("warm-up: a send failed although no agent could leave");
        }
      }
    }
    attack.forget(directory);
  }
}
