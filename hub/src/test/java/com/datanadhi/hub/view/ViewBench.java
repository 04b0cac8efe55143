package com.datanadhi.hub.view;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.datanadhi.testkit.Directories;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Random;

/// Rows a second through [TenantWriter], beside plain inserts of the same rows into the same
/// tables, with keys of a source and with random keys.
///
/// Arguments: rows (400,000), rows a transaction (1,000), rounds (3), directory.
public final class ViewBench {
  private final int rows;
  private final int batch;
  private final Path directory;

  private ViewBench(int rows, int batch, Path directory) {
    this.rows = rows;
    this.batch = batch;
    this.directory = directory;
  }

  public static void main(String[] args) throws Exception {
    int rows = args.length > 0 ? Integer.parseInt(args[0]) : 400_000;
    int batch = args.length > 1 ? Integer.parseInt(args[1]) : 1_000;
    int rounds = args.length > 2 ? Integer.parseInt(args[2]) : 3;
    Path directory =
        args.length > 3
            ? Files.createDirectories(Path.of(args[3]))
            : Files.createTempDirectory("view-bench");
    ViewBench bench = new ViewBench(rows, batch, directory);
    try {
      System.out.println("keys     writer/s    raw/s  ratio  read/s  raw read/s  ratio");
      for (int round = 0; round < rounds; round++) {
        bench.round("source", false);
        bench.round("random", true);
      }
    } finally {
      Directories.delete(directory);
    }
  }

  private void round(String name, boolean random) throws Exception {
    Path raw = directory.resolve("raw");
    Path tenants = directory.resolve("tenants");
    double floor;
    double floorRead;
    double rate;
    double read;
    try {
      rate = writer(tenants, random);
      floor = raw(raw, random);
      read = read(tenants);
      floorRead = rawRead(raw);
    } finally {
      Directories.delete(raw);
      Directories.delete(tenants);
    }
    System.out.printf(
        Locale.ROOT,
        "%-7s %9.0f %8.0f  %5.2f %8.0f %8.0f  %5.2f%n",
        name,
        rate,
        floor,
        rate / floor,
        read,
        floorRead,
        read / floorRead);
  }

  private StoredEvent event(long seq, String key) {
    byte[] payload = ("{\"n\":" + seq + ",\"text\":\"" + "x".repeat(380) + "\"}").getBytes(UTF_8);
    return new StoredEvent(
        seq,
        key,
        1,
        1_700_000_000_000L + seq,
        Rows.position(seq),
        "[\"orders\"]",
        payload,
        Rows.DIGEST,
        "fsync");
  }

  private static String key(boolean random, Random bits, long seq) {
    if (!random) {
      return Rows.key(seq);
    }
    byte[] key = new byte[16];
    bits.nextBytes(key);
    return HexFormat.of().formatHex(key);
  }

  private double writer(Path tenants, boolean random) throws Exception {
    Random bits = new Random(1);
    try (TenantDatabases databases = new TenantDatabases(tenants, 256)) {
      long began = System.nanoTime();
      for (int done = 0; done < rows; done += batch) {
        long first = done + 1L;
        String _ =
            databases.write(
                "acme",
                writer -> {
                  for (long seq = first; seq < first + batch; seq++) {
                    String key = key(random, bits, seq);
                    StoredEvent event = event(seq, key);
                    if (random || !writer.hasNumber(Rows.SOURCE, seq)) {
                      writer.insertEvent(event);
                      writer.putApplied(Rows.applied(key, seq, event.receivedAt()));
                      if (!random) {
                        writer.addNumber(Rows.SOURCE, seq, event.receivedAt());
                      }
                    }
                  }
                  writer.saveState(Rows.withSeq(writer.state(), first + batch - 1));
                  return "";
                });
      }
      return rows * 1e9 / (System.nanoTime() - began);
    }
  }

