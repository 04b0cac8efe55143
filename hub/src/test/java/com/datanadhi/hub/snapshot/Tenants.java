package com.datanadhi.hub.snapshot;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.datanadhi.hub.apply.ApplyDecisions;
import com.datanadhi.hub.apply.ApplyFunction;
import com.datanadhi.hub.apply.Chain;
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
import java.util.ArrayList;
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

  /// Stores records more, in one transaction each, and their items.
  void append(String tenant, int records) throws ViewException, InterruptedException {
    long from = databases.<Long>read(tenant, reader -> reader.state().appliedOffset()) + 1;
    List<LogEntry> entries = new ArrayList<>();
    for (long offset = from; offset < from + records; offset++) {
      entries.add(entry(tenant, offset, "key-" + offset));
    }
    ApplyFunction.Applied _ = databases.write(tenant, writer -> function.apply(writer, entries));
    long seq = state(tenant).seq();
    String _ =
        databases.writeMailbox(
            tenant,
            writer -> {
              for (long next = writer.appliedSeq() + 1; next <= seq; next++) {
                writer.addItems(next, List.of("p"));
              }
              writer.setAppliedSeq(seq);
              return "";
            });
  }

  /// Applies a log record whose transaction is stored already.
  void repeat(String tenant) throws ViewException, InterruptedException {
    long offset = state(tenant).appliedOffset() + 1;
    List<LogEntry> entries = List.of(entry(tenant, offset, "key-0"));
    ApplyFunction.Applied _ = databases.write(tenant, writer -> function.apply(writer, entries));
  }

  private static LogEntry entry(String tenant, long offset, String key) {
    List<RecordData> records =
        List.of(new RecordData(List.of("p", "q\"ü"), ("{\"of\":\"" + key + "\"}").getBytes(UTF_8)));
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
