package com.datanadhi.hub.view;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.datanadhi.hub.record.CursorKey;
import com.datanadhi.hub.record.Digests;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.view.ViewException.Kind;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/// Looks at a database file that nobody writes, such as one of a snapshot. Nothing is created
/// beside it, and it is trusted in nothing: SQLite checks all of it, about 0.5 to 1 GB/s, and what
/// it then says of itself is returned. An interrupt ends the check within milliseconds.
/// Thread-safe.
public final class DatabaseCopy {
  private static final String SCHEMA =
      "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT GLOB 'sqlite_*'"
          + " ORDER BY type, name";
  private static final String MAILBOX_STATE =
      "SELECT tenant, applied_seq, control_offset FROM state";

  private static final String ITEMS = "SELECT pipeline, n, seq FROM items ORDER BY pipeline, n";
  private static final String LAST_ITEMS = "SELECT pipeline, last_n FROM pipelines";

  // Of each consumer's moves of its cursor all but the newest.
  private static final String FORGET_OLDER_MOVES =
      "UPDATE events SET log_data = '' WHERE log_data <> '' AND seq <= ?1 AND seq IN (SELECT seq"
          + " FROM (SELECT seq, row_number() OVER (PARTITION BY substr(key, 1, ?2) ORDER BY seq"
          + " DESC) AS age FROM events WHERE key GLOB 'cursor-*') WHERE age > 1)";
  private static final String FORGET_THEIR_KEYS =
      "DELETE FROM applied_events WHERE idempotency_key IN (SELECT key FROM events WHERE log_data"
          + " = '')";

  private static final int PAGE = 2_000;

  private DatabaseCopy() {}

  /// What a canonical.db says of itself.
  ///
  /// @param schemaFingerprint `sha256:` and the digest of the SQL of its tables, indices and views,
  ///   in order of their kinds and names, each followed by a line feed
  public record Canonical(ViewState state, String schemaFingerprint) {}

  /// What a mailbox.db says of itself.
  ///
  /// @param appliedSeq the seq up to which its items are
  /// @param controlOffset the offset in `control` up to which its cursors are, or -1
  public record Mailbox(String tenant, long appliedSeq, long controlOffset) {}

  /// Looks at a canonical.db.
  ///
  /// @throws ViewException it is damaged, is another kind of file, cannot be read, or a newer
  ///   version of the hub has written it
  public static Canonical canonical(Path file) throws ViewException, InterruptedException {
    return look(
        file,
        sqlite ->
            new Canonical(
                new CanonicalReader(sqlite, "", Clock.system()).state(), fingerprint(sqlite)));
  }

  /// Who gets what is in a canonical.db.
  public interface Records {
    /// The first call.
    ///
    /// @param reader of the rest, which can be used up to the end of [#end]
    void begin(TenantReader reader);

    /// A record, in order of seq.
    void add(StoredEvent event);

    /// The last call.
    void end();
  }

  /// As above, and also reads all records.
  public static Canonical canonical(Path file, Records records)
      throws ViewException, InterruptedException {
    return look(
        file,
        sqlite -> {
          ViewState state = new CanonicalReader(sqlite, "", Clock.system()).state();
          CanonicalReader reader = new CanonicalReader(sqlite, state.tenant(), Clock.system());
          records.begin(reader);
          readAll(reader, records);
          records.end();
          return new Canonical(state, fingerprint(sqlite));
        });
  }

  /// In pages, because a reader bounds the time of a call.
  private static void readAll(CanonicalReader reader, Records records) {
    long[] next = {1};
    int[] count = new int[1];
    do {
      count[0] = 0;
      reader.began();
      reader.events(
          new EventFilter(next[0], PAGE, null, null, null),
          event -> {
            records.add(event);
            next[0] = event.seq() + 1;
            count[0]++;
            return true;
          });
    } while (count[0] > 0);
  }

  /// Looks at a mailbox.db; throws as [#canonical] does.
  public static Mailbox mailbox(Path file) throws ViewException, InterruptedException {
    return look(file, DatabaseCopy::mailboxState);
  }

  /// Who gets what is in a mailbox.db.
  public interface Items {
    /// An item; those of a pipeline come in order of n.
    void add(String pipeline, long n, long seq);

