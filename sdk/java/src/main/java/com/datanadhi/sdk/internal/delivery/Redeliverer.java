package com.datanadhi.sdk.internal.delivery;

import com.datanadhi.sdk.internal.files.DroppedFiles;
import com.datanadhi.sdk.internal.http.Answer;
import com.datanadhi.sdk.internal.http.Server;
import com.datanadhi.sdk.internal.queue.LogEntry;
import java.util.ArrayList;
import java.util.List;

/** Sends records of files again, in their order, the first way that is open; for one thread. */
public final class Redeliverer implements DroppedFiles.Sender {
  private final World world;
  private final Server.Call call = new Server.Call();

  /** Goes where all records go. */
  public Redeliverer(World world) {
    this.world = world;
  }

  @Override
  public List<LogEntry> send(List<LogEntry> entries) throws InterruptedException {
    List<LogEntry> refused = new ArrayList<>();
    List<LogEntry> left = new ArrayList<>(entries);
    while (!left.isEmpty() && world.mainHealth().isUp()) {
      Answer answer = world.main().deliver(left.get(0), call);
      if (answer instanceof Answer.Unavailable unavailable) {
        world.mainHealth().isDown(unavailable.why());
      } else if (answer instanceof Answer.Delivered) {
        left.remove(0);
      } else {
        refused.add(left.remove(0));
      }
    }
    List<LogEntry> fitting = left.stream().filter(world.echoPost()::takes).toList();
    if (!fitting.isEmpty() && world.echoPost().isUsable()) {
      left.removeAll(world.echoPost().send(fitting).stored());
    }
    if (!left.isEmpty() && world.fallbackHealth().isUp()) {
      Answer answer = world.fallback().upload(left, call);
      if (answer instanceof Answer.Unavailable unavailable) {
        world.fallbackHealth().isDown(unavailable.why());
      } else if (answer instanceof Answer.Delivered) {
        left.clear();
      }
    }
    refused.addAll(left);
    return entries.stream().filter(refused::contains).toList();
  }
}