  private double raw(Path directory, boolean random) throws SQLException, IOException {
    Path file = Files.createDirectories(directory).resolve("raw.db");
    Random bits = new Random(1);
    try (Connection connection =
            DriverManager.getConnection("jdbc:sqlite:" + file + "?jdbc.get_generated_keys=false");
        Statement statement = connection.createStatement()) {
      statement.execute("PRAGMA journal_mode=WAL");
      statement.execute("PRAGMA synchronous=NORMAL");
      statement.execute("PRAGMA cache_size=-8192");
      int _ = statement.executeUpdate(resource("canonical-001.sql"));
      connection.setAutoCommit(false);
      try (PreparedStatement event =
              connection.prepareStatement("INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?)");
          PreparedStatement applied =
              connection.prepareStatement("INSERT INTO applied_events VALUES (?,?,?,?)")) {
        String result =
            "{\"seq\":%d,\"records\":1,\"sha256\":\""
                + Rows.DIGEST
                + "\",\"pipelines_sha256\":\""
                + Rows.PIPELINES_DIGEST
                + "\",\"position\":\"";
        long began = System.nanoTime();
        for (int done = 0; done < rows; done += batch) {
          for (long seq = done + 1L; seq <= done + batch; seq++) {
            StoredEvent row = event(seq, key(random, bits, seq));
            event.setLong(1, row.seq());
            event.setString(2, row.key());
            event.setInt(3, row.part());
            event.setLong(4, row.receivedAt());
            event.setString(5, row.position());
            event.setString(6, row.pipelines());
            event.setString(7, new String(row.logData(), UTF_8));
            event.setString(8, row.sha256());
            event.setString(9, row.durability());
            event.executeUpdate();
            applied.setString(1, "acme");
            applied.setString(2, row.key());
            applied.setString(
                3,
                result.replace("%d", Long.toString(seq))
                    + row.position()
                    + "\",\"durability\":\"fsync\"}");
            applied.setLong(4, row.receivedAt());
            applied.executeUpdate();
          }
          connection.commit();
        }
        return rows * 1e9 / (System.nanoTime() - began);
      }
    }
  }

  private double read(Path tenants) throws Exception {
    try (TenantDatabases databases = new TenantDatabases(tenants, 256)) {
      long began = System.nanoTime();
      for (int i = 0; i < 20; i++) {
        EventFilter filter = new EventFilter(rows / 2, 10_000, null, null, null);
        int[] count = new int[1];
        String _ =
            databases.read(
                "acme",
                reader -> {
                  reader.events(filter, event -> ++count[0] > 0);
                  return "";
                });
        if (count[0] != 10_000) {
          throw new IllegalStateException("read " + count[0]);
        }
      }
      return 20 * 10_000 * 1e9 / (System.nanoTime() - began);
    }
  }

  private double rawRead(Path directory) throws SQLException {
    try (Connection connection =
            DriverManager.getConnection("jdbc:sqlite:" + directory.resolve("raw.db"));
        PreparedStatement select =
            connection.prepareStatement("SELECT * FROM events WHERE seq >= ? LIMIT 10000")) {
      long began = System.nanoTime();
      long bytes = 0;
      for (int i = 0; i < 20; i++) {
        select.setLong(1, rows / 2);
        try (var row = select.executeQuery()) {
          while (row.next()) {
            bytes += row.getLong(1) + row.getString(2).length() + row.getInt(3) + row.getLong(4);
            bytes += row.getString(5).length() + row.getString(6).length();
            bytes += row.getBytes(7).length + row.getString(8).length();
            bytes += row.getString(9).length();
          }
        }
      }
      if (bytes == 0) {
        throw new IllegalStateException("nothing was read");
      }
      return 20 * 10_000 * 1e9 / (System.nanoTime() - began);
    }
  }

  private static String resource(String name) throws IOException {
    try (var in = ViewBench.class.getResourceAsStream("/sql/hub/" + name)) {
      if (in == null) {
        throw new IllegalStateException(name + " is missing");
      }
      return new String(in.readAllBytes(), UTF_8);
    }
  }
}
