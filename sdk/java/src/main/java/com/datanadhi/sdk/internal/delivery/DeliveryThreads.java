package com.datanadhi.sdk.internal.delivery;

import com.datanadhi.sdk.internal.logging.RateLimitedLog;
import com.datanadhi.sdk.internal.queue.RecordQueue;
import com.datanadhi.sdk.internal.time.Clock;
import com.datanadhi.sdk.internal.time.Waiter;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * The threads that deliver records: the workers, the drain and the spill empty the queue, the
 * redelivery thread sends what is in files, and the backlog thread starts an agent when EchoPost's
 * buffer holds records that no agent delivers.
 */
public final class DeliveryThreads {
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(2);
  private static final Duration LATE_RECORDS_TIMEOUT = Duration.ofMillis(500);
  private static final Duration UNDELIVERED_PAUSE = Duration.ofMillis(20);
  private static final Duration NO_THREAD_PAUSE = Duration.ofMillis(500);
  private static final long QUEUE_WAIT_MILLIS = 1_000;

  private final RecordQueue queue;
  private final Destinations destinations;
  private final RecordCounts counts;
  private final RateLimitedLog log;
  private final Clock clock;
  private final Waiter waiter;
  private final WorkerPause pause = new WorkerPause();
  private final Overflow overflow;
  private final FileRedelivery redelivery;
  private final List<Dispatcher> workers = new ArrayList<>();
  private final List<LoopThread> threads = new ArrayList<>();

  /**
   * Makes the threads; {@link #start} starts them.
   *
   * @param fileRules what happens to dropped files
   * @param backlogCheckInterval between two checks of EchoPost's buffer for undelivered records
   */
  public DeliveryThreads(
      RecordQueue queue,
      Destinations destinations,
      RecordCounts counts,
      RateLimitedLog log,
      int workerCount,
      FileRules fileRules,
      Duration backlogCheckInterval,
      Clock clock,
      Waiter waiter) {
    this.queue = queue;
    this.destinations = destinations;
    this.counts = counts;
    this.log = log;
    this.clock = clock;
    this.waiter = waiter;
    this.overflow = new Overflow(queue, destinations, counts, log, waiter);
    for (int i = 0; i < workerCount; i++) {
      Dispatcher worker = new Dispatcher(queue, destinations, counts, log);
      workers.add(worker);
      addThread("datanadhi-worker-" + (i + 1), () -> deliverNext(worker));
    }
    addThread("datanadhi-drain", () -> drain(workerCount == 1));
    addThread("datanadhi-spill", overflow::spill);
    this.redelivery = new FileRedelivery(queue, destinations, fileRules, counts, log, clock);
    addThread("datanadhi-redelivery", this::redeliver);
    addThread("datanadhi-backlog", () -> deliverBacklog(backlogCheckInterval));
  }

  private void addThread(String name, LoopThread.Turn turn) {
    threads.add(new LoopThread(name, log, waiter, turn));
  }

  /** Starts the threads; waits while none can be made, unless they are stopped. */
  public void start() throws InterruptedException {
    for (LoopThread thread : threads) {
      while (!thread.isStopped() && !thread.start()) {
        log.logRateLimited(
            Level.ERROR,
            "threads",
            "The system has no thread for the delivery of records: they stay in memory");
        waiter.sleep(NO_THREAD_PAUSE);
      }
    }
  }

  private void deliverNext(Dispatcher worker) throws InterruptedException {
    pause.awaitEnd();
    queue.await(QUEUE_WAIT_MILLIS);
    if (queue.depth() > 0 && !worker.deliver() && queue.depth() > 0) {
      waiter.sleep(UNDELIVERED_PAUSE);
    }
  }

  private void drain(boolean hasSingleWorker) throws InterruptedException {
    LoopThread drainThread = threads.get(workers.size());
    if (hasSingleWorker) {
      overflow.drainWhilePaused(drainThread, pause, workers.get(0));
    } else {
      overflow.drain(drainThread);
    }
  }

  private void redeliver() throws InterruptedException, IOException {
    waiter.sleep(redelivery.interval());
    redelivery.turn();
  }

  /** The redelivery of files. */
  public FileRedelivery redelivery() {
    return redelivery;
  }

  /** An agent is only started while the main server is up: else it could deliver nothing. */
  private void deliverBacklog(Duration interval) throws InterruptedException {
    waiter.sleep(interval);
    if (destinations.mainServerHealth().isUp()) {
      destinations.echoPost().deliverBacklog();
    }
  }

  /**
   * Stops the threads and cancels their requests. Then sends what is left to EchoPost, batch by
   * batch for 2 s, and writes the rest to files.
   *
   * @return how many records are lost, because no file could be written
   */
  public long stop() throws InterruptedException {
    threads.forEach(LoopThread::stop);
    workers.forEach(Dispatcher::cancelRequests);
    overflow.cancelRequests();
    redelivery.close();
    pause.end();
    for (LoopThread thread : threads) {
      thread.awaitEnd(STOP_TIMEOUT);
    }
    Dispatcher last = new Dispatcher(queue, destinations, counts, log);
    long end = clock.nanos() + STOP_TIMEOUT.toNanos();
    while (clock.nanos() - end < 0 && destinations.echoPost().isUsable() && last.toEchoPost()) {
      // Batch by batch.
    }
    end = clock.nanos() + LATE_RECORDS_TIMEOUT.toNanos();
    do {
      while (last.toFile("exit", "The client was closed before all records were delivered")) {
        // Batch by batch.
      }
    } while (awaitLateRecords(end));
    queue.discard();
    return counts.countLost();
  }

  /** A record may be counted but not in the queue yet, or a worker may still hold it. */
  private boolean awaitLateRecords(long end) throws InterruptedException {
    if (counts.outstanding().count() == 0 || clock.nanos() - end >= 0) {
      return false;
    }
    waiter.sleep(UNDELIVERED_PAUSE);
    return true;
  }
}
