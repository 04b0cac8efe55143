package com.datanadhi.echopost.bench;

import com.datanadhi.echopost.buffer.AppendRequest;
import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.buffer.BufferListener;
import com.datanadhi.echopost.record.NewRecord;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.ProcessMemory;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.testkit.Directories;
import com.datanadhi.testkit.StubServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/// Measures the cost of millions of pending records for appends, start, memory and replay. The
/// program's own classes append them, in this process, because a client would need minutes.
///
/// Floors: the same with an empty directory, or with a small backlog. Only EchoPost is measured: a
/// peer has another buffer format.
final class LargeBacklog implements Benchmark {
  private static final int STARTS = 5;
  private static final int SLICES = 50;
  private static final int MEASURED_SLICES = 5;

  /// A typical number of records that the event loop reads at once under load.
  private static final int RECORDS_PER_APPEND = 100;

  private static final int MAX_PENDING_APPENDS = 80;
  private static final int REPLAYED = 20_000;
  private static final long SETTLE_NANOS = TimeUnit.SECONDS.toNanos(3);
  private static final long DISK_BYTES_PER_RECORD = 1_000;

  private final TestBed testBed;
  private final long records;
  private final int loadRecords;
  private final MeasuredValues values = new MeasuredValues();

  LargeBacklog(TestBed testBed, RunSize size) {
    this.testBed = testBed;
    this.records = size.backlogRecords();
    this.loadRecords = size.warmRecords();
  }

  @Override
  public String name() {
    return "a backlog of " + count();
  }

  private String count() {
    return "%,d".formatted(records);
  }

  @Override
  public void round() throws Exception {
    Path full = testBed.newDirectory();
    if (Files.getFileStore(full).getUsableSpace() < records * DISK_BYTES_PER_RECORD) {
      throw new IOException(
          testBed.root()
              + " has no space for "
              + count()
              + " records: set java.io.tmpdir to a larger disk");
    }
    fill(full);
    // Otherwise the syncs of the first start wait for the writes of the fill.
    int _ = new ProcessBuilder("sync").start().waitFor();
    MeasuredProgram program = testBed.programs().getFirst();
    try (StubServer server = StubServer.down()) {
      for (int start = 0; start < STARTS; start++) {
        Path empty = testBed.newDirectory();
        start(program, full, server.url(), MeasuredProgram.ECHOPOST, start == 0);
        start(program, empty, server.url(), "empty directory", start == 0);
        Directories.delete(empty);
      }
    }
    replay(program, full, MeasuredProgram.ECHOPOST);
    Directories.delete(full);
    Path small = testBed.newDirectory();
    try (Buffer buffer = Buffer.open(small, Clock.system(), BufferListener.NONE)) {
      double _ = new Appender().append(buffer, REPLAYED);
    }
    replay(program, small, "a backlog of %,d".formatted(REPLAYED));
    Directories.delete(small);
  }

  /// Appends to the full buffer, whose last slices alternate with slices to a buffer that was
  /// empty: the speed of disk and machine changes more within half a minute than the two differ.
  private void fill(Path directory) throws StorageException, IOException, InterruptedException {
    Path emptyAtFirst = testBed.newDirectory();
    try (Buffer buffer = Buffer.open(directory, Clock.system(), BufferListener.NONE);
        Buffer other = Buffer.open(emptyAtFirst, Clock.system(), BufferListener.NONE)) {
      Appender appender = new Appender();
      for (int slice = 0; slice < SLICES - MEASURED_SLICES; slice++) {
        double _ = appender.append(buffer, records / SLICES);
      }
      for (int slice = 0; slice < MEASURED_SLICES; slice++) {
        measure(appender, other, "into an empty buffer");
        measure(appender, buffer, MeasuredProgram.ECHOPOST);
      }
    }
    Directories.delete(emptyAtFirst);
  }

  private void measure(Appender appender, Buffer buffer, String subject)
      throws InterruptedException {
    // CPU time too: once the page cache is full the rate depends on the disk.
    CpuTime cpuTime = CpuTime.of(ProcessHandle.current());
    values.add("backlog_append", subject, appender.append(buffer, records / SLICES));
    values.add("backlog_append_processor", subject, cpuTime.microsPerRecord(records / SLICES));
  }

