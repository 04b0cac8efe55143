package com.datanadhi.sdk.internal.delivery;

import com.datanadhi.sdk.internal.delivery.RecordCounts.Destination;
import com.datanadhi.sdk.internal.echopost.SendResult;
import com.datanadhi.sdk.internal.http.DeliveryOutcome;
import com.datanadhi.sdk.internal.http.FallbackServer;
import com.datanadhi.sdk.internal.http.ServerClient;
import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import com.datanadhi.sdk.internal.queue.RecordQueue;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Takes the first records of the queue and brings them somewhere. What it could not bring anywhere
 * is back in its place when a call returns or throws. For one thread, but that any may {@link
 * #abandon}.
 */
final class Dispatcher {
  private final RecordQueue queue;
  private final Destinations world;
  private final RecordCounts ledger;
  private final ServerClient.Call call = new ServerClient.Call();
  private final List<OutgoingRecord> inHand = new ArrayList<>();

  Dispatcher(RecordQueue queue, Destinations world, RecordCounts ledger) {
    this.queue = queue;
    this.world = world;
    this.ledger = ledger;
  }

  /** Brings records the first way that is open, a file the last; false when none was to be had. */
  boolean deliver() throws InterruptedException {
    if (world.mainHealth().isUp()) {
      return toMainServer();
    }
    if (world.echoPost().isUsable()) {
      return toEchoPost();
    }
    if (world.fallbackHealth().isUp()) {
      return toFallback("fallback_failed");
    }
    // It is being downloaded, or its agent is slow to start: it will take what waits here, and if
    // it
    // does not, the queue fills up.
    return !world.echoPost().isPreparing() && toFile("undeliverable");
  }

  private boolean toMainServer() throws InterruptedException {
    return with(
        1,
        entries -> {
          OutgoingRecord entry = entries.get(0);
          DeliveryOutcome answer = world.main().deliver(entry, call);
          if (answer instanceof DeliveryOutcome.Delivered) {
            settle(List.of(entry), Destination.MAIN_SERVER);
          } else if (answer instanceof DeliveryOutcome.Refused refused) {
            refused("The main server", refused.status(), List.of(entry), "primary_failed");
          } else if (answer instanceof DeliveryOutcome.Unavailable unavailable) {
            world.mainHealth().isDown(unavailable.why());
          }
        });
  }

  /** Hands the next records over in one go, pipelined. */
  boolean toEchoPost() throws InterruptedException {
    return with(
        FallbackServer.BATCH,
        entries -> {
          int fitting = 0;
          while (fitting < entries.size() && world.echoPost().takes(entries.get(fitting))) {
            fitting++;
          }
          if (fitting == 0) {
            passByEchoPost(entries.get(0));
            return;
          }
          SendResult result = world.echoPost().send(List.copyOf(entries.subList(0, fitting)));
          settle(result.stored(), Destination.ECHOPOST);
          if (!result.refused().isEmpty()) {
            drop("echopost_failed", result.refused(), "EchoPost will not take them");
          }
        });
  }

  private void passByEchoPost(OutgoingRecord tooLarge) throws InterruptedException {
    if (!world.fallbackHealth().isUp()) {
      drop("too_large", List.of(tooLarge), "larger than EchoPost takes");
    } else {
      upload(List.of(tooLarge), "fallback_failed");
    }
  }

  /** Uploads the next batch; where it is refused, {@code refusedAs} says whose it was. */
  boolean toFallback(String refusedAs) throws InterruptedException {
    return with(FallbackServer.BATCH, entries -> upload(List.copyOf(entries), refusedAs));
  }

  private void upload(List<OutgoingRecord> entries, String refusedAs) throws InterruptedException {
    DeliveryOutcome answer = world.fallback().upload(entries, call);
    if (answer instanceof DeliveryOutcome.Delivered) {
      settle(entries, Destination.FALLBACK);
    } else if (answer instanceof DeliveryOutcome.Refused refused) {
      refused("The fallback server", refused.status(), entries, refusedAs);
    } else if (answer instanceof DeliveryOutcome.Unavailable unavailable) {
      world.fallbackHealth().isDown(unavailable.why());
    }
  }

  /** Keeps the next records in a file; false when there are none, or it cannot be written. */
  boolean toFile(String reason) throws InterruptedException {
    return with(
        FallbackServer.BATCH, entries -> drop(reason, List.copyOf(entries), "no way is open"));
  }

  private void refused(String who, int status, List<OutgoingRecord> entries, String reason)
      throws InterruptedException {
    drop(reason, entries, who + " answered " + status);
  }

  private void drop(String reason, List<OutgoingRecord> entries, String why)
      throws InterruptedException {
    try {
      Path file = world.files().write(reason, entries);
      ledger.dropped(reason, entries.size());
      inHand.removeAll(entries);
      world
          .notices()
          .sayAtTimes(
              Level.ERROR,
              reason,
              "%s: %d records are kept in %s".formatted(why, entries.size(), file));
    } catch (IOException full) {
      world
          .notices()
          .sayAtTimes(
              Level.ERROR,
              "files",
              "%s, and no file can be written: %s. Records wait in memory: make room, or let this user write there"
                  .formatted(why, full));
    }
  }

  private void settle(List<OutgoingRecord> entries, Destination way) {
    ledger.delivered(way, entries.size());
    inHand.removeAll(entries);
  }

  /** Takes records, and gives back what {@code work} leaves; true when it left fewer. */
  private boolean with(int most, Work work) throws InterruptedException {
    List<OutgoingRecord> taken = queue.take(most);
    inHand.addAll(taken);
    if (taken.isEmpty()) {
      return false;
    }
    try {
      work.on(taken);
      return inHand.size() < taken.size();
    } finally {
      queue.giveBack(inHand);
      inHand.clear();
    }
  }

  /** Whatever it waits for at a server, it waits no longer; nor later, until {@link #resume}. */
  void abandon() {
    call.abandon();
  }

  /** Servers are waited for again. */
  void resume() {
    call.resume();
  }

  private interface Work {
    void on(List<OutgoingRecord> entries) throws InterruptedException;
  }
}
