package com.datanadhi.hub.view;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.datanadhi.hub.record.Digests;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.view.ViewException.Kind;
import java.nio.file.Path;
import java.security.MessageDigest;
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

  /// Who gets the records of a canonical.db.
  public interface Records {
    /// The first call.
    void begin(ViewState state);

    /// A record, in order of seq.
    void add(StoredEvent event);
  }

  /// As above, and also reads all records.
  public static Canonical canonical(Path file, Records records)
      throws ViewException, InterruptedException {
    return look(
        file,
        sqlite -> {
          CanonicalReader reader = new CanonicalReader(sqlite, "", Clock.system());
          ViewState state = reader.state();
          records.begin(state);
          readAll(reader, records);
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

  @FunctionalInterface
  private interface Look<T> {
    T at(Sqlite sqlite) throws ViewException;
  }

  private static <T> T look(Path file, Look<T> look) throws ViewException, InterruptedException {
    try (Sqlite sqlite = Sqlite.openUnchanging(file)) {
      sqlite.endWhen(() -> Thread.currentThread().isInterrupted());
      String result = sqlite.text("PRAGMA integrity_check(1)");
      if (!"ok".equals(result)) {
        throw new ViewException(Kind.DAMAGED, file + ": " + result, null);
      }
      Schema.checkKnown(sqlite);
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
