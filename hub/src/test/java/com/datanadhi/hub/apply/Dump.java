package com.datanadhi.hub.apply;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.datanadhi.hub.record.Digests;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/// Reads a tenant's database as a stranger does.
final class Dump {
  private Dump() {}

  static Path canonical(Path tenants, String tenant) {
    return directory(tenants, tenant).resolve("canonical.db");
  }

  static Path directory(Path tenants, String tenant) {
    String hex = Digests.hex(Digests.sha256().digest(tenant.getBytes(UTF_8)));
    return tenants.resolve(hex.substring(0, 2)).resolve(tenant);
  }

  static List<String> rows(Path database, String sql) throws SQLException {
    List<String> rows = new ArrayList<>();
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database);
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      int columns = row.getMetaData().getColumnCount();
      while (row.next()) {
        StringBuilder line = new StringBuilder();
        for (int i = 1; i <= columns; i++) {
          Object value = row.getObject(i);
          line.append(i == 1 ? "" : "|")
              .append(value instanceof byte[] bytes ? HexFormat.of().formatHex(bytes) : value);
        }
        rows.add(line.toString());
      }
    }
    return rows;
  }

  /// Everything that applying decides.
  static List<String> all(Path database) throws SQLException {
    List<String> all = new ArrayList<>();
    all.addAll(rows(database, "SELECT * FROM events ORDER BY seq"));
    all.addAll(
        rows(
            database,
            "SELECT a.* FROM applied_events a, state s WHERE a.applied_at >="
                + " s.keys_forgotten_before ORDER BY a.idempotency_key"));
    all.addAll(rows(database, "SELECT * FROM sources ORDER BY source, first"));
    all.addAll(rows(database, "SELECT * FROM conflicts ORDER BY key, sha256, pipelines_sha256"));
    all.addAll(rows(database, "SELECT * FROM quarantine ORDER BY position"));
    all.addAll(rows(database, "SELECT * FROM state"));
    return all;
  }
}
