package com.datanadhi.hub.view;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.datanadhi.testkit.Directories;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.sqlite.ProgressHandler;
import org.sqlite.SQLiteConnection;

/// How long a copy of a canonical.db takes while another thread commits 100 records each 5 ms, and
/// what its commits then take: `VACUUM INTO`, the same with a handler that could end it, the online
/// backup in one step, and nothing. Half of the transactions have random keys, as applying them
/// has.
///
/// Arguments: records of 600 bytes (400,000), rounds (3), directory.
public final class CopyBench {
  private static final int PORTION = 100;

  private final Path directory;
  private final TenantDatabases databases;
  private final Random random = new Random(1);

  private CopyBench(Path directory) {
    this.directory = directory;
    databases = new TenantDatabases(directory.resolve("tenants"), 256);
  }

  private interface Copier {
    void copy(Connection source, Path target) throws Exception;
  }

  public static void main(String[] args) throws Exception {
    int records = args.length > 0 ? Integer.parseInt(args[0]) : 400_000;
    int rounds = args.length > 1 ? Integer.parseInt(args[1]) : 3;
    Path directory =
        args.length > 2
            ? Files.createDirectories(Path.of(args[2]))
            : Files.createTempDirectory("copy-bench");
    CopyBench bench = new CopyBench(directory);
    try {
      for (int done = 0; done < records; done += 1_000) {
        bench.append(1_000);
      }
      bench.databases.checkpoint("acme");
      System.out.println(
          "way               seconds  cpu s  copy MB  commits  p50 ms  p99 ms  max ms  check s");
      for (int round = 0; round < rounds; round++) {
        bench.round("nothing", (_, _) -> Thread.sleep(2_000));
        bench.round("VACUUM INTO", (source, target) -> run(source, "VACUUM INTO '" + target + "'"));
        bench.round("with a handler", CopyBench::vacuumWithHandler);
        bench.round(
            "backup",
            (source, target) ->
                ((SQLiteConnection) source)
                    .getDatabase()
                    .backup("main", target.toString(), null, 10, 1_000, -1));
      }
    } finally {
      bench.databases.close();
      Directories.delete(directory);
    }
  }

  private static void vacuumWithHandler(Connection source, Path target) throws SQLException {
    ProgressHandler.setHandler(
        source,
        10_000,
        new ProgressHandler() {
          @Override
          protected int progress() {
            return Thread.currentThread().isInterrupted() ? 1 : 0;
          }
        });
    run(source, "VACUUM INTO '" + target + "'");
  }

  private static void run(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      boolean _ = statement.execute(sql);
    }
  }

  private void append(int records) throws ViewException, InterruptedException {
    String _ =
        databases.write(
            "acme",
            writer -> {
              ViewState state = writer.state();
              for (int i = 0; i < records; i++) {
                state = Rows.next(state);
                long seq = state.seq();
                String key =
                    seq % 2 == 0 ? Rows.key(seq) : Long.toHexString(random.nextLong()) + seq;
                String text = "{\"n\":" + seq + ",\"text\":\"" + "x".repeat(580) + "\"}";
                writer.insertEvent(
                    new StoredEvent(
                        seq,
                        key,
                        1,
                        seq,
                        Rows.position(seq),
                        "[\"orders\"]",
                        text.getBytes(UTF_8),
                        Rows.DIGEST,
                        "fsync"));
                writer.putApplied(Rows.applied(key, seq, seq));
              }
              writer.saveState(state);
              return "";
            });
  }

  private void round(String name, Copier copier) throws Exception {
    Path source = databases.directory("acme").resolve("canonical.db");
    Path target = directory.resolve("copy.db");
    AtomicBoolean isDone = new AtomicBoolean();
    long[] nanos = new long[100_000];
    int[] commits = {0};
    Thread writer =
        Thread.ofPlatform()
            .start(() -> {
              try {
                while (!isDone.get()) {
                  long began = System.nanoTime();
                  append(PORTION);
                  nanos[commits[0]++] = System.nanoTime() - began;
                  Thread.sleep(5);
                }
              } catch (ViewException | InterruptedException failed) {
                throw new IllegalStateException(failed);
              }
            });
    long began = System.nanoTime();
    long cpu = cpu();
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + source)) {
      copier.copy(connection, target);
    }
    cpu = cpu() - cpu;
    double seconds = (System.nanoTime() - began) / 1e9;
    isDone.set(true);
    writer.join();
    double check = 0;
    long bytes = 0;
    String mode = "";
    if (Files.exists(target)) {
      bytes = Files.size(target);
      try (Connection copy = DriverManager.getConnection("jdbc:sqlite:" + target);
          Statement statement = copy.createStatement()) {
        long from = System.nanoTime();
        try (var row = statement.executeQuery("PRAGMA integrity_check")) {
          mode += row.getString(1);
        }
        check = (System.nanoTime() - from) / 1e9;
        try (var row = statement.executeQuery("PRAGMA journal_mode")) {
          mode += " " + row.getString(1);
        }
      }
      Files.delete(target);
    }
    long[] sorted = Arrays.copyOf(nanos, commits[0]);
    Arrays.sort(sorted);
    System.out.printf(
        Locale.ROOT,
        "%-16s %8.2f %6.2f %8d %8d %7.2f %7.2f %7.2f %8.2f  %s%n",
        name,
        seconds,
        cpu / 1e9,
        bytes / 1_000_000,
        sorted.length,
        sorted[sorted.length / 2] / 1e6,
        sorted[sorted.length * 99 / 100] / 1e6,
        sorted[sorted.length - 1] / 1e6,
        check,
        mode);
    databases.checkpoint("acme");
  }

  private static long cpu() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }
}