  /// Appends records to a buffer at the highest rate.
  private static final class Appender {
    private final Semaphore slots = new Semaphore(MAX_PENDING_APPENDS);
    private final AtomicReference<AppendRequest.Outcome> failure = new AtomicReference<>();
    private final NewRecord record =
        new NewRecord(
            System.currentTimeMillis(),
            ("{\"message\":\"" + "x".repeat(RunSize.RECORD_BYTES - 14) + "\"}")
                .getBytes(StandardCharsets.UTF_8),
            "[\"bench\"]".getBytes(StandardCharsets.UTF_8),
            new byte[0],
            null);

    private final List<NewRecord> records = Collections.nCopies(RECORDS_PER_APPEND, record);

    private final AppendRequest request =
        new AppendRequest() {
          @Override
          public List<NewRecord> records() {
            return records;
          }

          @Override
          public void completed(Outcome outcome) {
            if (!(outcome instanceof Outcome.Stored)) {
              failure.set(outcome);
            }
            slots.release();
          }
        };

    /// @param count a multiple of [#RECORDS_PER_APPEND]
    /// @return records per second
    double append(Buffer buffer, long count) throws InterruptedException {
      long start = System.nanoTime();
      for (long i = 0; i < count; i += RECORDS_PER_APPEND) {
        slots.acquire();
        buffer.append(request);
      }
      slots.acquire(MAX_PENDING_APPENDS);
      slots.release(MAX_PENDING_APPENDS);
      if (failure.get() != null) {
        throw new IllegalStateException("the buffer did not store a record: " + failure.get());
      }
      return count / ((System.nanoTime() - start) / 1e9);
    }
  }

  private void start(
      MeasuredProgram program, Path directory, String url, String subject, boolean measureMemory)
      throws Exception {
    long spawned = System.nanoTime();
    AgentProcess agent = testBed.spawn(program, directory, url, Map.of());
    agent.awaitSocket();
    values.add("backlog_socket_ready", subject, (System.nanoTime() - spawned) / 1e6);
    if (measureMemory) {
      LockSupport.parkNanos(SETTLE_NANOS);
      ProcessMemory memory = new ProcessMemory(agent.agent().pid());
      values.add("backlog_rss_idle", subject, memory.resident() / ResidentMemory.MEBIBYTE);
      try (GrpcJavaSender sender = new GrpcJavaSender(agent.socket())) {
        var _ = sender.pipelined(loadRecords);
      }
      values.add("backlog_rss_load", subject, memory.peakResident() / ResidentMemory.MEBIBYTE);
    }
    testBed.end(agent);
  }

  /// Measures the first deliveries, including the settling of their records.
  private void replay(MeasuredProgram program, Path directory, String subject) throws Exception {
    CountDownLatch delivered = new CountDownLatch(REPLAYED);
    AtomicLong firstNanos = new AtomicLong();
    try (StubServer server = StubServer.up()) {
      server.keep(false);
      server.onDelivery((request, out) -> {
        boolean _ = firstNanos.compareAndSet(0, System.nanoTime());
        delivered.countDown();
        return StubServer.OK.respond(request, out);
      });
      AgentProcess agent = testBed.spawn(program, directory, server.url(), Map.of());
      if (!delivered.await(2, TimeUnit.MINUTES)) {
        throw new IllegalStateException("replay has stopped:\n" + agent.output());
      }
      values.add(
          "backlog_replay",
          subject,
          (REPLAYED - 1) / ((System.nanoTime() - firstNanos.get()) / 1e9));
      testBed.end(agent);
    }
  }

  @Override
  public List<Figure> figures() {
    return List.of(
        values.figure(
            "backlog_append", "append, last tenth of " + count() + " records", "records/s"),
        values.figure(
            "backlog_append_processor",
            "append, last tenth of " + count() + " records: CPU time",
            "µs/record"),
        values.figure(
            "backlog_socket_ready", "socket ready after spawn, " + count() + " pending", "ms"),
        values.figure("backlog_rss_idle", "RSS, idle, " + count() + " pending", "MiB"),
        values.figure("backlog_rss_load", "RSS, peak under load, " + count() + " pending", "MiB"),
        values.figure("backlog_replay", "replay, " + count() + " pending", "records/s"));
  }
}