    /// The last n that a pipeline has given, after all items.
    void addLast(String pipeline, long n);
  }

  /// Reads all items of a mailbox.db that [#mailbox] has looked at.
  public static void items(Path file, Items items) throws ViewException, InterruptedException {
    boolean _ =
        with(
            Sqlite.openUnchanging(file),
            sqlite -> {
              readAll(sqlite, items);
              return true;
            });
  }

  private static void readAll(Sqlite sqlite, Items items) {
    try (ResultSet item = sqlite.statement(ITEMS).executeQuery();
        ResultSet last = sqlite.statement(LAST_ITEMS).executeQuery()) {
      while (item.next()) {
        items.add(item.getString(1), item.getLong(2), item.getLong(3));
      }
      while (last.next()) {
        items.addLast(last.getString(1), last.getLong(2));
      }
    } catch (SQLException failed) {
      throw sqlite.failed("reading its items", failed);
    }
  }

  /// Leaves of the moves of a cursor in a copy of `_control`'s canonical.db only the newest one: of
  /// the older ones the content and the key's entry go, and the digest stays, so that the chain can
  /// be computed. Records keep their seqs.
  ///
  /// @param file is left without them, but as large as before
  /// @param smaller where the copy goes; there is no such file yet
  /// @param lastSeq of the records that may be left out, such as the last one that is archived
  public static void withoutOlderMoves(Path file, Path smaller, long lastSeq)
      throws ViewException, InterruptedException {
    boolean _ =
        with(
            Sqlite.openAlone(file),
            sqlite -> {
              forgetOlderMoves(sqlite, lastSeq);
              sqlite.copyInto(smaller);
              return true;
            });
  }

  private static void forgetOlderMoves(Sqlite sqlite, long lastSeq) {
    try {
      PreparedStatement forget = sqlite.statement(FORGET_OLDER_MOVES);
      forget.setLong(1, lastSeq);
      forget.setInt(2, CursorKey.CONSUMER_LENGTH);
      int _ = forget.executeUpdate();
      sqlite.run(FORGET_THEIR_KEYS);
    } catch (SQLException failed) {
      throw sqlite.failed("leaving out older cursors", failed);
    }
  }

  @FunctionalInterface
  private interface Look<T> {
    T at(Sqlite sqlite) throws ViewException;
  }

  private static <T> T look(Path file, Look<T> look) throws ViewException, InterruptedException {
    return with(
        Sqlite.openUnchanging(file),
        sqlite -> {
          String result = sqlite.text("PRAGMA integrity_check(1)");
          if (!"ok".equals(result)) {
            throw new ViewException(Kind.DAMAGED, file + ": " + result, null);
          }
          Schema.checkKnown(sqlite);
          return look.at(sqlite);
        });
  }

  /// Does something with a database, and closes it.
  private static <T> T with(Sqlite opened, Look<T> look)
      throws ViewException, InterruptedException {
    try (Sqlite sqlite = opened) {
      sqlite.endWhen(() -> Thread.currentThread().isInterrupted());
      return look.at(sqlite);
    } catch (ViewFailure failed) {
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
      throw failed.failure();
    }
  }

  private static Mailbox mailboxState(Sqlite sqlite) throws ViewException {
    try (ResultSet row = sqlite.statement(MAILBOX_STATE).executeQuery()) {
      if (!row.next()) {
        throw new ViewException(Kind.DAMAGED, sqlite.file() + ": its table state is empty", null);
      }
      return new Mailbox(row.getString(1), row.getLong(2), row.getLong(3));
    } catch (SQLException failed) {
      throw sqlite.failed("reading its state", failed);
    }
  }

  private static String fingerprint(Sqlite sqlite) {
    MessageDigest sha = Digests.sha256();
    try (ResultSet row = sqlite.statement(SCHEMA).executeQuery()) {
      while (row.next()) {
        sha.update(row.getString(1).getBytes(UTF_8));
        sha.update((byte) '\n');
      }
    } catch (SQLException failed) {
      throw sqlite.failed("reading its schema", failed);
    }
    return "sha256:" + Digests.hex(sha.digest());
  }
}
