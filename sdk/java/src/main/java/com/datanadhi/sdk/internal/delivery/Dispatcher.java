package com.datanadhi.sdk.internal.delivery;

import com.datanadhi.sdk.internal.echopost.SendResult;
import com.datanadhi.sdk.internal.http.DeliveryOutcome;
import com.datanadhi.sdk.internal.http.FallbackServer;
import com.datanadhi.sdk.internal.http.ServerClient;
import com.datanadhi.sdk.internal.logging.RateLimitedLog;
import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import com.datanadhi.sdk.internal.queue.RecordQueue;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Takes the first records from the queue and delivers them. When a method returns or throws, the
 * records that it did not deliver are back at their positions in the queue. For one thread, except
 * {@link #cancelRequests} and {@link #allowRequests}, which any thread may call.
 */
final class Dispatcher {
  private final RecordQueue queue;
  private final Destinations destinations;
  private final RecordCounts counts;
  private final RateLimitedLog log;
  private final ServerClient.Cancellation cancellation = new ServerClient.Cancellation();
  private final MainServerSender.Outcomes mainServerOutcomes = new MainServerOutcomes();
  private final Set<OutgoingRecord> unsettled = new LinkedHashSet<>();

  Dispatcher(
      RecordQueue queue, Destinations destinations, RecordCounts counts, RateLimitedLog log) {
    this.queue = queue;
    this.destinations = destinations;
    this.counts = counts;
    this.log = log;
  }

  /**
   * Delivers the next records to the first destination that is available: main server, EchoPost,
   * fallback server, file.
   *
   * @return false if the records are still in the queue
   */
  boolean deliver() throws InterruptedException {
    if (destinations.mainServerHealth().isUp()) {
      return toMainServer();
    }
    if (destinations.echoPost().isUsable()) {
      return toEchoPost();
    }
    if (destinations.fallbackServerHealth().isUp()) {
      return toFallbackServer("fallback_failed");
    }
    // While EchoPost is downloaded, or its agent starts slowly, or the main server is busy, records
    // wait in the queue. If that takes too long, the queue fills up and the spill writes files.
    return !destinations.echoPost().isPreparing()
        && !destinations.mainServerHealth().isExpectedBack()
        && toFile("undeliverable", "No server is up, and EchoPost cannot be used");
  }

  private boolean toMainServer() throws InterruptedException {
    return deliver(
        destinations.mainServer().takeNext(queue),
        records -> destinations.mainServer().send(records, cancellation, mainServerOutcomes));
  }

  /** Sends the next batch to EchoPost, pipelined. */
  boolean toEchoPost() throws InterruptedException {
    return withNextRecords(records -> {
      int fitting = 0;
      while (fitting < records.size() && destinations.echoPost().accepts(records.get(fitting))) {
        fitting++;
      }
      if (fitting == 0) {
        deliverTooLarge(records.get(0));
        return;
      }
      SendResult result = destinations.echoPost().send(List.copyOf(records.subList(0, fitting)));
      settle(result.stored(), Destination.ECHOPOST);
      if (!result.refused().isEmpty()) {
        drop("echopost_failed", result.refused(), "EchoPost refused the records");
      }
    });
  }

  private void deliverTooLarge(OutgoingRecord record) throws InterruptedException {
    if (!destinations.fallbackServerHealth().isUp()) {
      drop("too_large", List.of(record), "A record is larger than the 4 MiB that EchoPost accepts");
    } else {
      upload(List.of(record), "fallback_failed");
    }
  }

  /**
   * Uploads the next batch to the fallback server.
   *
   * @param rejectedReason the reason under which the batch is kept in a file if it is rejected
   */
  boolean toFallbackServer(String rejectedReason) throws InterruptedException {
    return withNextRecords(records -> upload(List.copyOf(records), rejectedReason));
  }

  private void upload(List<OutgoingRecord> records, String rejectedReason)
      throws InterruptedException {
    DeliveryOutcome outcome = destinations.fallbackServer().upload(records, cancellation);
    if (outcome instanceof DeliveryOutcome.Delivered) {
      destinations.fallbackServerHealth().markDelivered();
      settle(records, Destination.FALLBACK);
    } else if (outcome instanceof DeliveryOutcome.Rejected rejected) {
      drop(rejectedReason, records, "The fallback server answered " + rejected.status());
    } else if (outcome instanceof DeliveryOutcome.Unavailable unavailable) {
      destinations.fallbackServerHealth().markDown(unavailable.downtime());
    }
  }

  /**
   * Writes the next batch to a file.
   *
   * @param reason the start of the file's name
   * @param cause for the log, a sentence without a full stop
   * @return false if the queue is empty or the file cannot be written
   */
  boolean toFile(String reason, String cause) throws InterruptedException {
    return withNextRecords(records -> drop(reason, List.copyOf(records), cause));
  }

  private void drop(String reason, List<OutgoingRecord> records, String cause)
      throws InterruptedException {
    try {
      Path file = destinations.droppedFiles().write(reason, records);
      counts.countDropped(reason, records, "%s: %s".formatted(cause, file));
      forget(records);
      log.logRateLimited(
          Level.ERROR,
          reason,
          "%s: %d records are kept in %s".formatted(cause, records.size(), file));
    } catch (IOException failed) {
      log.logRateLimited(
          Level.ERROR,
          "files",
          ("%s, and no file can be written: %s. The records stay in memory: free disk space, give"
                  + " this user write access to the directory, or raise dropped.max_bytes")
              .formatted(cause, failed));
    }
  }

  private void settle(List<OutgoingRecord> records, Destination destination) {
    counts.countDelivered(destination, records);
    forget(records);
  }

  private void forget(List<OutgoingRecord> records) {
    records.forEach(unsettled::remove);
    queue.settle(records);
  }

  /** Takes records, runs {@code work} with them, and gives back those without an outcome. */
  private boolean withNextRecords(Work work) throws InterruptedException {
    return deliver(queue.take(FallbackServer.BATCH, FallbackServer.BATCH_BYTES), work);
  }

  private boolean deliver(List<OutgoingRecord> taken, Work work) throws InterruptedException {
    unsettled.addAll(taken);
    if (taken.isEmpty()) {
      return false;
    }
    try {
      work.run(taken);
      return unsettled.size() < taken.size();
    } finally {
      queue.giveBack(unsettled);
      unsettled.clear();
    }
  }

  /** Cancels the request to a server that runs, and later ones until {@link #allowRequests}. */
  void cancelRequests() {
    cancellation.cancel();
  }

  /** Later requests to servers are no longer cancelled. */
  void allowRequests() {
    cancellation.reset();
  }

  private final class MainServerOutcomes implements MainServerSender.Outcomes {
    @Override
    public void delivered(List<OutgoingRecord> records) {
      settle(records, Destination.MAIN_SERVER);
    }

    @Override
    public void rejected(List<OutgoingRecord> records, int status) throws InterruptedException {
      drop(RecordCounts.REJECTED, records, "The main server answered " + status);
    }
  }

  private interface Work {
    void run(List<OutgoingRecord> records) throws InterruptedException;
  }
}
