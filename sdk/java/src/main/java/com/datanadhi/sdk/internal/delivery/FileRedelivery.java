package com.datanadhi.sdk.internal.delivery;

import com.datanadhi.sdk.internal.files.DroppedFiles;
import com.datanadhi.sdk.internal.files.RedeliveryPass;
import com.datanadhi.sdk.internal.http.FallbackServer;
import com.datanadhi.sdk.internal.logging.RateLimitedLog;
import com.datanadhi.sdk.internal.queue.RecordQueue;
import com.datanadhi.sdk.internal.time.Clock;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Sends the records in dropped files again: by itself, slowly and while few new records wait, and
 * all of them when the application asks. Deletes files that are too old. {@link #redeliverAll} and
 * {@link #close} can be called by any thread, {@link #turn} by one.
 */
public final class FileRedelivery {
  /** A batch in this time is at most 500 records, or about 5 MiB, in a second. */
  private static final Duration INTERVAL = Duration.ofMillis(200);

  /** New records come first: there are few of them while the queue is filled less. */
  private static final double FILLED = 0.1;

  private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
  private static final Duration MAX_PAUSE = Duration.ofMinutes(1);
  private static final Duration FIRST_AGE_CHECK = Duration.ofMinutes(10);
  private static final Duration AGE_CHECK_INTERVAL = Duration.ofMinutes(1);

  private final RecordQueue queue;
  private final Destinations destinations;
  private final FileRules rules;
  private final RecordCounts counts;
  private final RateLimitedLog log;
  private final Clock clock;
  private final Redeliverer redeliverer;

  private @Nullable RedeliveryPass pass;
  private Duration pause = FIRST_PAUSE;
  private long notBefore;
  private long ageCheckAt;
  private boolean mainServerWasUp;

  FileRedelivery(
      RecordQueue queue,
      Destinations destinations,
      FileRules rules,
      RecordCounts counts,
      RateLimitedLog log,
      Clock clock) {
    this.queue = queue;
    this.destinations = destinations;
    this.rules = rules;
    this.counts = counts;
    this.log = log;
    this.clock = clock;
    this.redeliverer = new Redeliverer(destinations, counts, log);
    this.notBefore = clock.nanos();
    // What can be sent is sent before it is too old.
    this.ageCheckAt = clock.nanos() + (rules.redeliver() ? FIRST_AGE_CHECK.toNanos() : 0);
  }

  /**
   * Sends all records in files, those that the main server has rejected too; another redelivery can
   * send some of them meanwhile.
   *
   * @throws IOException if files could not be read or changed; those in the others were sent
   */
  public RedeliveryPass.Result redeliverAll() throws IOException, InterruptedException {
    RedeliveryPass all = destinations.droppedFiles().pass(true);
    int delivered = 0;
    int kept = 0;
    int unreadable = 0;
    IOException failure = null;
    boolean otherProcessSends = false;
    do {
      try {
        Optional<RedeliveryPass.Result> next = sendNext(all);
        otherProcessSends = next.isEmpty();
        delivered += next.map(RedeliveryPass.Result::delivered).orElse(0);
        kept += next.map(RedeliveryPass.Result::kept).orElse(0);
        unreadable += next.map(RedeliveryPass.Result::unreadable).orElse(0);
      } catch (RedeliveryPass.FileFailedException leftOut) {
        if (failure == null) {
          failure = leftOut;
        } else {
          failure.addSuppressed(leftOut);
        }
      }
    } while (!all.isDone() && !otherProcessSends);
    if (failure != null) {
      throw failure;
    }
    return new RedeliveryPass.Result(delivered, kept, unreadable, all.isDone());
  }

  private Optional<RedeliveryPass.Result> sendNext(RedeliveryPass from)
      throws IOException, InterruptedException {
    Optional<RedeliveryPass.Result> result =
        from.next(FallbackServer.BATCH, FallbackServer.BATCH_BYTES, redeliverer);
    result.ifPresent(sent -> counts.countRedelivered(sent.delivered()));
    return result;
  }

  /** One turn of the redelivery thread: sends at most one batch. */
  void turn() throws InterruptedException, IOException {
    deleteOld();
    boolean mainServerIsUp = destinations.mainServerHealth().isUp();
    if (mainServerIsUp && !mainServerWasUp) {
      pause = FIRST_PAUSE;
      notBefore = clock.nanos();
    }
    mainServerWasUp = mainServerIsUp;
    if (rules.redeliver()
        && !queue.isClosed()
        && clock.nanos() - notBefore >= 0
        && !queue.isFilledTo(FILLED)
        && redeliverer.canSend()) {
      try {
        sendBatch();
      } catch (RedeliveryPass.FileFailedException leftOut) {
        logFailure(leftOut);
        if (pass == null || pass.isDone()) {
          pass = null;
          backOff();
        }
      } catch (IOException failed) {
        pass = null;
        backOff();
        log.logRateLimited(
            Level.WARNING,
            "redelivery",
            "The files in %s cannot be sent again now: %s"
                .formatted(destinations.droppedFiles().directory(), failed));
      }
    }
  }

  private void logFailure(IOException leftOut) {
    log.logRateLimited(
        Level.WARNING,
        "redelivery of a file",
        leftOut.getMessage()
            + ". Its records are not sent again, others are: give this user write access to it, or"
            + " move it away");
  }

  private void sendBatch() throws IOException, InterruptedException {
    RedeliveryPass current = pass;
    if (current == null) {
      current = destinations.droppedFiles().pass(false);
      pass = current;
    }
    Optional<RedeliveryPass.Result> result = sendNext(current);
    if (result.isEmpty() || result.get().isLast()) {
      pass = null;
    }
    int delivered = result.map(RedeliveryPass.Result::delivered).orElse(0);
    int kept = result.map(RedeliveryPass.Result::kept).orElse(0);
    if (kept > 0 && !redeliverer.canSend()) {
      // The oldest records come first again when there is a destination.
      pass = null;
    }
    if (delivered > 0) {
      pause = FIRST_PAUSE;
      log.logRateLimited(
          Level.INFO, "redelivered", "%d records from files are delivered".formatted(delivered));
    } else if (kept > 0) {
      backOff();
    } else if (pass == null) {
      waitFor(FIRST_PAUSE);
    }
  }

  private void backOff() {
    waitFor(pause);
    Duration doubled = pause.multipliedBy(2);
    pause = doubled.compareTo(MAX_PAUSE) > 0 ? MAX_PAUSE : doubled;
  }

  private void waitFor(Duration time) {
    notBefore = clock.nanos() + time.toNanos();
  }

  private void deleteOld() throws IOException, InterruptedException {
    if (clock.nanos() - ageCheckAt < 0) {
      return;
    }
    ageCheckAt = clock.nanos() + AGE_CHECK_INTERVAL.toNanos();
    DroppedFiles.Expired deleted = destinations.droppedFiles().deleteOlderThan(rules.maxAge());
    deleted.failures().forEach(this::logFailure);
    if (deleted.records() > 0) {
      counts.countExpired(deleted.records());
      log.log(
          Level.ERROR,
          "%d records are deleted: their files in %s were older than dropped.max_age (%d s)"
              .formatted(
                  deleted.records(),
                  destinations.droppedFiles().directory(),
                  rules.maxAge().toSeconds()));
    }
  }

  /** How long the thread waits between two turns. */
  Duration interval() {
    return INTERVAL;
  }

  /** Cancels the request that runs: later calls deliver nothing. */
  void close() {
    redeliverer.close();
  }
}
