package com.datanadhi.hub.view;

import static com.datanadhi.hub.view.Rows.all;
import static com.datanadhi.hub.view.Rows.append;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.hub.record.Digests;
import com.datanadhi.hub.view.ViewException.Kind;
import com.datanadhi.testkit.SmallDisk;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DamageTest {
  @TempDir Path directory;
  private TenantDatabases databases;

  @BeforeEach
  void open() {
    databases = new TenantDatabases(directory.resolve("tenants"), 64);
  }

  @AfterEach
  void close() {
    databases.close();
  }

  private Path file(String name) {
    String hash = Digests.hex(Digests.sha256().digest("acme".getBytes(UTF_8)));
    return directory.resolve("tenants").resolve(hash.substring(0, 2)).resolve("acme").resolve(name);
  }

  private Path canonical() {
    return file("canonical.db");
  }

  private static void assertKind(Kind kind, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(ViewException.class, e -> assertThat(e.kind()).isEqualTo(kind));
  }

  private int count() throws Exception {
    return databases.read("acme", reader -> all(reader).size());
  }

  private void fill(int records) throws Exception {
    String _ =
        databases.write(
            "acme",
            writer -> {
              append(writer, records);
              return "";
            });
  }

  @Test
  void a_zeroed_page_is_damage_when_it_is_used() throws Exception {
    fill(1_000);
    databases.close();
    zero(Files.size(canonical()) / 2);
    open();
    assertKind(
        Kind.DAMAGED,
        () ->
            databases.read(
                "acme",
                reader -> {
                  int _ = all(reader).size();
                  for (int seq = 1; seq <= 1_000; seq++) {
                    int _ = reader.applied(List.of(Rows.key(seq))).size();
                  }
                  return reader.sources(null);
                }));
  }

  @Test
  void a_zeroed_page_is_found_at_opening_after_an_unclean_end() throws Exception {
    fill(1_000);
    databases.close();
    zero(Files.size(canonical()) / 2);
    Files.createFile(file("canonical.db-wal"));
    open();
    assertKind(Kind.DAMAGED, () -> databases.read("acme", TenantReader::state));
  }

  @Test
  void a_large_database_without_its_end_is_found_after_an_unclean_end() throws Exception {
    byte[] payload = ("\"" + "x".repeat(100_000) + "\"").getBytes(UTF_8);
    String _ =
        databases.write(
            "acme",
            writer -> {
              ViewState state = writer.state();
              while (state.seq() * payload.length < UncleanEnd.SMALL_BYTES) {
                state = Rows.next(state);
                writer.insertEvent(Rows.event(state.seq(), 1, "[]", payload));
              }
              writer.saveState(state);
              return "";
            });
    databases.close();
    Files.createFile(file("canonical.db-wal"));
    open();
    assertThat(databases.<Long>read("acme", reader -> reader.state().seq())).isGreaterThan(300);
    databases.close();

    String _ = sqlite3Writing("DELETE FROM events WHERE seq = (SELECT seq - 3 FROM state)");
    Files.createFile(file("canonical.db-wal"));
    open();
    assertKind(Kind.DAMAGED, () -> databases.read("acme", TenantReader::state));
  }

  private void zero(long position) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(canonical().toFile(), "rw")) {
      file.seek(position / 4096 * 4096);
      file.write(new byte[4096]);
    }
  }

  @Test
  void a_truncated_file_is_damage() throws Exception {
    fill(1_000);
    databases.close();
    try (RandomAccessFile file = new RandomAccessFile(canonical().toFile(), "rw")) {
      file.setLength(file.length() / 2);
    }
    open();
    assertKind(Kind.DAMAGED, this::count);
  }

  @Test
  void garbage_is_damage_and_can_be_set_aside() throws Exception {
    fill(3);
    databases.close();
    Files.writeString(canonical(), "not a database, not a database, not a database".repeat(100));
    open();
    assertKind(Kind.DAMAGED, () -> databases.read("acme", TenantReader::state));
    assertKind(Kind.DAMAGED, () -> databases.write("acme", Rows::one));

    Path first = databases.setAside("acme");
    Path second = databases.setAside("acme"); // nothing is there

    assertThat(first).exists();
    assertThat(first.getFileName().toString()).matches("canonical\\.db\\.damaged-\\d{8}T\\d{6}Z");
    assertThat(second).doesNotExist();
    assertThat(databases.exists("acme")).isFalse();
    fill(1);
    assertThat(count()).isEqualTo(1);
    Path third = databases.setAside("acme");
    assertThat(third).exists().isNotEqualTo(first);
    assertThat(first).exists();
  }

  @Test
  void a_database_in_use_is_set_aside_with_its_log() throws Exception {
    fill(3);
    String _ = databases.writeMailbox("acme", Rows::oneItem);
    Path renamed = databases.setAside("acme");

    assertThat(sqlite3(renamed, "SELECT count(*) FROM events")).isEqualTo("3");
    assertThat(databases.exists("acme")).isFalse();
    assertThat(databases.<Long>readMailbox("acme", MailboxReader::appliedSeq)).isZero();
  }

  @Test
  void a_database_without_its_tables_is_damage() throws Exception {
    fill(3);
    databases.close();
    String _ = sqlite3Writing("DROP VIEW recent; DROP TABLE state");
    open();
    assertKind(Kind.DAMAGED, () -> databases.read("acme", TenantReader::state));
  }

  @Test
  void a_newer_schema_is_refused_and_not_changed() throws Exception {
    fill(3);
    databases.close();
    String _ = sqlite3Writing("UPDATE state SET schema_version = 99");
    open();
    assertKind(Kind.NEWER, () -> databases.read("acme", TenantReader::state));
    assertKind(Kind.NEWER, () -> databases.write("acme", Rows::one));
    assertThat(sqlite3(canonical(), "SELECT schema_version FROM state")).isEqualTo("99");
  }

  private String sqlite3Writing(String sql) throws Exception {
    return run("sqlite3", canonical().toString(), sql);
  }

  private static String sqlite3(Path file, String sql) throws Exception {
    return run("sqlite3", "-readonly", file.toString(), sql);
  }

  private static String run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8).strip();
    assertThat(process.waitFor()).as(output).isZero();
    return output;
  }

  @Test
  void a_deleted_file_is_never_written_to() throws Exception {
    fill(3);
    assertThat(count()).isEqualTo(3);
    Files.delete(canonical());
    assertKind(Kind.DAMAGED, this::count);
    fill(2);
    databases.close();
    open();
    assertThat(count()).isEqualTo(2);
  }

  @Test
  void a_file_deleted_during_a_transaction_is_damage() throws Exception {
    fill(3);
    assertKind(
        Kind.DAMAGED,
        () ->
            databases.write(
                "acme",
                writer -> {
                  append(writer, 1);
                  try {
                    Files.delete(canonical());
                  } catch (IOException failed) {
                    throw new IllegalStateException(failed);
                  }
                  return "";
                }));
    assertKind(Kind.DAMAGED, this::count);
  }

  @Test
  void a_deleted_log_of_an_open_database_loses_nothing() throws Exception {
    fill(3);
    Files.delete(file("canonical.db-wal"));
    fill(1);
    assertThat(count()).isEqualTo(4);
    databases.close();
    open();
    assertThat(count()).isEqualTo(4);
    assertThat(sqlite3(canonical(), "PRAGMA integrity_check")).isEqualTo("ok");
  }

  @Test
  void a_read_only_disk_is_unavailable() throws Exception {
    try (SmallDisk disk = SmallDisk.mountOrSkip(directory.resolve("disk"), "8m");
        TenantDatabases small = new TenantDatabases(directory.resolve("disk/tenants"), 64)) {
      String _ = small.write("acme", Rows::one);
      small.close();
      disk.remountReadOnly();
      try (TenantDatabases readOnly = new TenantDatabases(directory.resolve("disk/tenants"), 64)) {
        assertKind(Kind.UNAVAILABLE, () -> readOnly.write("acme", Rows::one));
        assertKind(Kind.UNAVAILABLE, () -> readOnly.write("other", Rows::one));
      }
    }
  }

  @Test
  void a_full_disk_is_unavailable_and_works_again_when_there_is_room() throws Exception {
    try (SmallDisk disk = SmallDisk.mountOrSkip(directory.resolve("disk"), "8m");
        TenantDatabases small = new TenantDatabases(directory.resolve("disk/tenants"), 64)) {
      String _ = small.write("acme", Rows::one);
      Path filling = disk.fill();
      assertKind(
          Kind.UNAVAILABLE,
          () ->
              small.write(
                  "acme",
                  writer -> {
                    append(writer, 1_000);
                    return "";
                  }));
      Files.delete(filling);
      String _ = small.write("acme", Rows::one);
      assertThat(small.<Long>read("acme", reader -> reader.state().seq())).isEqualTo(2);
    }
  }

  @Test
  void a_killed_writer_leaves_whole_transactions() throws Exception {
    Process child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-preview",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Writer.class.getName(),
                directory.resolve("tenants").toString())
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("child.log").toFile())
            .start();
    try {
      Awaitility.await()
          .atMost(60, TimeUnit.SECONDS)
          .until(() -> Files.exists(file("canonical.db-wal")) && acknowledged() >= 50);
    } finally {
      Process _ = child.destroyForcibly();
    }
    assertThat(child.waitFor()).isEqualTo(137);

    long acknowledged = acknowledged();
    String _ =
        databases.read(
            "acme",
            reader -> {
              long seq = reader.state().seq();
              assertThat(seq).isGreaterThanOrEqualTo(acknowledged).matches(n -> n % 10 == 0);
              assertThat(all(reader)).hasSize((int) seq);
              assertThat(reader.intervals(Rows.SOURCE)).containsExactly(new Interval(1, seq));
              assertThat(reader.applied(List.of(Rows.key(seq), Rows.key(seq + 1)))).hasSize(1);
              return "";
            });
    fill(1);
  }

  private long acknowledged() throws IOException {
    try (Stream<String> lines = Files.lines(directory.resolve("child.log"))) {
      return lines.filter(line -> line.endsWith(".")).count() * 10;
    }
  }

  /// Writes ten records a transaction, until it is killed, and prints a line after each commit.
  public static final class Writer {
    private Writer() {}

    public static void main(String[] args) throws Exception {
      try (TenantDatabases databases = new TenantDatabases(Path.of(args[0]), 64)) {
        while (true) {
          String _ =
              databases.write(
                  "acme",
                  writer -> {
                    append(writer, 10);
                    return "";
                  });
          System.out.println("committed.");
          System.out.flush();
        }
      }
    }
  }
}
