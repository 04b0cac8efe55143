package com.datanadhi.sdk.internal.delivery;

import com.datanadhi.sdk.internal.files.RedeliveryPass;
import com.datanadhi.sdk.internal.http.DeliveryOutcome;
import com.datanadhi.sdk.internal.http.ServerClient;
import com.datanadhi.sdk.internal.logging.RateLimitedLog;
import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Sends records from files again, in order, to the first destination that is available. Not
 * thread-safe.
 */
final class Redeliverer implements RedeliveryPass.Sender {
  private final Destinations destinations;
  private final RecordCounts counts;
  private final RateLimitedLog log;
  private final ServerClient.Cancellation cancellation = new ServerClient.Cancellation();
  private volatile boolean closed;

  /** Uses the destinations that new records use. */
  Redeliverer(Destinations destinations, RecordCounts counts, RateLimitedLog log) {
    this.destinations = destinations;
    this.counts = counts;
    this.log = log;
  }

  @Override
  public RedeliveryPass.Outcome send(List<OutgoingRecord> records) throws InterruptedException {
    List<OutgoingRecord> left = new ArrayList<>(records);
    Rejected rejected = new Rejected();
    while (!left.isEmpty() && !closed && destinations.mainServerHealth().isUp()) {
      sendToMainServer(List.copyOf(destinations.mainServer().firstOf(left)), left, rejected);
    }
    List<OutgoingRecord> fitting = left.stream().filter(destinations.echoPost()::accepts).toList();
    if (!fitting.isEmpty() && !closed && destinations.echoPost().isUsable()) {
      left.removeAll(destinations.echoPost().send(fitting).stored());
    }
    if (!left.isEmpty() && !closed && destinations.fallbackServerHealth().isUp()) {
      DeliveryOutcome outcome = destinations.fallbackServer().upload(left, cancellation);
      if (outcome instanceof DeliveryOutcome.Unavailable unavailable) {
        destinations.fallbackServerHealth().markDown(unavailable.downtime());
      } else if (outcome instanceof DeliveryOutcome.Delivered) {
        left.clear();
      }
    }
    left.addAll(rejected.records);
    return new RedeliveryPass.Outcome(
        records.stream().filter(record -> !left.contains(record)).toList(),
        rejected.records,
        file -> countRejected(rejected, file));
  }

  private void countRejected(Rejected rejected, Path file) {
    int records = rejected.records.size();
    String cause = "The main server answered " + rejected.status;
    counts.countRejectedFromFile(records, "%s: %s".formatted(cause, file));
    log.logRateLimited(
        Level.ERROR,
        RecordCounts.REJECTED,
        "%s: %d records from other files are kept in %s".formatted(cause, records, file));
  }

  /** The records of one call that the main server has rejected. */
  private static final class Rejected {
    private final List<OutgoingRecord> records = new ArrayList<>();
    private int status;
  }

  /** Whether a destination is available. */
  boolean canSend() {
    return destinations.mainServerHealth().isUp()
        || destinations.echoPost().isUsable()
        || destinations.fallbackServerHealth().isUp();
  }

  /** Cancels the request that runs; from now on nothing is delivered. Any thread. */
  void close() {
    closed = true;
    cancellation.cancel();
  }

  private void sendToMainServer(
      List<OutgoingRecord> batch, List<OutgoingRecord> left, Rejected rejected)
      throws InterruptedException {
    destinations
        .mainServer()
        .send(
            batch,
            cancellation,
            new MainServerSender.Outcomes() {
              @Override
              public void delivered(List<OutgoingRecord> records) {
                left.removeAll(records);
              }

              @Override
              public void rejected(List<OutgoingRecord> records, int status) {
                left.removeAll(records);
                rejected.status = rejected.records.isEmpty() ? status : rejected.status;
                rejected.records.addAll(records);
              }
            });
  }
}
