package com.datanadhi.sdk.internal.delivery;

import com.datanadhi.sdk.internal.files.DroppedFiles;
import com.datanadhi.sdk.internal.http.DeliveryOutcome;
import com.datanadhi.sdk.internal.http.ServerClient;
import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import java.util.ArrayList;
import java.util.List;

/**
 * Sends records from files again, in order, to the first destination that is available. Not
 * thread-safe.
 */
public final class Redeliverer implements DroppedFiles.Sender {
  private final Destinations destinations;
  private final ServerClient.Cancellation neverCancelled = new ServerClient.Cancellation();

  /** Uses the destinations that new records use. */
  public Redeliverer(Destinations destinations) {
    this.destinations = destinations;
  }

  @Override
  public List<OutgoingRecord> send(List<OutgoingRecord> records) throws InterruptedException {
    List<OutgoingRecord> left = new ArrayList<>(records);
    List<OutgoingRecord> failed = new ArrayList<>();
    while (!left.isEmpty() && destinations.mainServerHealth().isUp()) {
      sendToMainServer(List.copyOf(destinations.mainServer().firstOf(left)), left, failed);
    }
    List<OutgoingRecord> fitting = left.stream().filter(destinations.echoPost()::accepts).toList();
    if (!fitting.isEmpty() && destinations.echoPost().isUsable()) {
      left.removeAll(destinations.echoPost().send(fitting).stored());
    }
    if (!left.isEmpty() && destinations.fallbackServerHealth().isUp()) {
      DeliveryOutcome outcome = destinations.fallbackServer().upload(left, neverCancelled);
      if (outcome instanceof DeliveryOutcome.Unavailable unavailable) {
        destinations.fallbackServerHealth().markDown(unavailable.downtime());
      } else if (outcome instanceof DeliveryOutcome.Delivered) {
        left.clear();
      }
    }
    failed.addAll(left);
    return records.stream().filter(failed::contains).toList();
  }

  private void sendToMainServer(
      List<OutgoingRecord> batch, List<OutgoingRecord> left, List<OutgoingRecord> failed)
      throws InterruptedException {
    destinations
        .mainServer()
        .send(
            batch,
            neverCancelled,
            new MainServerSender.Outcomes() {
              @Override
              public void delivered(List<OutgoingRecord> records) {
                left.removeAll(records);
              }

              @Override
              public void rejected(List<OutgoingRecord> records, int status) {
                left.removeAll(records);
                failed.addAll(records);
              }
            });
  }
}
