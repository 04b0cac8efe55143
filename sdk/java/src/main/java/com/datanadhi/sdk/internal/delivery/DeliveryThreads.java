package com.datanadhi.sdk.internal.delivery;

import com.datanadhi.sdk.internal.queue.RecordQueue;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * The threads that empty the queue: the workers, the drain and the spill; and the one that sees to
 * what EchoPost was left with.
 */
public final class DeliveryThreads {
  private static final Duration PATIENCE = Duration.ofSeconds(2);
  private static final Duration LAST_ONES = Duration.ofMillis(500);

  private final RecordQueue queue;
  private final Destinations world;
  private final RecordCounts ledger;
  private final WorkerPause gate = new WorkerPause();
  private final Overflow overflow;
  private final List<Dispatcher> couriers = new ArrayList<>();
  private final List<LoopThread> loops = new ArrayList<>();

  /**
   * Nothing runs before {@link #start}.
   *
   * @param look between two looks at what EchoPost was left with
   */
  public DeliveryThreads(
      RecordQueue queue, Destinations world, RecordCounts ledger, int workers, Duration look) {
    this.queue = queue;
    this.world = world;
    this.ledger = ledger;
    this.overflow = new Overflow(queue, world, ledger);
    for (int i = 0; i < workers; i++) {
      Dispatcher courier = new Dispatcher(queue, world, ledger);
      couriers.add(courier);
      loops.add(
          new LoopThread("datanadhi-worker-" + (i + 1), world.notices(), () -> work(courier)));
    }
    loops.add(new LoopThread("datanadhi-drain", world.notices(), () -> drain(workers == 1)));
    loops.add(new LoopThread("datanadhi-spill", world.notices(), overflow::spill));
    loops.add(new LoopThread("datanadhi-backlog", world.notices(), () -> deliverBacklog(look)));
  }

  /** Starts the threads. */
  public void start() {
    loops.forEach(LoopThread::start);
  }

  private void work(Dispatcher courier) throws InterruptedException {
    gate.pass();
    queue.await(1_000);
    if (queue.depth() > 0 && !courier.deliver()) {
      Thread.sleep(20);
    }
  }

  private void drain(boolean only) throws InterruptedException {
    LoopThread self = loops.get(couriers.size());
    overflow.drain(self, gate, couriers.get(0), only);
  }

  /** An agent is started when there is somewhere to deliver to. */
  private void deliverBacklog(Duration look) throws InterruptedException {
    Thread.sleep(look.toMillis());
    if (world.mainHealth().isUp()) {
      world.echoPost().deliverBacklog();
    }
  }

  /** Whether of all that was submitted something has become, now or within {@code longest}. */
  public boolean isDone(Duration longest) throws InterruptedException {
    long end = System.nanoTime() + longest.toNanos();
    while (ledger.open() > 0) {
      if (System.nanoTime() - end >= 0) {
        return false;
      }
      Thread.sleep(2);
    }
    return true;
  }

  /**
   * Ends the threads, wherever they wait, and brings what is left through EchoPost or into a file.
   *
   * @return how many records not even a file could be written for
   */
  public long stop() throws InterruptedException {
    loops.forEach(LoopThread::stop);
    couriers.forEach(Dispatcher::abandon);
    overflow.abandon();
    gate.open();
    for (LoopThread loop : loops) {
      loop.awaitEnd(PATIENCE);
    }
    Dispatcher last = new Dispatcher(queue, world, ledger);
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (System.nanoTime() - end < 0 && world.echoPost().isUsable() && last.toEchoPost()) {
      // One batch after the other.
    }
    do {
      while (last.toFile("exit")) {
        // One batch after the other.
      }
      // A record may be counted and not in the queue yet, or still be in the hands of a worker.
    } while (queue.depth() == 0 && ledger.open() > 0 && !isDone(LAST_ONES) && queue.depth() > 0);
    long left = ledger.open();
    ledger.lost((int) left);
    return left;
  }
}
