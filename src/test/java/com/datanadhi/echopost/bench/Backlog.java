package com.datanadhi.echopost.bench;

import com.datanadhi.echopost.buffer.AppendRequest;
import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.buffer.BufferListener;
import com.datanadhi.echopost.record.NewRecord;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.Directories;
import com.datanadhi.echopost.testkit.ProcessMemory;
import com.datanadhi.echopost.testkit.StubServer;
import com.datanadhi.echopost.time.Clock;
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

/// What millions of pending records cost: a record's way into the buffer, a start, memory, and
/// replay. They are put there by the program's own classes, in this process, since a client would
/// take minutes for them.
///
/// Floors: the same with an empty directory, or with as few records as are replayed. A peer's
/// buffer is its own: only EchoPost is measured.
final class Backlog implements Measurement {
  private static final int STARTS = 5;
  private static final int SLICES = 50;
  private static final int MEASURED_SLICES = 5;

  /// As one round of the event loop may read under load.
  private static final int TOGETHER = 100;

  private static final int UNSETTLED = 80;
  private static final int REPLAYED = 20_000;
  private static final long SETTLE_NANOS = TimeUnit.SECONDS.toNanos(3);
  private static final long ROOM_BYTES_A_RECORD = 1_000;

  private final Workbench bench;
  private final long records;
  private final int load;
  private final Values values = new Values();

  Backlog(Workbench bench, Effort effort) {
    this.bench = bench;
    this.records = effort.backlogRecords();
    this.load = effort.warmRecords();
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
    Path full = bench.newDirectory();
    if (Files.getFileStore(full).getUsableSpace() < records * ROOM_BYTES_A_RECORD) {
      throw new IOException(
          bench.root() + " has no room for " + count() + " records: set java.io.tmpdir");
    }
    fill(full);
    // Else the first start's own syncs wait for what the disk has still to write of the filling.
    int _ = new ProcessBuilder("sync").start().waitFor();
    Program program = bench.programs().getFirst();
    try (StubServer server = StubServer.down()) {
      for (int start = 0; start < STARTS; start++) {
        Path empty = bench.newDirectory();
        start(program, full, server.url(), Program.ECHOPOST, start == 0);
        start(program, empty, server.url(), "empty directory", start == 0);
        Directories.delete(empty);
      }
    }
    replay(program, full, Program.ECHOPOST);
    Directories.delete(full);
    Path small = bench.newDirectory();
    try (Buffer buffer = Buffer.open(small, Clock.system(), BufferListener.NONE)) {
      double _ = new Filler().append(buffer, REPLAYED);
    }
    replay(program, small, "a backlog of %,d".formatted(REPLAYED));
    Directories.delete(small);
  }

  /// The last slices alternate with slices of a buffer that was empty: beside what a disk and a
  /// machine do in half a minute, the two differ by little.
  private void fill(Path directory) throws StorageException, IOException, InterruptedException {
    Path begun = bench.newDirectory();
    try (Buffer buffer = Buffer.open(directory, Clock.system(), BufferListener.NONE);
        Buffer other = Buffer.open(begun, Clock.system(), BufferListener.NONE)) {
      Filler filler = new Filler();
      for (int slice = 0; slice < SLICES - MEASURED_SLICES; slice++) {
        double _ = filler.append(buffer, records / SLICES);
      }
      for (int slice = 0; slice < MEASURED_SLICES; slice++) {
        measure(filler, other, "into an empty buffer");
        measure(filler, buffer, Program.ECHOPOST);
      }
    }
    Directories.delete(begun);
  }

  private void measure(Filler filler, Buffer buffer, String whose) throws InterruptedException {
    // The rate is the disk's, as soon as what has been written is more than memory takes.
    ProcessorTime processors = ProcessorTime.of(ProcessHandle.current());
    values.add("backlog_append", whose, filler.append(buffer, records / SLICES));
    values.add("backlog_append_processor", whose, processors.microsEach(records / SLICES));
  }

  /// Puts records into a buffer, as fast as it takes them.
  private static final class Filler {
    private final Semaphore room = new Semaphore(UNSETTLED);
    private final AtomicReference<AppendRequest.Outcome> failure = new AtomicReference<>();
    private final NewRecord record =
        new NewRecord(
            System.currentTimeMillis(),
            ("{\"message\":\"" + "x".repeat(Effort.RECORD_BYTES - 14) + "\"}")
                .getBytes(StandardCharsets.UTF_8),
            "[\"bench\"]".getBytes(StandardCharsets.UTF_8),
            new byte[0],
            null);

    private final List<NewRecord> records = Collections.nCopies(TOGETHER, record);

    private final AppendRequest append =
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
            room.release();
          }
        };

    /// @param count a multiple of [#TOGETHER]
    /// @return records a second
    double append(Buffer buffer, long count) throws InterruptedException {
      long start = System.nanoTime();
      for (long i = 0; i < count; i += TOGETHER) {
        room.acquire();
        buffer.append(append);
      }
      room.acquire(UNSETTLED);
      room.release(UNSETTLED);
      if (failure.get() != null) {
        throw new IllegalStateException("the buffer did not take a record: " + failure.get());
      }
      return count / ((System.nanoTime() - start) / 1e9);
    }
  }

  private void start(Program program, Path directory, String url, String whose, boolean weigh)
      throws Exception {
    long spawned = System.nanoTime();
    AgentProcess agent = bench.spawn(program, directory, url, Map.of());
    agent.awaitSocket();
    values.add("backlog_socket_ready", whose, (System.nanoTime() - spawned) / 1e6);
    if (weigh) {
      LockSupport.parkNanos(SETTLE_NANOS);
      ProcessMemory memory = new ProcessMemory(agent.agent().pid());
      values.add("backlog_rss_idle", whose, memory.resident() / ResidentMemory.MEBIBYTE);
      try (Sender sender = new Sender(agent.socket())) {
        var _ = sender.pipelined(load);
      }
      values.add("backlog_rss_load", whose, memory.peakResident() / ResidentMemory.MEBIBYTE);
    }
    bench.end(agent);
  }

  /// The first deliveries, and the acknowledgements that go with them.
  private void replay(Program program, Path directory, String whose) throws Exception {
    CountDownLatch delivered = new CountDownLatch(REPLAYED);
    AtomicLong firstNanos = new AtomicLong();
    try (StubServer server = StubServer.up()) {
      server.keep(false);
      server.onDelivery((request, out) -> {
        boolean _ = firstNanos.compareAndSet(0, System.nanoTime());
        delivered.countDown();
        return StubServer.OK.answer(request, out);
      });
      AgentProcess agent = bench.spawn(program, directory, server.url(), Map.of());
      if (!delivered.await(2, TimeUnit.MINUTES)) {
        throw new IllegalStateException("replay does not go on:\n" + agent.output());
      }
      values.add(
          "backlog_replay", whose, (REPLAYED - 1) / ((System.nanoTime() - firstNanos.get()) / 1e9));
      bench.end(agent);
    }
  }

  @Override
  public List<Figure> figures() {
    return List.of(
        values.figure("backlog_append", "stored, the last tenth of " + count(), "records/s"),
        values.figure(
            "backlog_append_processor",
            "stored, the last tenth of " + count() + ": processor time",
            "µs/record"),
        values.figure("backlog_socket_ready", "socket ready, " + count() + " pending", "ms"),
        values.figure("backlog_rss_idle", "RSS, idle, " + count() + " pending", "MiB"),
        values.figure("backlog_rss_load", "RSS, peak under load, " + count() + " pending", "MiB"),
        values.figure("backlog_replay", "replay, " + count() + " pending", "records/s"));
  }
}
