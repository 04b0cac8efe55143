package com.datanadhi.hub.intake;

import com.datanadhi.hub.log.Append;
import com.datanadhi.hub.log.Durability;
import com.datanadhi.hub.log.NewEntry;
import com.datanadhi.hub.record.Digests;
import com.datanadhi.hub.record.EventBody;
import com.datanadhi.hub.record.EventCodec;
import com.datanadhi.hub.record.RecordData;
import com.datanadhi.hub.record.Transaction;
import com.datanadhi.hub.time.Clock;
import com.sun.management.OperatingSystemMXBean;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;

/// Measures intake over a log whose appends complete at once, and the memory of a [KeyTail].
public final class IntakeBench {
  private static final int CALLERS = 64;
  private static final long NO_BOUND = 1L << 40;

  private final PrintStream out;
  private final RecordData data;

  private IntakeBench(PrintStream out) {
    this.out = out;
    byte[] logData = new byte[400];
    Arrays.fill(logData, (byte) 'x');
    logData[0] = '"';
    logData[399] = '"';
    this.data = new RecordData(List.of("orders"), logData);
  }

  /// Prints the figures.
  public static void main(String[] args) throws Exception {
    IntakeBench bench = new IntakeBench(System.out);
    for (int size : new int[] {32, 1_000, 50_000, 400_000, 500_000}) {
      bench.keyTail(size);
    }
    for (int round = 0; round < 3; round++) {
      bench.submit("keys of sources", true);
      bench.submit("other keys", false);
      bench.submitEach();
    }
    bench.tailLoader();
  }

  private void submit(String name, boolean sources) throws Exception {
    Intake intake = intake(new NoLog());
    int each = 5_000;
    Times began = Times.now();
    run(caller -> {
      String source = source(caller, sources);
      for (int n = 1; n <= each; n++) {
        intake.submit("acme", new Submission(source + n, List.of(data)));
      }
    });
    print("submit, " + name, (long) CALLERS * each, began);
  }

  private void submitEach() throws Exception {
    Intake intake = intake(new NoLog());
    int batches = 10;
    Times began = Times.now();
    run(caller -> {
      String source = source(caller, true);
      for (int b = 0; b < batches; b++) {
        List<Submission> batch = new ArrayList<>(1_000);
        for (int n = 1; n <= 1_000; n++) {
          batch.add(new Submission(source + (b * 1_000 + n), List.of(data)));
        }
        intake.submitEach("acme", batch);
      }
    });
    print("submitEach of 1,000, a line", 1_000L * CALLERS * batches, began);
  }

  private void keyTail(int size) {
    Random random = new Random(1);
    Fingerprint content = new Fingerprint(1, 2, 3, 4, 5);
    int tails = Math.max(1, 100_000 / size);
    List<KeyTail> all = new ArrayList<>(tails);
    long before = usedBytes();
    for (int t = 0; t < tails; t++) {
      KeyTail tail = new KeyTail();
      for (int i = 0; i < size; i++) {
        tail.add(random.nextLong(), random.nextLong(), content, i, 1, 500, "fsync");
      }
      all.add(tail);
    }
    double used = usedBytes() - before;
    int keys = all.stream().mapToInt(KeyTail::size).sum();
    out.printf("tail of %,d keys: %.1f bytes a key%n", size, used / keys);
  }

  private void tailLoader() throws Exception {
    MemoryLog log = new MemoryLog();
    List<RecordData> records = List.of(data);
    for (int i = 0; i < 500; i++) {
      List<NewEntry> batch = new ArrayList<>();
      for (int n = 1; n <= 1_000; n++) {
        Transaction transaction =
            new Transaction("acme", source(i, true) + n, Digests.content(records), records);
        batch.add(
            new NewEntry(
                EventBody.TRANSACTIONS,
                1,
                EventCodec.encode(new EventBody(1, "fsync", List.of(transaction)))));
      }
      log.append(Intake.STREAM, batch, Durability.FSYNC);
    }
    for (int round = 0; round < 2; round++) {
      Times began = Times.now();
      long loaded = new TailLoader(log, intake(log)).load(0);
      print("load of the tail, a record", loaded, began);
    }
  }

  private static Intake intake(MemoryLog log) {
    return new Intake(
        log,
        new MemoryView(),
        new IntakeSettings(
            Durability.FSYNC, 1_000_000, new IntakeSettings.Bounds(NO_BOUND, NO_BOUND, NO_BOUND)),
        Clock.system(),
        (_, _, _) -> {});
  }

  private static String source(int number, boolean isSource) {
    return (isSource ? "%032x-" : "k-%x-").formatted(number);
  }

  private static void run(Caller caller) throws Exception {
    List<Future<?>> calls = new ArrayList<>();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < CALLERS; i++) {
        int number = i;
        calls.add(
            threads.submit(() -> {
              caller.run(number);
              return null;
            }));
      }
    }
    for (Future<?> call : calls) {
      call.get();
    }
  }

  private void print(String what, long count, Times began) {
    Times now = Times.now();
    long nanos = now.wall - began.wall;
    out.printf(
        "%s: %,.0f/s, %.2f us, of CPU %.2f us%n",
        what, count * 1e9 / nanos, nanos / 1e3 / count, (now.cpu - began.cpu) / 1e3 / count);
  }

  private static long usedBytes() {
    System.gc();
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }

  /// In nanoseconds.
  ///
  /// @param cpu of all threads of the process
  private record Times(long wall, long cpu) {
    static Times now() {
      long cpu =
          ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime();
      return new Times(System.nanoTime(), cpu);
    }
  }

  private interface Caller {
    void run(int number) throws Exception;
  }

  /// Forgets what is appended.
  private static final class NoLog extends MemoryLog {
    private final AtomicLong end = new AtomicLong();

    @Override
    public synchronized Append append(String stream, List<NewEntry> batch, Durability durability) {
      Append.Stored stored = new Append.Stored(end.getAndAdd(batch.size()));
      return (Append.Accepted) () -> stored;
    }
  }
}
