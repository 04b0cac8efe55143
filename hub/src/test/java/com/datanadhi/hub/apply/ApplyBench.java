package com.datanadhi.hub.apply;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.datanadhi.hub.log.Append;
import com.datanadhi.hub.log.Durability;
import com.datanadhi.hub.log.NewEntry;
import com.datanadhi.hub.log.segments.SegmentLog;
import com.datanadhi.hub.log.segments.SegmentSettings;
import com.datanadhi.hub.record.Digests;
import com.datanadhi.hub.record.EventBody;
import com.datanadhi.hub.record.EventCodec;
import com.datanadhi.hub.record.RecordData;
import com.datanadhi.hub.record.Transaction;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.view.TenantDatabases;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.logging.Level;
import java.util.logging.Logger;

/// Applies a log of records of 400 bytes with keys of a source, beside raw inserts of the same rows
/// into the same tables. Arguments: directory, rows, rounds.
public final class ApplyBench {
  private static final String SOURCE = "6ba7b810-9dad-41d1-80b4-00c04fd430c8";
  private static final byte[] LOG_DATA =
      ("{\"message\":\"" + "x".repeat(380) + "\"}").getBytes(UTF_8);

  private ApplyBench() {}

  public static void main(String[] args) throws Exception {
    Logger.getLogger("com.datanadhi.hub").setLevel(Level.OFF);
    Path directory = Files.createTempDirectory(Path.of(args[0]), "apply-bench");
    int rows = Integer.parseInt(args[1]);
    for (int round = 0; round < Integer.parseInt(args[2]); round++) {
      Cost raw = raw(directory.resolve("raw-" + round), rows);
      List<Cost> costs = applied(directory.resolve("applied-" + round), rows);
      Cost applied = costs.getFirst();
      System.getLogger("bench")
          .log(
              System.Logger.Level.INFO,
              String.format(
                  Locale.ROOT,
                  "round %d: raw inserts %s, applying %s, ratio %.2f, its mailbox %s",
                  round,
                  raw,
                  applied,
                  applied.rate() / raw.rate(),
                  costs.getLast()));
    }
  }

  /// What some work has cost.
  ///
  /// @param rate rows a second
  /// @param micros CPU time of the thread, per row
  private record Cost(double rate, double micros) {
    static Cost since(long began, long beganCpu, int rows) {
      return new Cost(
          rows * 1e9 / (System.nanoTime() - began), (cpuNanos() - beganCpu) / 1e3 / rows);
    }

    static long cpuNanos() {
      return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }

    @Override
    public String toString() {
      return String.format(Locale.ROOT, "%.0f rows/s (%.1f µs of CPU each)", rate, micros);
    }
  }

  private static Cost raw(Path directory, int rows) throws Exception {
    try (TenantDatabases databases = new TenantDatabases(directory, 8)) {
      databases.write("acme", w -> w.state());
    }
    Path database = Dump.canonical(directory, "acme");
    String digest = Digests.hex(Digests.sha256().digest(LOG_DATA));
    long began = System.nanoTime();
    long beganCpu = Cost.cpuNanos();
    try (Connection connection =
        DriverManager.getConnection("jdbc:sqlite:" + database + "?jdbc.get_generated_keys=false")) {
      try (Statement statement = connection.createStatement()) {
        statement.execute("PRAGMA journal_mode=WAL");
        statement.execute("PRAGMA synchronous=NORMAL");
      }
      connection.setAutoCommit(false);
      try (PreparedStatement event =
              connection.prepareStatement(
                  "INSERT INTO events VALUES (?,?,1,?,?,?,CAST(? AS TEXT),?,?)");
          PreparedStatement key =
              connection.prepareStatement("INSERT INTO applied_events VALUES ('acme',?,?,?)");
          PreparedStatement source =
              connection.prepareStatement(
                  "INSERT OR REPLACE INTO sources VALUES ('" + SOURCE + "', 1, ?, ?)");
          PreparedStatement state =
              connection.prepareStatement("UPDATE state SET applied_offset = ?, seq = ?")) {
        for (int n = 1; n <= rows; n++) {
          String name = SOURCE + "-" + n;
          String position = "12345678/events-0:" + (n - 1);
          long receivedAt = 1_700_000_000_000L + n;
          event.setLong(1, n);
          event.setString(2, name);
          event.setLong(3, receivedAt);
          event.setString(4, position);
          event.setString(5, "[\"p\"]");
          event.setBytes(6, LOG_DATA);
          event.setString(7, digest);
          event.setString(8, "fsync");
          event.executeUpdate();
          key.setString(1, name);
          key.setString(
              2,
              "{\"seq\":"
                  + n
                  + ",\"records\":1,\"sha256\":\""
                  + digest
                  + "\",\"pipelines_sha256\":\""
                  + digest
                  + "\",\"position\":\""
                  + position
                  + "\",\"durability\":\"fsync\"}");
          key.setLong(3, receivedAt);
          key.executeUpdate();
          if (n % 8_000 == 0 || n == rows) {
            source.setLong(1, n);
            source.setLong(2, receivedAt);
            source.executeUpdate();
            state.setLong(1, n - 1L);
            state.setLong(2, n);
            state.executeUpdate();
            connection.commit();
          }
        }
      }
    }
    return Cost.since(began, beganCpu, rows);
  }

  private static List<Cost> applied(Path directory, int rows) throws Exception {
    Clock clock = Clock.system();
    try (SegmentLog log =
            SegmentLog.open(directory.resolve("log"), SegmentSettings.defaults(), clock);
        TenantDatabases databases = new TenantDatabases(directory.resolve("tenants"), 8)) {
      List<NewEntry> entries = new ArrayList<>();
      for (int n = 1; n <= rows; n++) {
        List<RecordData> records = List.of(new RecordData(List.of("p"), LOG_DATA));
        entries.add(
            new NewEntry(
                EventBody.TRANSACTIONS,
                1_700_000_000_000L + n,
                EventCodec.encode(
                    new EventBody(
                        Duration.ofDays(30).toMillis(),
                        "fsync",
                        List.of(
                            new Transaction(
                                "acme", SOURCE + "-" + n, Digests.content(records), records))))));
        if (entries.size() == 5_000 || n == rows) {
          if (log.append(Hub.STREAM, entries, Durability.FSYNC) instanceof Append.Accepted accepted
              && accepted.await() instanceof Append.Stored) {
            entries = new ArrayList<>();
          } else {
            throw new IllegalStateException("the log refuses");
          }
        }
      }
      MailboxFollower mailboxes = new MailboxFollower(databases, tenant -> {});
      ApplyLoop loop =
          new ApplyLoop(
              log,
              Hub.STREAM,
              databases,
              new Decided(),
              (tenant, stream, offset, keys, bytes) -> {},
              mailboxes,
              new AppliedThroughFile(directory.resolve("applied-through")),
              directory.resolve("quarantine"),
              clock);
      long began = System.nanoTime();
      long beganCpu = Cost.cpuNanos();
      while (loop.turn() == ApplyLoop.Turn.WORKED) {
        // Until all is applied.
      }
      Cost applying = Cost.since(began, beganCpu, rows);
      if (databases.<Long>read("acme", r -> r.state().seq()) != rows) {
        throw new IllegalStateException("rows are missing");
      }
      began = System.nanoTime();
      beganCpu = Cost.cpuNanos();
      mailboxes.follow("acme");
      return List.of(applying, Cost.since(began, beganCpu, rows));
    }
  }
}
