package com.datanadhi.hub.snapshot;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.hub.apply.HistoryCheck;
import com.datanadhi.hub.control.ControlStore;
import com.datanadhi.hub.control.NewApiKey;
import com.datanadhi.hub.log.segments.SegmentLog;
import com.datanadhi.hub.log.segments.SegmentSettings;
import com.datanadhi.hub.objects.FolderStore;
import com.datanadhi.hub.record.Digests;
import com.datanadhi.hub.record.TenantName;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.view.EventFilter;
import com.datanadhi.hub.view.StoredEvent;
import com.datanadhi.hub.view.TenantDatabases;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Snapshots of `_control`: of cursors only the newest is kept, and what is left still proves
/// itself.
class ControlSnapshotTest {
  @TempDir private Path directory;
  private SegmentLog log;
  private TenantDatabases databases;
  private ControlStore control;
  private SnapshotStore store;
  private Path restored;
  private NewApiKey revoked;

  @BeforeEach
  void open() throws Exception {
    log = SegmentLog.open(directory.resolve("log"), SegmentSettings.defaults(), Clock.system());
    databases = new TenantDatabases(directory.resolve("tenants"), 64);
    control = new ControlStore(log, databases, Clock.system(), Duration.ofDays(30).toMillis());
    control.start();
    store = new SnapshotStore(new FolderStore(directory.resolve("objects")));
    restored = Files.createDirectory(directory.resolve("restored"));
    revoked = control.createKey("acme", "lost laptop");
    for (int through = 1; through <= 20; through++) {
      control.move("acme", "orders", "billing", through);
      control.move("acme", "orders", "mail", 100 + through);
    }
    var _ = control.revokeKey(revoked.id());
    control.move("acme", "refunds", "billing", 1);
  }

  @AfterEach
  void close() throws Exception {
    databases.close();
    log.close();
  }

  private Snapshot take(long archivedSeq) throws Exception {
    return new Snapshotter(
            databases, store, directory.resolve("scratch"), "1", _ -> archivedSeq, Clock.system())
        .take(TenantName.CONTROL);
  }

  private List<String> faults() throws Exception {
    Path scratch = Files.createTempDirectory(directory, "verify");
    return new SnapshotVerifier(store, scratch, Clock.system()).verify(TenantName.CONTROL).faults();
  }

  private TenantDatabases download(Snapshot snapshot) throws Exception {
    TenantDatabases copy = new TenantDatabases(restored, 16);
    Path place = Files.createDirectories(copy.directory(TenantName.CONTROL));
    store.download(snapshot, place);
    return copy;
  }

  private static List<StoredEvent> rows(TenantDatabases of) throws Exception {
    return of.read(
        TenantName.CONTROL,
        reader -> {
          List<StoredEvent> rows = new ArrayList<>();
          reader.events(new EventFilter(1, 1_000, null, null, null), rows::add);
          return rows;
        });
  }

  private static boolean isMove(StoredEvent row) {
    return new String(row.logData(), UTF_8).contains("cursor_moved");
  }

  @Test
  void of_a_cursor_only_the_newest_move_is_kept_and_the_chain_is_proven() throws Exception {
    Snapshot snapshot = take(Long.MAX_VALUE);
    assertThat(faults()).isEmpty();
    try (TenantDatabases copy = download(snapshot)) {
      List<StoredEvent> rows = rows(copy);
      assertThat(rows).hasSize(43);
      assertThat(rows.stream().filter(ControlSnapshotTest::isMove).map(StoredEvent::seq))
          .containsExactly(40L, 41L, 43L);
      assertThat(rows.stream().filter(StoredEvent::hasContent)).hasSize(5);
      assertThat(new HistoryCheck(copy).check(TenantName.CONTROL).faults()).isEmpty();
      assertThat(copy.<String>read(TenantName.CONTROL, reader -> reader.state().chain()))
          .isEqualTo(databases.<String>read(TenantName.CONTROL, reader -> reader.state().chain()));
      assertThat(copy.<Object>read(TenantName.CONTROL, reader -> reader.control().cursors("acme")))
          .isEqualTo(
              databases.<Object>read(
                  TenantName.CONTROL, reader -> reader.control().cursors("acme")));
    }
    assertThat(rows(databases)).allMatch(StoredEvent::hasContent);
  }

  @Test
  void a_snapshot_does_not_grow_by_the_content_of_moves() throws Exception {
    for (int through = 21; through <= 1_000; through++) {
      control.move("acme", "orders", "billing", through);
    }
    long all = take(-1).bytes();
    long newest = take(Long.MAX_VALUE).bytes();
    assertThat(newest).isLessThan(all / 2);
  }

