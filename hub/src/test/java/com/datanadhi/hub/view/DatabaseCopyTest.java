package com.datanadhi.hub.view;

import static com.datanadhi.hub.view.Rows.append;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.view.ViewException.Kind;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DatabaseCopyTest {
  @TempDir Path directory;
  private TenantDatabases databases;
  private Path canonical;
  private Path mailbox;

  @BeforeEach
  void open() {
    databases = new TenantDatabases(directory.resolve("tenants"), 32);
    canonical = directory.resolve("canonical.db");
    mailbox = directory.resolve("mailbox.db");
  }

  @AfterEach
  void close() {
    databases.close();
  }

  private void records(int count) throws Exception {
    databases.write(
        "acme",
        writer -> {
          append(writer, count);
          return "";
        });
  }

  private static long number(Path file, String sql) throws SQLException {
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getLong(1);
    }
  }

  @Test
  void a_copy_that_is_made_while_records_are_written_has_one_moment() throws Exception {
    records(5_000);
    databases.writeMailbox("acme", Rows::oneItem);
    AtomicBoolean isDone = new AtomicBoolean();
    AtomicLong written = new AtomicLong();
    Thread writer =
        Thread.ofPlatform()
            .start(() -> {
              try {
                while (!isDone.get()) {
                  records(10);
                  databases.writeMailbox("acme", Rows::oneItem);
                  written.addAndGet(10);
                }
              } catch (Exception failed) {
                throw new IllegalStateException(failed);
              }
            });
    long during = 0;
    try {
      for (int i = 0; i < 10; i++) {
        long before = written.get();
        Path target = directory.resolve("canonical-" + i + ".db");
        Path items = directory.resolve("mailbox-" + i + ".db");
        assertThat(databases.copy("acme", target, items)).isTrue();
        during += written.get() - before;

        ViewState state = DatabaseCopy.canonical(target).state();
        assertThat(state.seq()).isGreaterThanOrEqualTo(5_000 + before);
        assertThat(number(target, "SELECT count(*) FROM events")).isEqualTo(state.seq());
        assertThat(number(target, "SELECT max(seq) FROM events")).isEqualTo(state.seq());
        assertThat(number(target, "SELECT count(*) FROM applied_events")).isEqualTo(state.seq());
        assertThat(number(target, "SELECT max(last) FROM sources")).isEqualTo(state.seq());
        DatabaseCopy.Mailbox inside = DatabaseCopy.mailbox(items);
        assertThat(inside.tenant()).isEqualTo("acme");
        assertThat(inside.appliedSeq()).isBetween(1L, state.seq());
        assertThat(number(items, "SELECT count(*) FROM items")).isEqualTo(inside.appliedSeq());
      }
    } finally {
      isDone.set(true);
      writer.join();
    }
    assertThat(during).as("writing went on").isPositive();
  }

  @Test
  void a_copy_is_one_file_for_its_owner_alone_that_sqlite3_reads_in_a_read_only_directory()
      throws Exception {
    records(10);
    databases.writeMailbox("acme", Rows::oneItem);
    Path target = Files.createDirectory(directory.resolve("copy"));
    databases.copy("acme", target.resolve("canonical.db"), target.resolve("mailbox.db"));

    for (String name : List.of("canonical.db", "mailbox.db")) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(target.resolve(name))))
          .isEqualTo("rw-------");
      // https://sqlite.org/fileformat.html, 1.3.4: 1 is a rollback journal, 2 a write-ahead log
      byte[] header = Files.readAllBytes(target.resolve(name));
      assertThat(header[18]).isEqualTo((byte) 1);
      assertThat(header[19]).isEqualTo((byte) 1);
    }
    Files.setPosixFilePermissions(target, PosixFilePermissions.fromString("r-x------"));
    try {
      Process sqlite =
          new ProcessBuilder(
                  "sqlite3",
                  "-readonly",
                  target.resolve("canonical.db").toString(),
                  "SELECT count(*) FROM events")
              .redirectErrorStream(true)
              .start();
      assertThat(new String(sqlite.getInputStream().readAllBytes(), UTF_8)).isEqualTo("10\n");
      DatabaseCopy.canonical(target.resolve("canonical.db"));
      try (Stream<Path> files = Files.list(target)) {
        assertThat(files).hasSize(2);
      }
    } finally {
      Files.setPosixFilePermissions(target, PosixFilePermissions.fromString("rwx------"));
    }
  }

  @Test
  void the_databases_work_on_after_a_copy() throws Exception {
    records(3);
    databases.copy("acme", canonical, mailbox);
    records(2);

    assertThat(databases.<Long>read("acme", reader -> reader.state().seq())).isEqualTo(5);
    assertThat(DatabaseCopy.canonical(canonical).state().seq()).isEqualTo(3);
    assertThatThrownBy(() ->
            databases.read(
                "acme",
                reader -> {
                  ((CanonicalReader) reader).sqlite.run("DELETE FROM events");
                  return "";
                }))
        .as("readers cannot write")
        .isInstanceOf(ViewException.class)
        .hasMessageContaining("readonly");
  }

  @Test
  void a_tenant_without_mailbox_gets_none_and_one_without_database_is_refused() throws Exception {
    records(1);
    assertThat(databases.copy("acme", canonical, mailbox)).isFalse();
    assertThat(mailbox).doesNotExist();
    assertThat(databases.directory("acme").resolve("mailbox.db")).doesNotExist();

    assertThatThrownBy(() -> databases.copy("other", canonical, mailbox))
        .isInstanceOf(ViewException.class)
        .hasMessageContaining("does not exist");
    assertThat(databases.exists("other")).isFalse();
  }

  @Test
  void copies_of_many_tenants_keep_to_the_bound_of_open_files() throws Exception {
    databases.close();
    databases = new TenantDatabases(directory.resolve("tenants"), 6);
    for (int i = 0; i < 10; i++) {
      databases.write("t" + i, Rows::one);
      databases.writeMailbox("t" + i, Rows::oneItem);
    }
    for (int i = 0; i < 10; i++) {
      databases.copy(
          "t" + i, directory.resolve("c" + i + ".db"), directory.resolve("m" + i + ".db"));
      try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
        long open = all.filter(descriptor -> isBelow(descriptor, directory)).count();
        assertThat(open).isLessThanOrEqualTo(6);
      }
    }
  }

  private static boolean isBelow(Path descriptor, Path directory) {
    try {
      return Files.readSymbolicLink(descriptor).startsWith(directory);
    } catch (IOException closedMeanwhile) {
      return false;
    }
  }

  @Test
  void a_copy_that_takes_too_long_ends_and_the_next_one_works() throws Exception {
    AtomicLong nanos = new AtomicLong();
    AtomicLong step = new AtomicLong();
    Clock clock =
        new Clock() {
          @Override
          public long wallMillis() {
            return 0;
          }

          @Override
          public long nanoTime() {
            return nanos.addAndGet(step.get());
          }
        };
    databases.close();
    databases =
        new TenantDatabases(directory.resolve("tenants"), 32, Duration.ofHours(1), clock, _ -> {});
    records(5_000);
    step.set(Duration.ofSeconds(20).toNanos());
    assertThatThrownBy(() -> databases.copy("acme", canonical, mailbox))
        .isInstanceOfSatisfying(
            ViewException.class, failed -> assertThat(failed.kind()).isEqualTo(Kind.UNAVAILABLE));

    step.set(0);
    Files.delete(canonical);
    databases.copy("acme", canonical, mailbox);
    assertThat(DatabaseCopy.canonical(canonical).state().seq()).isEqualTo(5_000);
  }

  @Test
  void an_interrupt_ends_a_copy_and_a_check() throws Exception {
    AtomicBoolean isArmed = new AtomicBoolean();
    AtomicLong bytes = new AtomicLong();
    Clock clock =
        new Clock() {
          @Override
          public long wallMillis() {
            return 0;
          }

          @Override
          public long nanoTime() {
            if (isArmed.get() && bytes.updateAndGet(_ -> canonical.toFile().length()) > 0) {
              Thread.currentThread().interrupt();
            }
            return 0;
          }
        };
    databases.close();
    databases =
        new TenantDatabases(directory.resolve("tenants"), 32, Duration.ofHours(1), clock, _ -> {});
    records(20_000);
    isArmed.set(true);
    assertThatThrownBy(() -> databases.copy("acme", canonical, mailbox))
        .isInstanceOf(InterruptedException.class);
    assertThat(bytes).as("in the middle").hasPositiveValue();
    isArmed.set(false);
    Files.delete(canonical);

    databases.copy("acme", canonical, mailbox);
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> DatabaseCopy.canonical(canonical))
        .isInstanceOf(InterruptedException.class);
    assertThat(Thread.interrupted()).isFalse();
    assertThat(DatabaseCopy.canonical(canonical).state().seq()).isEqualTo(20_000);
  }

  @Test
  void damage_anywhere_is_found() throws Exception {
    records(2_000);
    databases.copy("acme", canonical, mailbox);
    long size = Files.size(canonical);
    try (RandomAccessFile file = new RandomAccessFile(canonical.toFile(), "rw")) {
      file.seek(size / 2 / 4096 * 4096);
      file.write(new byte[] {13, 0, 0, 127, 127, 127, 127});
    }
    assertThatThrownBy(() -> DatabaseCopy.canonical(canonical))
        .isInstanceOfSatisfying(
            ViewException.class, failed -> assertThat(failed.kind()).isEqualTo(Kind.DAMAGED));

    Files.write(canonical, new byte[0]);
    assertDamaged();
    Files.writeString(canonical, "not a database, and long enough to be none".repeat(100));
    assertDamaged();
  }

  private void assertDamaged() {
    assertThatThrownBy(() -> DatabaseCopy.canonical(canonical))
        .isInstanceOfSatisfying(
            ViewException.class, failed -> assertThat(failed.kind()).isEqualTo(Kind.DAMAGED));
  }

  @Test
  void the_other_kind_of_database_a_newer_one_and_a_missing_one_are_refused() throws Exception {
    records(1);
    databases.writeMailbox("acme", Rows::oneItem);
    databases.copy("acme", canonical, mailbox);
    assertThatThrownBy(() -> DatabaseCopy.canonical(mailbox)).isInstanceOf(ViewException.class);
    assertThatThrownBy(() -> DatabaseCopy.mailbox(canonical)).isInstanceOf(ViewException.class);

    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + canonical);
        Statement statement = connection.createStatement()) {
      statement.executeUpdate("UPDATE state SET schema_version = 99");
    }
    assertThatThrownBy(() -> DatabaseCopy.canonical(canonical))
        .isInstanceOfSatisfying(
            ViewException.class, failed -> assertThat(failed.kind()).isEqualTo(Kind.NEWER));
    Path missing = directory.resolve("missing.db");
    assertThatThrownBy(() -> DatabaseCopy.canonical(missing)).isInstanceOf(ViewException.class);
    assertThat(missing).doesNotExist();
  }

  @Test
  void the_fingerprint_depends_on_the_tables_alone() throws Exception {
    records(1);
    databases.copy("acme", canonical, mailbox);
    String fingerprint = DatabaseCopy.canonical(canonical).schemaFingerprint();
    assertThat(fingerprint).matches("sha256:[0-9a-f]{64}");

    databases.write("other", Rows::one);
    Path other = directory.resolve("100%?#.db");
    databases.copy("other", other, mailbox);
    assertThat(DatabaseCopy.canonical(other).schemaFingerprint()).isEqualTo(fingerprint);
    assertThat(DatabaseCopy.canonical(other).state().tenant()).isEqualTo("other");

    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + canonical);
        Statement statement = connection.createStatement()) {
      statement.executeUpdate("CREATE INDEX more ON events (key)");
    }
    assertThat(DatabaseCopy.canonical(canonical).schemaFingerprint()).isNotEqualTo(fingerprint);
  }
}
