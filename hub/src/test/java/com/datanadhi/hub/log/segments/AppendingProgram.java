package com.datanadhi.hub.log.segments;

import com.datanadhi.hub.log.Append;
import com.datanadhi.hub.log.Durability;
import com.datanadhi.hub.log.NewEntry;
import com.datanadhi.hub.time.Clock;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;

/// Opens a log, appends to it from several threads, and prints each acknowledgement, until its
/// input ends; then it closes the log. Arguments: the log's directory, the weakest durability, a
/// seed. Lines:
///
///     started <journal> <millis> <epoch> <end of events-0> <end of control>
///     stored <journal> <millis> <stream> <offset> <durability> <payload> .
///     failed <class of the error>
///     closed <journal>
///
/// It exits with 1 if the log does not close in order. `journal` is the length of the disk shim's journal, or 0: what the line says was so before it.
public final class AppendingProgram {
  static final SegmentSettings SETTINGS =
      new SegmentSettings(16 * 1024, 8 * 1024, Duration.ofSeconds(1), 64 * 1024);

  private static final int THREADS = 4;

  private AppendingProgram() {}

  public static void main(String[] arguments) throws Exception {
    Durability weakest = Durability.valueOf(arguments[1].toUpperCase(Locale.ROOT));
    long seed = Long.parseLong(arguments[2]);
    PrintStream out = System.out;
    try (SegmentLog log = SegmentLog.open(Path.of(arguments[0]), SETTINGS, Clock.system())) {
      say(
          out,
          "started %d %d %s %d %d",
          journal(),
          millis(),
          log.epoch(),
          log.end("events-0"),
          log.end("control"));
      Object _ = log.failure().thenAccept(broken -> say(out, "failed %s", broken.getClass()));
      for (int thread = 0; thread < THREADS; thread++) {
        Random random = new Random(seed + thread);
        String name = seed + "." + thread + ".";
        String stream = thread == 0 ? "control" : "events-0";
        Durability durability = thread == 1 ? weakest : Durability.FSYNC;
        boolean mixed = thread == 2;
        Thread _ =
            Thread.ofVirtual()
                .start(() -> {
                  for (int i = 0; ; i++) {
                    Durability level = mixed && i % 2 == 0 ? weakest : durability;
                    String text = name + i + "." + "x".repeat(random.nextInt(600));
                    if (!append(out, log, stream, level, text)) {
                      return;
                    }
                    LockSupport.parkNanos(random.nextInt(10_000_000));
                  }
                });
      }
      while (System.in.read() >= 0) {
        if (random(seed, log.end("control")) == 0) {
          log.rotate("events-0");
        }
      }
    }
    say(out, "closed %d", journal());
    System.exit(0);
  }

  private static int random(long seed, long step) {
    return new Random(seed ^ step).nextInt(3);
  }

  private static boolean append(
      PrintStream out, SegmentLog log, String stream, Durability level, String text) {
    NewEntry entry = new NewEntry(1, millis(), text.getBytes(StandardCharsets.US_ASCII));
    try {
      Append append = log.append(stream, List.of(entry), level);
      if (append instanceof Append.Accepted accepted
          && accepted.await() instanceof Append.Stored(long offset)) {
        say(
            out,
            "stored %d %d %s %d %s %s .",
            journal(),
            millis(),
            stream,
            offset,
            level.text(),
            text);
        return true;
      }
      return append instanceof Append.Refused refused && refused.cause() != Append.Cause.CLOSED;
    } catch (Exception ended) {
      return false;
    }
  }

  private static long millis() {
    return System.currentTimeMillis();
  }

  private static long journal() throws java.io.IOException {
    String journal = System.getenv("DISKSHIM_JOURNAL");
    return journal == null ? 0 : Files.size(Path.of(journal));
  }

  @com.google.errorprone.annotations.FormatMethod
  private static void say(PrintStream out, String format, Object... values) {
    synchronized (out) {
      out.println(String.format(Locale.ROOT, format, values));
      out.flush();
    }
  }
}
