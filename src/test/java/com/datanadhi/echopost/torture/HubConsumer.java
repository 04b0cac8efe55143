package com.datanadhi.echopost.torture;

import java.io.IOException;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A consumer of a pipeline: it reads the next records and then moves its cursor, again and again.
/// Each record must reach it at least once, whatever happens to the hub.
final class HubConsumer implements AutoCloseable {
  private static final Pattern NUMBER = Pattern.compile("(?m)^\\{[^\n]*?\"n\":([0-9]+)");
  private static final long PAUSE_NANOS = 50_000_000;

  private final String tenant;
  private final String pipeline;
  private final String path;
  private final HubClient client;
  private final CampaignResult result;
  private final Thread thread;
  private volatile boolean isClosed;

  // Guarded by this.
  private long seen;

  HubConsumer(String tenant, String pipeline, HubClient client, CampaignResult result) {
    this.tenant = tenant;
    this.pipeline = pipeline;
    this.path = "/v1/pipelines/" + pipeline + "/records?consumer=c&limit=200";
    this.client = client;
    this.result = result;
    this.thread = Thread.ofPlatform().name("consumer-" + tenant).start(this::run);
  }

  /// A disaster took everything behind this number.
  synchronized void lostBehind(long n) {
    seen = Math.min(seen, n);
  }

  private void run() {
    while (!isClosed) {
      try {
        read();
      } catch (IOException noAnswer) {
        // The hub is down: the same again.
      } catch (InterruptedException closed) {
        return;
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  private void read() throws IOException, InterruptedException {
    HubClient.Answer answer = client.get(path);
    if (answer.status() != 200) {
      if (answer.status() != 503) {
        violation("answered with " + answer);
      }
      return;
    }
    long last = check(answer.body());
    if (last > 0) {
      HubClient.Answer moved = client.moveCursor(pipeline, "c", last);
      if (moved.status() == 200) {
        result.add("cursors moved", 1);
      } else if (moved.status() != 503) {
        violation("the cursor cannot be moved to " + last + ": " + moved);
      }
    }
  }

  /// @return the last number; 0 without one
  private synchronized long check(String body) {
    Matcher number = NUMBER.matcher(body);
    long last = 0;
    while (number.find()) {
      long n = Long.parseLong(number.group(1));
      if (n > (last == 0 ? seen : last) + 1) {
        violation(
            "read number " + n + " after " + (last == 0 ? seen : last) + ": some are left out");
      }
      last = n;
    }
    seen = Math.max(seen, last);
    return last;
  }

  private void violation(String text) {
    result.addViolation("consumer of " + tenant + ": " + text);
  }

  @Override
  public void close() throws InterruptedException {
    isClosed = true;
    thread.interrupt();
    thread.join();
    client.close();
  }
}
