package com.datanadhi.hub.log.segments;

import com.datanadhi.hub.log.Append;
import com.datanadhi.hub.log.Durability;
import com.datanadhi.hub.log.NewEntry;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.testkit.Directories;
import com.google.errorprone.annotations.FormatMethod;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.LongAdder;

/// Appends of 400-byte records to the segment store at `fsync`, beside raw writes with one
/// fdatasync each on a zero-filled file, in the same run. Arguments: a directory, and the seconds
/// per figure.
public final class LogBench {
  private static final int RECORD = 400;
  private static final String STREAM = "events-0";

  private LogBench() {}

  public static void main(String[] arguments) throws Exception {
    Path home = Files.createTempDirectory(Path.of(arguments[0]), "log-bench");
    double seconds = Double.parseDouble(arguments[1]);
    try {
      raw(home, seconds, 1);
      try (SegmentLog log =
          SegmentLog.open(home.resolve("log"), SegmentSettings.defaults(), Clock.system())) {
        log.prepare(STREAM);
        appends(log, 64, 1, 2, "warm-up");
        appends(log, 1, 1, seconds, "segments");
        appends(log, 64, 1, seconds, "segments");
        appends(log, 256, 1, seconds, "segments");
        appends(log, 1, 100, seconds, "segments");
        appends(log, 4, 1000, seconds, "segments");
      }
      raw(home, seconds, 1);
      raw(home, seconds, 100);
      raw(home, seconds, 1000);
    } finally {
      Directories.delete(home);
    }
  }

  private static void appends(SegmentLog log, int producers, int batch, double seconds, String name)
      throws Exception {
    byte[] payload = new byte[RECORD];
    new Random(1).nextBytes(payload);
    List<NewEntry> entries = Collections.nCopies(batch, new NewEntry(1, 1, payload));
    LongAdder records = new LongAdder();
    LongAdder refused = new LongAdder();
    Latencies latencies = new Latencies();
    long commits = log.stats().commits();
    long started = System.nanoTime();
    long until = started + (long) (seconds * 1e9);
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < producers; i++) {
        boolean measures = i == 0;
        executor.execute(() -> {
          while (System.nanoTime() - until < 0) {
            long before = System.nanoTime();
            append(log, entries, records, refused);
            if (measures) {
              latencies.add(System.nanoTime() - before);
            }
          }
        });
      }
    }
    double took = (System.nanoTime() - started) / 1e9;
    print(
        "%-9s %4d producers, batches of %4d: %9.0f records/s, %s, %.1f records a commit, %d"
            + " refused",
        name,
        producers,
        batch,
        records.sum() / took,
        latencies,
        (double) records.sum() / (log.stats().commits() - commits),
        refused.sum());
  }

  private static void append(
      SegmentLog log, List<NewEntry> entries, LongAdder records, LongAdder refused) {
    try {
      if (log.append(STREAM, entries, Durability.FSYNC) instanceof Append.Accepted accepted
          && accepted.await() instanceof Append.Stored) {
        records.add(entries.size());
      } else {
        refused.increment();
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static void raw(Path home, double seconds, int batch) throws IOException {
    Path file = home.resolve("raw");
    long size = 64L << 20;
    Latencies latencies = new Latencies();
    ByteBuffer bytes = ByteBuffer.allocateDirect(batch * (RECORD + RecordFormat.HEADER_BYTES));
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      ByteBuffer zeros = ByteBuffer.allocateDirect(1 << 20);
      for (long at = 0; at < size; at += zeros.capacity()) {
        DurableFiles.writeFully(channel, zeros.clear(), at);
      }
      channel.force(true);
      long started = System.nanoTime();
      long until = started + (long) (seconds * 1e9);
      long position = 0;
      long records = 0;
      while (System.nanoTime() - until < 0) {
        long before = System.nanoTime();
        bytes.clear();
        DurableFiles.writeFully(channel, bytes, position);
        channel.force(false);
        latencies.add(System.nanoTime() - before);
        records += batch;
        position += bytes.capacity();
        position = position + bytes.capacity() > size ? 0 : position;
      }
      double took = (System.nanoTime() - started) / 1e9;
      print("raw write and fdatasync of %d: %.0f records/s, %s", batch, records / took, latencies);
    }
    Files.delete(file);
  }

  private static final class Latencies {
    private long[] values = new long[1024];
    private int size;

    void add(long nanos) {
      if (size == values.length) {
        values = Arrays.copyOf(values, 2 * size);
      }
      values[size++] = nanos;
    }

    @Override
    public String toString() {
      long[] sorted = Arrays.copyOf(values, size);
      Arrays.sort(sorted);
      return String.format(
          Locale.ROOT,
          "p50 %.3f ms, p99 %.3f ms",
          sorted[size / 2] / 1e6,
          sorted[(int) (size * 0.99)] / 1e6);
    }
  }

  @FormatMethod
  private static void print(String format, Object... values) {
    System.out.println(String.format(Locale.ROOT, format, values));
  }
}
