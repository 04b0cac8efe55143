package com.datanadhi.hub.view;

import com.datanadhi.hub.view.ViewException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import org.jspecify.annotations.Nullable;

/// The check of a database whose last user did not close it: its write-ahead log is still there.
///
/// SQLite itself survives a kill and a power loss; the check is for what neither promises to spare,
/// such as a lost or torn page. A small database is checked as a whole. A large one would take
/// seconds to minutes, and a start must not depend on how much is stored: there, what the last run
/// can have written is looked at, which is the end of `events` and its keys, and SQLite's frame
/// checksums vouch for the write-ahead log. Damage elsewhere shows when its pages are used.
final class UncleanEnd {
  /// Checked as a whole up to this size; about 50 ms.
  static final long SMALL_BYTES = 32L << 20;

  private static final int TAIL = 2_000;

  // Each has up to 4 MiB.
  private static final int PAYLOADS = 8;

  private UncleanEnd() {}

  static void check(Sqlite sqlite, DatabaseKind kind) throws ViewException {
    try {
      long size = Files.size(sqlite.file());
      if (size <= SMALL_BYTES) {
        report(sqlite, sqlite.text("PRAGMA quick_check(1)"));
      } else if (kind == DatabaseKind.CANONICAL) {
        checkTail(sqlite);
      } else {
        report(sqlite, sqlite.text("PRAGMA quick_check('cursors')"));
      }
    } catch (IOException unreadable) {
      throw new ViewException(
          Kind.UNAVAILABLE, sqlite.file() + ": " + unreadable.getMessage(), unreadable);
    } catch (ViewFailure failed) {
      throw failed.failure();
    }
  }

  private static void checkTail(Sqlite sqlite) throws ViewException {
    report(sqlite, sqlite.text("PRAGMA quick_check('state')"));
    String tail = " FROM events WHERE seq > (SELECT seq FROM state) - " + TAIL;
    long lost =
        sqlite.number(
            "SELECT max(0, min("
                + TAIL
                + ", seq - first_seq + 1)) <> (SELECT count(*)"
                + tail
                + ") OR seq <> (SELECT coalesce(max(seq), state.seq) FROM events) FROM state",
            1);
    if (lost != 0) {
      report(sqlite, "the last records do not fit the state");
    }
    // The length in characters is known only at the end of the text.
    long _ =
        sqlite.number(
            "SELECT max(length(log_data)) FROM events WHERE seq > (SELECT seq FROM state) - "
                + PAYLOADS,
            0);
    long _ =
        sqlite.number(
            "SELECT count(result_json) FROM applied_events WHERE tenant_id = (SELECT tenant FROM"
                + " state) AND idempotency_key IN (SELECT key"
                + tail
                + ")",
            0);
  }

  private static void report(Sqlite sqlite, @Nullable String result) throws ViewException {
    if (!"ok".equals(result)) {
      throw new ViewException(Kind.DAMAGED, sqlite.file() + ": " + result, null);
    }
  }
}
