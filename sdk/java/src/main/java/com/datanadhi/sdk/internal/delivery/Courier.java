package com.datanadhi.sdk.internal.delivery;

import com.datanadhi.sdk.internal.delivery.Ledger.Way;
import com.datanadhi.sdk.internal.echopost.SendResult;
import com.datanadhi.sdk.internal.http.Answer;
import com.datanadhi.sdk.internal.http.FallbackServer;
import com.datanadhi.sdk.internal.http.Server;
import com.datanadhi.sdk.internal.queue.LogEntry;
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
final class Courier {
  private final RecordQueue queue;
  private final World world;
  private final Ledger ledger;
  private final Server.Call call = new Server.Call();
  private final List<LogEntry> inHand = new ArrayList<>();

  Courier(RecordQueue queue, World world, Ledger ledger) {
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
          LogEntry entry = entries.get(0);
          Answer answer = world.main().deliver(entry, call);
          if (answer instanceof Answer.Delivered) {
            settle(List.of(entry), Way.MAIN_SERVER);
          } else if (answer instanceof Answer.Refused refused) {
            refused("The main server", refused.status(), List.of(entry), "primary_failed");
          } else if (answer instanceof Answer.Unavailable unavailable) {
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
          settle(result.stored(), Way.ECHOPOST);
          if (!result.refused().isEmpty()) {
            drop("echopost_failed", result.refused(), "EchoPost will not take them");
          }
        });
  }

  private void passByEchoPost(LogEntry tooLarge) throws InterruptedException {
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

  private void upload(List<LogEntry> entries, String refusedAs) throws InterruptedException {
    Answer answer = world.fallback().upload(entries, call);
    if (answer instanceof Answer.Delivered) {
      settle(entries, Way.FALLBACK);
    } else if (answer instanceof Answer.Refused refused) {
      refused("The fallback server", refused.status(), entries, refusedAs);
    } else if (answer instanceof Answer.Unavailable unavailable) {
      world.fallbackHealth().isDown(unavailable.why());
    }
  }

  /** Keeps the next records in a file; false when there are none, or it cannot be written. */
  boolean toFile(String reason) throws InterruptedException {
    return with(
        FallbackServer.BATCH, entries -> drop(reason, List.copyOf(entries), "no way is open"));
  }

  private void refused(String who, int status, List<LogEntry> entries, String reason)
      throws InterruptedException {
    drop(reason, entries, who + " answered " + status);
  }

  private void drop(String reason, List<LogEntry> entries, String why) throws InterruptedException {
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

  private void settle(List<LogEntry> entries, Way way) {
    ledger.delivered(way, entries.size());
    inHand.removeAll(entries);
  }

  /** Takes records, and gives back what {@code work} leaves; true when it left fewer. */
  private boolean with(int most, Work work) throws InterruptedException {
    List<LogEntry> taken = queue.take(most);
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
    void on(List<LogEntry> entries) throws InterruptedException;
  }
}
