package com.datanadhi.echopost.torture;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What a hub has stored of one tenant, read from `canonical.db` in one transaction, beside the hub
/// or without one. Everything that can be computed from the records alone is computed here a second
/// time, without code of the hub.
///
/// @param firstSeq the first seq that is still there; later ones follow without a gap
/// @param chain the computed chain after the last record
/// @param records in the order of their seqs
/// @param faults where the database contradicts itself, one line each; empty if it does not
record HubTenant(
    String tenant, long firstSeq, String chain, List<Stored> records, List<String> faults) {
  /// A record.
  ///
  /// @param part its number within its transaction, from 1
  record Stored(
      long seq,
      String key,
      int part,
      long receivedAt,
      String position,
      String pipelines,
      String logData,
      String sha256,
      String durability) {}

  /// The key of a record that belongs to a source.
  record Numbered(String source, long n) {}

  private static final Pattern SOURCE_KEY =
      Pattern.compile(
          "([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-f]{32})-([1-9][0-9]{0,17})");

  /// The database of a tenant in a data directory.
  static Path database(Path data, String tenant) {
    return directory(data, tenant).resolve("canonical.db");
  }

  /// The directory of the tenant's databases.
  static Path directory(Path data, String tenant) {
    String hash = HexFormat.of().formatHex(sha256().digest(tenant.getBytes(UTF_8)));
    return data.resolve("tenants").resolve(hash.substring(0, 2)).resolve(tenant);
  }

  /// Reads a tenant; without a database it has no records.
  static HubTenant read(Path data, String tenant) throws SQLException {
    Path database = database(data, tenant);
    if (!Files.exists(database)) {
      return new HubTenant(
          tenant, 1, hex(sha256().digest(tenant.getBytes(UTF_8))), List.of(), List.of());
    }
    try (Connection connection =
            DriverManager.getConnection("jdbc:sqlite:file:" + database + "?mode=ro");
        Statement statement = connection.createStatement()) {
      statement.execute("PRAGMA busy_timeout = 10000");
      connection.setAutoCommit(false);
      return new Reading(tenant, connection).read();
    }
  }

  /// The number of records, without their content; 0 without a database or with one that has no
  /// tables yet.
  static long count(Path data, String tenant) {
    return number(data, tenant, "SELECT count(*) FROM events");
  }

  /// The first value of the first row; 0 without a database, or if the query fails.
  static long number(Path data, String tenant, String sql) {
    Path database = database(data, tenant);
    if (!Files.exists(database)) {
      return 0;
    }
    try (Connection connection =
            DriverManager.getConnection("jdbc:sqlite:file:" + database + "?mode=ro");
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      return row.next() ? row.getLong(1) : 0;
    } catch (SQLException notYet) {
      return 0;
    }
  }

  /// The source and number in a key; null if the key belongs to no source.
  static @Nullable Numbered numbered(String key) {
    Matcher found = SOURCE_KEY.matcher(key);
    return found.matches() ? new Numbered(found.group(1), Long.parseLong(found.group(2))) : null;
  }

  /// The digest of a record by the contract: of its text without surrounding white space, each line
  /// end replaced by a space.
  static String digest(String logData) {
    int from = 0;
    int to = logData.length();
    while (from < to && " \t\r\n".indexOf(logData.charAt(from)) >= 0) {
      from++;
    }
    while (to > from && " \t\r\n".indexOf(logData.charAt(to - 1)) >= 0) {
      to--;
    }
    String text = logData.substring(from, to).replace('\r', ' ').replace('\n', ' ');
    return hex(sha256().digest(text.getBytes(UTF_8)));
  }

  /// `SHA-256(chain(n-1) ‖ n ‖ part ‖ received_at ‖ key ‖ pipelines ‖ content)`.
  static byte[] chained(
      byte[] before,
      long seq,
      long part,
      long receivedAt,
      String key,
      List<String> pipelines,
      String logData) {
    MessageDigest sha = sha256();
    sha.update(before);
    sha.update(
        ByteBuffer.allocate(3 * Long.BYTES).putLong(seq).putLong(part).putLong(receivedAt).flip());
    update(sha, key);
    sha.update(ByteBuffer.allocate(Integer.BYTES).putInt(pipelines.size()).flip());
    pipelines.forEach(pipeline -> update(sha, pipeline));
    return sha.digest(sha256().digest(logData.getBytes(UTF_8)));
  }

  private static void update(MessageDigest sha, String text) {
    byte[] bytes = text.getBytes(UTF_8);
    sha.update(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).flip());
    sha.update(bytes);
  }

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException impossible) {
      throw new AssertionError(impossible);
    }
  }

  /// One transaction that reads everything.
  private static final class Reading {
    private final String tenant;
    private final Connection connection;
    private final List<String> faults = new ArrayList<>();
    private final List<Stored> records = new ArrayList<>();
    private final Map<String, List<String>> pipelines = new HashMap<>();

    Reading(String tenant, Connection connection) {
      this.tenant = tenant;
      this.connection = connection;
    }

    HubTenant read() throws SQLException {
      try (Statement statement = connection.createStatement();
          ResultSet state =
              statement.executeQuery(
                  "SELECT tenant, seq, chain, first_seq, chain_before_first FROM state")) {
        if (!state.next()) {
          return new HubTenant(tenant, 1, "", records, List.of("the table state is empty"));
        }
        expect("state.tenant", state.getString(1), tenant);
        long seq = state.getLong(2);
        String chain = state.getString(3);
        long firstSeq = state.getLong(4);
        String computed = readRecords(firstSeq, state.getString(5));
        expect("state.seq", Long.toString(seq), Long.toString(firstSeq - 1 + records.size()));
        expect("state.chain", chain, computed);
        if (firstSeq == 1) {
          expect(
              "chain_before_first",
              state.getString(5),
              hex(sha256().digest(tenant.getBytes(UTF_8))));
          checkSources();
        }
        checkKeys();
        return new HubTenant(tenant, firstSeq, computed, records, faults);
      }
    }

    private void expect(String what, String found, String expected) {
      if (!expected.equals(found)) {
        faults.add(tenant + ": " + what + " is " + found + ", expected " + expected);
      }
    }

    private String readRecords(long firstSeq, String chainBefore) throws SQLException {
      byte[] chain = HexFormat.of().parseHex(chainBefore);
      long next = firstSeq;
      @Nullable Stored last = null;
      try (PreparedStatement select =
              connection.prepareStatement(
                  "SELECT seq, key, part, received_at, position, pipelines, log_data, sha256,"
                      + " durability FROM events ORDER BY seq");
          ResultSet row = select.executeQuery()) {
        while (row.next()) {
          Stored record =
              new Stored(
                  row.getLong(1),
                  row.getString(2),
                  row.getInt(3),
                  row.getLong(4),
                  row.getString(5),
                  row.getString(6),
                  row.getString(7),
                  row.getString(8),
                  row.getString(9));
          expect("the seq after " + (next - 1), Long.toString(record.seq()), Long.toString(next));
          next = record.seq() + 1;
          expect("sha256 of seq " + record.seq(), record.sha256(), digest(record.logData()));
          if (last != null) {
            checkFollows(last, record);
          }
          chain = chained(chain, record);
          records.add(record);
          last = record;
        }
      }
      return hex(chain);
    }

    private void checkFollows(Stored last, Stored record) {
      if (record.receivedAt() < last.receivedAt()) {
        faults.add(tenant + ": received_at falls at seq " + record.seq());
      }
      boolean sameTransaction = record.part() > 1;
      if (sameTransaction != record.key().equals(last.key())
          || (sameTransaction && record.part() != last.part() + 1)) {
        faults.add(
            tenant
                + ": part "
                + record.part()
                + " of "
                + record.key()
                + " at seq "
                + record.seq()
                + " follows part "
                + last.part()
                + " of "
                + last.key());
      }
      if (epoch(record).equals(epoch(last)) && offset(record) < offset(last)) {
        faults.add(
            tenant
                + ": "
                + record.position()
                + " at seq "
                + record.seq()
                + " follows "
                + last.position());
      }
    }

    /// A log after a restore is a new one.
    private static String epoch(Stored record) {
      return record.position().substring(0, record.position().indexOf('/'));
    }

    private static long offset(Stored record) {
      return Long.parseLong(record.position().substring(record.position().lastIndexOf(':') + 1));
    }

    private byte[] chained(byte[] before, Stored record) throws SQLException {
      return HubTenant.chained(
          before,
          record.seq(),
          record.part(),
          record.receivedAt(),
          record.key(),
          pipelines(record.pipelines()),
          record.logData());
    }

    /// The strings of a JSON array, which SQLite parses once for each different text.
    private List<String> pipelines(String json) throws SQLException {
      List<String> known = pipelines.get(json);
      if (known == null) {
        known = new ArrayList<>();
        try (PreparedStatement select =
            connection.prepareStatement("SELECT value FROM json_each(?) ORDER BY key")) {
          select.setString(1, json);
          try (ResultSet row = select.executeQuery()) {
            while (row.next()) {
              known.add(row.getString(1));
            }
          }
        }
        pipelines.put(json, known);
      }
      return known;
    }

    private void checkKeys() throws SQLException {
      Set<String> keys = new HashSet<>();
      for (Stored record : records) {
        if (record.part() == 1 && !keys.add(record.key())) {
          faults.add(
              tenant + ": " + record.key() + " is stored twice, again at seq " + record.seq());
        }
      }
    }

    private void checkSources() throws SQLException {
      Map<String, NavigableSet<Long>> stored = new HashMap<>();
      for (Stored record : records) {
        Numbered numbered = numbered(record.key());
        if (numbered != null) {
          stored.computeIfAbsent(numbered.source(), _ -> new TreeSet<>()).add(numbered.n());
        }
      }
      NavigableMap<String, String> expected = new TreeMap<>();
      stored.forEach((source, numbers) -> expected.put(source, runs(numbers)));
      NavigableMap<String, String> found = new TreeMap<>();
      try (Statement statement = connection.createStatement();
          ResultSet row =
              statement.executeQuery("SELECT source, first, last FROM sources ORDER BY 1, 2")) {
        while (row.next()) {
          found.merge(
              row.getString(1), row.getLong(2) + "-" + row.getLong(3) + " ", String::concat);
        }
      }
      expect("the table sources", found.toString(), expected.toString());
    }

    private static String runs(NavigableSet<Long> numbers) {
      StringBuilder runs = new StringBuilder();
      long first = numbers.first();
      long last = first;
      for (long n : numbers.tailSet(first, false)) {
        if (n != last + 1) {
          runs.append(first).append('-').append(last).append(' ');
          first = n;
        }
        last = n;
      }
      return runs.append(first).append('-').append(last).append(' ').toString();
    }
  }
}
