package com.datanadhi.sdk.internal.appender;

import com.datanadhi.sdk.DataNadhi;
import com.datanadhi.sdk.internal.echopost.AgentReserve;
import com.datanadhi.sdk.internal.files.DroppedFiles;
import com.datanadhi.sdk.internal.json.EncodedPayload;
import com.datanadhi.sdk.internal.logging.StandardError;
import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import com.datanadhi.sdk.internal.thread.ProcessEnd;
import com.datanadhi.sdk.internal.thread.SdkThread;
import com.datanadhi.sdk.internal.time.Clock;
import com.datanadhi.sdk.internal.time.Waiter;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.UUID;

/**
 * Records that are logged while no client can be opened. They go to a client when there is one,
 * else into a file at the end of the process. Thread-safe.
 */
final class KeptRecords {
  static final int MAX_RECORDS = 1_000;

  /** The default of {@code async.exit_timeout}. */
  private static final Duration EXIT_TIMEOUT = Duration.ofSeconds(5);

  /** The default of {@code async.max_record_bytes}. */
  static final int MAX_RECORD_BYTES = 1 << 20;

  /** The default of {@code dropped.max_bytes}. */
  private static final long MAX_FILE_BYTES = 1 << 30;

  private static final long MAX_CHARS = 16 << 20;

  private final Path directory;
  private final List<Kept> records = new ArrayList<>();
  private final Thread shutdownHook = SdkThread.named("datanadhi-kept", this::endWithProcess);
  private final String keyPrefix = UUID.randomUUID().toString().replace("-", "") + "-";
  private long chars;
  private boolean hooked;
  private long lastKey;
  private long lost;

  KeptRecords(Path directory) {
    this.directory = directory;
  }

  /** Keeps a record; if there is no space for it, the message at the end counts it as lost. */
  synchronized void add(List<String> pipelines, EncodedPayload payload) {
    begin();
    int length = payload.json().length();
    if (records.size() == MAX_RECORDS || chars + length > MAX_CHARS) {
      lost++;
      return;
    }
    records.add(new Kept(pipelines, payload));
    chars += length;
  }

  /**
   * Records can be added from now on. If the process ends already, they are written to a file when
   * the last appender is closed, if the logging library does that.
   */
  synchronized void begin() {
    if (!hooked) {
      hooked = true;
      boolean unused = ProcessEnd.addHook(shutdownHook);
    }
  }

  private void endWithProcess() {
    try {
      ProcessEnd.awaitLastRecords(EXIT_TIMEOUT);
    } catch (InterruptedException unexpected) {
      // No further record is awaited.
    } finally {
      writeFile();
    }
  }

  /** Submits the records to {@code client}; those that it does not accept go into a file. */
  synchronized void submitTo(DataNadhi client) {
    Iterator<Kept> waiting = records.iterator();
    while (waiting.hasNext()) {
      Kept record = waiting.next();
      if (accepts(client, record)) {
        waiting.remove();
        chars -= record.payload().json().length();
      }
    }
    end();
  }

  private static boolean accepts(DataNadhi client, Kept record) {
    try {
      return EncodedSubmit.provided()
          .submit(client, record.pipelines(), record.payload())
          .isAccepted();
    } catch (IllegalArgumentException tooLarge) {
      // For a limit that is lower than the default.
      return false;
    }
  }

  /** Writes the records to a file. */
  synchronized void end() {
    writeFile();
    if (hooked) {
      ProcessEnd.removeHook(shutdownHook);
      hooked = false;
    }
  }

  private synchronized void writeFile() {
    if (!records.isEmpty()) {
      writeRecords();
    }
    if (lost > 0) {
      StandardError.print(
          "%d records are lost: there is no client for them, and only %d records are kept"
              .formatted(lost, MAX_RECORDS));
    }
    lost = 0;
  }

  private void writeRecords() {
    try {
      Path file =
          new DroppedFiles(
                  directory,
                  MAX_FILE_BYTES,
                  new AgentReserve(directory),
                  Clock.system(),
                  Waiter.system())
              .write("not_configured", records.stream().map(this::outgoing).toList());
      long truncated = records.stream().filter(record -> record.payload().truncated()).count();
      StandardError.print(
          "%d records are kept in %s (%d truncated); they are sent when the configuration is valid"
              .formatted(records.size(), file, truncated));
    } catch (IOException failed) {
      reportLost(failed);
    } catch (InterruptedException interrupted) {
      reportLost(interrupted);
      Thread.currentThread().interrupt();
    }
    records.clear();
    chars = 0;
  }

  private OutgoingRecord outgoing(Kept record) {
    return new OutgoingRecord(record.pipelines(), record.payload().json(), keyPrefix + ++lastKey);
  }

  private record Kept(List<String> pipelines, EncodedPayload payload) {}

  private void reportLost(Exception cause) {
    StandardError.print(
        "%d records are lost: there is no client for them, and no file can be written: %s"
            .formatted(records.size(), cause));
  }
}
