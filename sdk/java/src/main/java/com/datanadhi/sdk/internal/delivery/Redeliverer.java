package com.datanadhi.sdk.internal.delivery;

import com.datanadhi.sdk.internal.files.DroppedFiles;
import com.datanadhi.sdk.internal.http.DeliveryOutcome;
import com.datanadhi.sdk.internal.http.ServerClient;
import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import java.util.ArrayList;
import java.util.List;

/** Sends records of files again, in their order, the first way that is open; for one thread. */
public final class Redeliverer implements DroppedFiles.Sender {
  private final Destinations world;
  private final ServerClient.Call call = new ServerClient.Call();

  /** Goes where all records go. */
  public Redeliverer(Destinations world) {
    this.world = world;
  }

  @Override
  public List<OutgoingRecord> send(List<OutgoingRecord> entries) throws InterruptedException {
    List<OutgoingRecord> refused = new ArrayList<>();
    List<OutgoingRecord> left = new ArrayList<>(entries);
    while (!left.isEmpty() && world.mainHealth().isUp()) {
      DeliveryOutcome answer = world.main().deliver(left.get(0), call);
      if (answer instanceof DeliveryOutcome.Unavailable unavailable) {
        world.mainHealth().isDown(unavailable.why());
      } else if (answer instanceof DeliveryOutcome.Delivered) {
        left.remove(0);
      } else {
        refused.add(left.remove(0));
      }
    }
    List<OutgoingRecord> fitting = left.stream().filter(world.echoPost()::takes).toList();
    if (!fitting.isEmpty() && world.echoPost().isUsable()) {
      left.removeAll(world.echoPost().send(fitting).stored());
    }
    if (!left.isEmpty() && world.fallbackHealth().isUp()) {
      DeliveryOutcome answer = world.fallback().upload(left, call);
      if (answer instanceof DeliveryOutcome.Unavailable unavailable) {
        world.fallbackHealth().isDown(unavailable.why());
      } else if (answer instanceof DeliveryOutcome.Delivered) {
        left.clear();
      }
    }
    refused.addAll(left);
    return entries.stream().filter(refused::contains).toList();
  }
}
