package com.datanadhi.hub.view;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.datanadhi.hub.record.Digests;
import com.datanadhi.hub.record.TenantName;
import com.datanadhi.hub.view.ViewException.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/// Brings the tables of a database to the version of this program: the files
/// `sql/hub/<name>-<n>.sql` with n above the version in `state`, in one transaction.
final class Schema {
  /// The version that this program writes.
  static final int VERSION = 1;

  private Schema() {}

  /// Creates or changes the tables, if that is needed.
  ///
  /// @throws ViewException the file is not a database, or a newer version has written it
  static void migrate(Sqlite sqlite, DatabaseKind kind, String tenant) throws ViewException {
    try {
      if (version(sqlite) == VERSION) {
        return;
      }
      sqlite.beginWrite();
      long found = version(sqlite);
      if (found > VERSION) {
        sqlite.rollback();
        throw newer(sqlite, found);
      }
      for (long next = found + 1; next <= VERSION; next++) {
        sqlite.script(script(kind.schemaName(), next));
        if (kind == DatabaseKind.CANONICAL && tenant.equals(TenantName.CONTROL)) {
          sqlite.script(script("control", next));
        }
      }
      if (found == 0) {
        insertState(sqlite, kind, tenant);
      } else {
        sqlite.run("UPDATE state SET schema_version = " + VERSION);
      }
      sqlite.commit();
    } catch (ViewFailure failed) {
      throw failed.failure();
    }
  }

  /// Checks that this program knows the tables, without changing them.
  static void checkKnown(Sqlite sqlite) throws ViewException {
    long found = version(sqlite);
    if (found == 0) {
      throw new ViewException(Kind.DAMAGED, sqlite.file() + ": has no tables", null);
    }
    if (found > VERSION) {
      throw newer(sqlite, found);
    }
  }

  private static ViewException newer(Sqlite sqlite, long found) {
    return new ViewException(
        Kind.NEWER,
        sqlite.file()
            + ": has the schema version "
            + found
            + ", and this program knows "
            + VERSION
            + ": start the newer version of the hub",
        null);
  }

  /// 0 for a database without tables.
  private static long version(Sqlite sqlite) throws ViewException {
    if (sqlite.number("SELECT count(*) FROM sqlite_schema", 0) == 0) {
      return 0;
    }
    long version = sqlite.number("SELECT schema_version FROM state", -1);
    if (version < 1) {
      throw new ViewException(Kind.DAMAGED, sqlite.file() + ": its table state is empty", null);
    }
    return version;
  }

  private static void insertState(Sqlite sqlite, DatabaseKind kind, String tenant) {
    String sql =
        switch (kind) {
          case CANONICAL ->
              "INSERT INTO state VALUES (1, ?1, NULL, ?2, -1, 0, ?3, 1, ?3, 0, 0, 0, 0, 0, 0, ?4)";
          case MAILBOX -> "INSERT INTO state VALUES (1, ?1, 0, -1, ?2)";
        };
    try (PreparedStatement insert = sqlite.prepare(sql)) {
      insert.setString(1, tenant);
      switch (kind) {
        case CANONICAL -> {
          insert.setString(2, tenant.equals(TenantName.CONTROL) ? "control" : "events-0");
          insert.setString(3, Digests.hex(Digests.sha256().digest(tenant.getBytes(UTF_8))));
          insert.setInt(4, VERSION);
        }
        case MAILBOX -> insert.setInt(2, VERSION);
      }
      int _ = insert.executeUpdate();
    } catch (SQLException failed) {
      throw sqlite.failed("creating its tables", failed);
    }
  }

  private static String script(String name, long version) {
    String resource = "/sql/hub/%s-%03d.sql".formatted(name, version);
    try (@Nullable InputStream in = Schema.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IllegalStateException("the program lacks " + resource);
      }
      return new String(in.readAllBytes(), UTF_8);
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }
}
