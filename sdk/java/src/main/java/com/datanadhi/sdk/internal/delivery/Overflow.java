package com.datanadhi.sdk.internal.delivery;

import com.datanadhi.sdk.internal.queue.RecordQueue;
import java.lang.System.Logger.Level;

/**
 * Makes room before the queue is full. The drain empties it through the fallback server from nine
 * tenths down to one; what comes faster than that, or finds the fallback server down, is spilled
 * into files while the queue is nearly at its end. With one worker, that stands aside while the
 * drain works: two who give records back at the same time would mix up the order.
 */
final class Overflow {
  private static final double DRAINED = 0.1;

  private final RecordQueue queue;
  private final Destinations world;
  private final Dispatcher drain;
  private final Dispatcher spill;
  private final RecordCounts ledger;
  private long refused;

  Overflow(RecordQueue queue, Destinations world, RecordCounts ledger) {
    this.queue = queue;
    this.world = world;
    this.ledger = ledger;
    this.drain = new Dispatcher(queue, world, ledger);
    this.spill = new Dispatcher(queue, world, ledger);
  }

  /** Drains once, if the queue is nearly full; {@code gate} is what the only worker passes. */
  void drain(LoopThread self, WorkerPause gate, Dispatcher worker, boolean only)
      throws InterruptedException {
    queue.nearlyFull().await(1_000);
    if (!queue.nearlyFull().isReached() || !world.fallbackHealth().isUp()) {
      Thread.sleep(5);
      return;
    }
    if (!only) {
      drain(self);
      return;
    }
    gate.close();
    try {
      worker.abandon();
      gate.awaitSomebody();
      worker.resume();
      drain(self);
    } finally {
      worker.resume();
      gate.open();
    }
  }

  private void drain(LoopThread self) throws InterruptedException {
    while (!self.isStopped() && queue.isFilledTo(DRAINED) && world.fallbackHealth().isUp()) {
      if (!drain.toFallback("drain_worker_failed")) {
        return;
      }
    }
  }

  /** Writes a batch into a file, if the queue is all but full. */
  void spill() throws InterruptedException {
    queue.full().await(1_000);
    reportRefused();
    if (queue.full().isReached() && !spill.toFile("queue_full")) {
      Thread.sleep(50);
    }
  }

  /** Here and not where it happens: there the application would wait for its own logging. */
  private void reportRefused() {
    long now = ledger.refusedTotal();
    if (now > refused && !queue.isClosed()) {
      refused = now;
      world
          .notices()
          .sayAtTimes(
              Level.ERROR,
              "refused",
              "The queue of %d records was full: %d were not taken so far"
                  .formatted(queue.capacity(), now));
    }
  }

  /** Waits for no server any longer. */
  void abandon() {
    drain.abandon();
  }
}