  @Test
  void what_is_not_archived_stays_whole() throws Exception {
    try (TenantDatabases copy = download(take(10))) {
      assertThat(rows(copy).stream().filter(row -> !row.hasContent()).map(StoredEvent::seq))
          .containsExactly(2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L, 10L);
    }
  }

  @Test
  void a_snapshot_of_a_restored_directory_is_sound_too() throws Exception {
    Snapshot snapshot = take(Long.MAX_VALUE);
    try (TenantDatabases copy = download(snapshot)) {
      SnapshotStore other = new SnapshotStore(new FolderStore(directory.resolve("other")));
      Snapshot again =
          new Snapshotter(copy, other, directory.resolve("scratch"), "1", _ -> 20, Clock.system())
              .take(TenantName.CONTROL);
      Path scratch = Files.createTempDirectory(directory, "verify");
      SnapshotVerifier.Verified verified =
          new SnapshotVerifier(other, scratch, Clock.system()).verify(TenantName.CONTROL);
      assertThat(verified.faults()).isEmpty();
      assertThat(again.manifest().chain()).isEqualTo(snapshot.manifest().chain());
    }
  }

  private void forge(Snapshot snapshot, String... sql) throws Exception {
    Path file = directory.resolve("objects/" + snapshot.key(Manifest.CANONICAL));
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    for (String change : sql) {
      Tenants.change(file, change);
    }
    Manifest old = snapshot.manifest();
    byte[] content = Files.readAllBytes(file);
    TreeMap<String, FileDigest> files = new TreeMap<>(old.files());
    files.put(
        Manifest.CANONICAL,
        new FileDigest(content.length, Digests.hex(Digests.sha256().digest(content))));
    Manifest fitting =
        new Manifest(
            old.tenant(),
            old.timestamp(),
            old.stream(),
            old.epoch(),
            old.offset(),
            old.seq(),
            old.chain(),
            old.lastReceivedAt(),
            old.schemaFingerprint(),
            old.programVersion(),
            files);
    FolderStore objects = new FolderStore(directory.resolve("objects"));
    objects.delete(snapshot.key(Manifest.NAME));
    boolean _ = objects.create(snapshot.key(Manifest.NAME), ManifestJson.encode(fitting));
  }

  @Test
  void a_revocation_whose_content_was_taken_away_is_found() throws Exception {
    forge(
        take(Long.MAX_VALUE),
        "UPDATE events SET log_data = '' WHERE log_data LIKE '%api_key_revoked%'",
        "UPDATE api_keys SET revoked_at = NULL");
    assertThat(faults()).anyMatch(fault -> fault.contains("seq 42: log_data was changed"));
  }

  @Test
  void the_newest_move_of_a_cursor_has_to_be_there() throws Exception {
    forge(
        take(Long.MAX_VALUE),
        "UPDATE events SET log_data = '' WHERE seq = 41",
        "DELETE FROM cursors WHERE consumer = 'mail'");
    assertThat(faults())
        .anyMatch(fault -> fault.contains("seq 41: log_data is missing, and no later record"));
  }

  @Test
  void another_digest_in_place_of_content_is_found() throws Exception {
    forge(
        take(Long.MAX_VALUE), "UPDATE events SET sha256 = '" + "ab".repeat(32) + "' WHERE seq = 5");
    assertThat(faults()).anyMatch(fault -> fault.contains("a record was changed"));
  }

  @Test
  void forged_tables_are_found() throws Exception {
    for (String change :
        List.of(
            "UPDATE api_keys SET revoked_at = NULL",
            "UPDATE api_keys SET sha256 = '" + "ab".repeat(32) + "'",
            "INSERT INTO api_keys VALUES ('x', 'acme', NULL, '" + "ab".repeat(32) + "', 1, NULL)",
            "DELETE FROM api_keys",
            "INSERT INTO skips VALUES ('events-0', 7, 'forged', 1)",
            "INSERT INTO losses VALUES ('events-0', 7, 9, 'forged')",
            "UPDATE cursors SET through = 999 WHERE consumer = 'mail'",
            "INSERT INTO cursors VALUES ('acme', 'orders', 'new', 3, 1, 1)",
            "DELETE FROM cursors WHERE consumer = 'mail'")) {
      Snapshot snapshot = take(Long.MAX_VALUE);
      forge(snapshot, change);
      assertThat(faults())
          .as(change)
          .singleElement()
          .asString()
          .startsWith(snapshot.key(Manifest.CANONICAL) + ": tenant _control: ");
      new FolderStore(directory.resolve("objects")).delete(snapshot.key(Manifest.NAME));
    }
  }

  @Test
  void a_cursor_that_a_restore_has_set_back_is_no_fault() throws Exception {
    forge(take(Long.MAX_VALUE), "UPDATE cursors SET through = 3 WHERE consumer = 'mail'");
    assertThat(faults()).isEmpty();
  }
}
