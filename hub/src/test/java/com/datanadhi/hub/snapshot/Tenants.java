package com.datanadhi.hub.snapshot;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.datanadhi.hub.apply.ApplyDecisions;
import com.datanadhi.hub.apply.ApplyFunction;
import com.datanadhi.hub.apply.Chain;
import com.datanadhi.hub.apply.MailboxFollower;
import com.datanadhi.hub.apply.ViewRetention;
import com.datanadhi.hub.log.LogEntry;
import com.datanadhi.hub.record.Digests;
import com.datanadhi.hub.record.EventBody;
import com.datanadhi.hub.record.EventCodec;
import com.datanadhi.hub.record.RecordData;
import com.datanadhi.hub.record.Transaction;
import com.datanadhi.hub.view.MailboxReader;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.TenantReader;
import com.datanadhi.hub.view.ViewException;
import com.datanadhi.hub.view.ViewState;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// Real databases of tenants, in which records are stored by the apply function.
final class Tenants implements AutoCloseable {
  static final UUID EPOCH = UUID.fromString("0192f0c1-0000-7000-8000-000000000000");
  static final long TIME = 1_700_000_000_000L;

  private static final String STREAM = "events-0";
  private static final ApplyDecisions NONE =
      new ApplyDecisions() {
        @Override
        public @Nullable String skipReason(String stream, long offset) {
          return null;
        }

        @Override
        public List<Loss> losses(String stream) {
          return List.of();
        }
      };

  final TenantDatabases databases;
  private final ApplyFunction function = new ApplyFunction(STREAM, NONE);

  Tenants(Path directory) {
    databases = new TenantDatabases(directory, 32);
  }

  /// Makes a database without records.
  ViewState create(String tenant) throws ViewException, InterruptedException {
    return databases.write(tenant, TenantReader::state);
  }

  /// Stores records more, in one transaction each, and their items.
  void append(String tenant, int records) throws ViewException, InterruptedException {
    long from = next(tenant);
    for (long offset = from; offset < from + records; offset++) {
      append(tenant, entry(tenant, offset, "key-" + offset, 1));
    }
    follow(tenant);
  }

  /// Stores records of a source with these numbers, and their items.
  void appendOf(String tenant, String source, int... numbers)
      throws ViewException, InterruptedException {
    for (int number : numbers) {
      append(tenant, entry(tenant, next(tenant), source + "-" + number, 1));
    }
    follow(tenant);
  }

  /// Stores a transaction of several records, and their items.
  void appendTransaction(String tenant, String key, int records)
      throws ViewException, InterruptedException {
    append(tenant, entry(tenant, next(tenant), key, records));
    follow(tenant);
  }

  private long next(String tenant) throws ViewException, InterruptedException {
    return databases.<Long>write(tenant, writer -> writer.state().appliedOffset()) + 1;
  }

  private void append(String tenant, LogEntry entry) throws ViewException, InterruptedException {
    ApplyFunction.Applied _ =
        databases.write(tenant, writer -> function.apply(writer, List.of(entry)));
  }

  private void follow(String tenant) throws ViewException, InterruptedException {
    new MailboxFollower(databases, _ -> {}).follow(tenant);
  }

  /// The records before a seq leave the databases.
  void leave(String tenant, long seq) throws ViewException, InterruptedException {
    new ViewRetention(
            databases,
            new MailboxFollower(databases, _ -> {}),
            Duration.ofDays(1),
            _ -> seq - 1,
            () -> false,
            _ -> false,
            new TestClock("2024-01-15T00:00:00Z"))
        .turn();
  }

  /// Applies a log record whose transaction is stored already.
  void repeat(String tenant) throws ViewException, InterruptedException {
    long offset = state(tenant).appliedOffset() + 1;
    append(tenant, entry(tenant, offset, "key-0", 1));
  }

  private static LogEntry entry(String tenant, long offset, String key, int count) {
    List<RecordData> records =
        Collections.nCopies(
            count,
            new RecordData(List.of("p", "q\"ü"), ("{\"of\":\"" + key + "\"}").getBytes(UTF_8)));
    byte[] payload =
        EventCodec.encode(
            new EventBody(
                Duration.ofDays(30).toMillis(),
                "fsync",
                List.of(new Transaction(tenant, key, Digests.content(records), records))));
    return new LogEntry(EPOCH, offset, EventBody.TRANSACTIONS, TIME + offset, payload);
  }

  ViewState state(String tenant) throws ViewException, InterruptedException {
    return databases.read(tenant, TenantReader::state);
  }

  long mailboxSeq(String tenant) throws ViewException, InterruptedException {
    return databases.<Long>readMailbox(tenant, MailboxReader::appliedSeq);
  }

  @Override
  public void close() {
    databases.close();
  }

  /// The chain over the rows of a canonical.db, made again from them.
  static String chainOfRows(Path canonical, String tenant) throws SQLException {
    Chain chain = Chain.ofTenant(tenant);
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + canonical);
        Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT seq, part, received_at, key, log_data FROM events ORDER BY seq")) {
      while (row.next()) {
        chain.add(
            row.getLong(1),
            row.getLong(2),
            row.getLong(3),
            row.getString(4),
            List.of("p", "q\"ü"),
            row.getBytes(5));
      }
    }
    return chain.hex();
  }

  static void change(Path database, String sql) throws SQLException {
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database);
        Statement statement = connection.createStatement()) {
      int _ = statement.executeUpdate(sql);
    }
  }
}
