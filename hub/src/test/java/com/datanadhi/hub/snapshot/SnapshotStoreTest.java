package com.datanadhi.hub.snapshot;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.hub.objects.FolderStore;
import com.datanadhi.hub.record.Digests;
import java.io.RandomAccessFile;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Listing, downloading and verifying, also of what somebody has changed.
class SnapshotStoreTest {
  private static final String SOURCE = "6f1f7a0c52e94c7c9d1f0c3a5b7e9d21";

  @TempDir Path directory;
  private Path root;
  private Tenants tenants;
  private FolderStore objects;
  private SnapshotStore store;
  private SnapshotVerifier verifier;
  private Snapshotter snapshotter;
  private Snapshot first;
  private Snapshot second;
  private Snapshot foreign;
  private final TestClock clock = new TestClock("2024-01-15T00:00:00Z");

  @BeforeEach
  void open() throws Exception {
    root = directory.resolve("objects");
    tenants = new Tenants(directory.resolve("tenants"));
    objects = new FolderStore(root);
    store = new SnapshotStore(objects);
    Path scratch = Files.createDirectory(directory.resolve("scratch"));
    verifier = new SnapshotVerifier(store, scratch, clock);
    snapshotter =
        new Snapshotter(
            tenants.databases,
            store,
            directory.resolve("snapshot-scratch"),
            "1.2.3",
            _ -> -1,
            clock);
    tenants.append("acme", 10);
    first = snapshotter.take("acme");
    tenants.append("acme", 10);
    clock.pass(Duration.ofHours(1));
    second = snapshotter.take("acme");
    tenants.append("beta", 20);
    foreign = snapshotter.take("beta");
    clock.set(Instant.ofEpochMilli(System.currentTimeMillis()).toString());
  }

  @AfterEach
  void close() {
    tenants.close();
  }

  private Path file(String key) {
    return root.resolve(key);
  }

  private void replace(String key, byte[] content) throws Exception {
    Files.deleteIfExists(file(key));
    boolean _ = objects.create(key, content);
  }

  private Path editable(String key) throws Exception {
    Files.setPosixFilePermissions(file(key), PosixFilePermissions.fromString("rw-------"));
    return file(key);
  }

  /// A manifest of `snapshot` that fits the files as they are now.
  private void fitManifest(Snapshot snapshot, Manifest manifest) throws Exception {
    Map<String, FileDigest> files = new TreeMap<>();
    for (String name : manifest.files().keySet()) {
      byte[] content = Files.readAllBytes(file(snapshot.key(name)));
      files.put(
          name, new FileDigest(content.length, Digests.hex(Digests.sha256().digest(content))));
    }
    Manifest fitting =
        new Manifest(
            manifest.tenant(),
            manifest.timestamp(),
            manifest.stream(),
            manifest.epoch(),
            manifest.offset(),
            manifest.seq(),
            manifest.chain(),
            manifest.lastReceivedAt(),
            manifest.schemaFingerprint(),
            manifest.programVersion(),
            new TreeMap<>(files));
    replace(snapshot.key(Manifest.NAME), ManifestJson.encode(fitting));
  }

  /// One fault at least, all of which begin with `key`, and the first says `what`; a download says
  /// the same, and leaves nothing.
  private void assertFound(Snapshot snapshot, String key, String what) throws Exception {
    SnapshotVerifier.Verified verified = verifier.verify("acme");
    assertThat(verified.faults()).isNotEmpty().allMatch(fault -> fault.startsWith(key + ": "));
    assertThat(verified.faults().getFirst()).contains(what);
    assertThat(verified.sound()).isNotEmpty().doesNotContain(snapshot);
    Snapshot now = store.find("acme", snapshot.id());
    if (now != null) {
      Path target = Files.createTempDirectory(directory, "download");
      assertThatThrownBy(() -> store.download(now, target))
          .isInstanceOf(InvalidSnapshotException.class)
          .hasMessageContaining(what)
          .hasMessageStartingWith(key + ": ");
      try (Stream<Path> left = Files.list(target)) {
        assertThat(left).isEmpty();
      }
    }
  }

  @Test
  void sound_snapshots_have_no_faults() throws Exception {
    SnapshotVerifier.Verified verified = verifier.verify("acme");
    assertThat(verified.faults()).isEmpty();
    assertThat(verified.sound()).containsExactly(first, second);
    assertThat(verified.unfinished()).isEmpty();
    assertThat(verifier.verify("nobody").sound()).isEmpty();
    try (Stream<Path> left = Files.list(directory.resolve("scratch"))) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void a_missing_database_is_found() throws Exception {
    objects.delete(first.key("canonical.db"));
    assertFound(first, first.key("canonical.db"), "is missing");
  }

  @Test
  void a_missing_mailbox_is_found() throws Exception {
    objects.delete(second.key("mailbox.db"));
    assertFound(second, second.key("mailbox.db"), "is missing");
  }

  @Test
  void a_database_that_was_cut_is_found() throws Exception {
    byte[] content = Files.readAllBytes(file(first.key("canonical.db")));
    replace(first.key("canonical.db"), Arrays.copyOf(content, content.length - 4096));
    assertFound(first, first.key("canonical.db"), "bytes, and its manifest says");
  }

  @Test
  void a_database_with_more_bytes_is_found() throws Exception {
    byte[] content = Files.readAllBytes(file(first.key("mailbox.db")));
    replace(first.key("mailbox.db"), Arrays.copyOf(content, content.length + 1));
    assertFound(first, first.key("mailbox.db"), "has more than");
  }

  @Test
  void a_changed_bit_is_found() throws Exception {
    try (RandomAccessFile file =
        new RandomAccessFile(editable(first.key("canonical.db")).toFile(), "rw")) {
      file.seek(file.length() - 1);
      int last = file.read();
      file.seek(file.length() - 1);
      file.write(last ^ 1);
    }
    assertFound(first, first.key("canonical.db"), "has the SHA-256");
  }

  @Test
  void an_older_version_in_place_of_a_newer_one_is_found() throws Exception {
    replace(second.key("canonical.db"), Files.readAllBytes(file(first.key("canonical.db"))));
    fitManifest(second, second.manifest());
    assertFound(second, second.key("canonical.db"), "has the offset 9, and its manifest says 19");
  }

  @Test
  void a_foreign_tenants_database_is_found() throws Exception {
    replace(second.key("canonical.db"), Files.readAllBytes(file(foreign.key("canonical.db"))));
    fitManifest(second, second.manifest());
    assertFound(second, second.key("canonical.db"), "has the tenant beta");
  }

  @Test
  void a_foreign_tenants_mailbox_is_found() throws Exception {
    replace(second.key("mailbox.db"), Files.readAllBytes(file(foreign.key("mailbox.db"))));
    fitManifest(second, second.manifest());
    assertFound(second, second.key("mailbox.db"), "has the tenant beta");
  }

  @Test
  void a_newer_mailbox_is_found() throws Exception {
    replace(first.key("mailbox.db"), Files.readAllBytes(file(second.key("mailbox.db"))));
    fitManifest(first, first.manifest());
    assertFound(first, first.key("mailbox.db"), "has items up to the seq 20");
  }

  @Test
  void a_foreign_tenants_snapshot_is_found() throws Exception {
    Path folder = file("snapshots/acme/" + second.id());
    for (String name : List.of("canonical.db", "mailbox.db", "manifest.json")) {
      Files.delete(folder.resolve(name));
      Files.copy(file(foreign.key(name)), folder.resolve(name));
    }
    assertThat(verifier.verify("acme").faults())
        .containsExactly(second.key(Manifest.NAME) + ": belongs to the tenant beta");
    assertThatThrownBy(() -> store.find("acme", second.id()))
        .isInstanceOf(InvalidManifestException.class);
    assertThat(store.newest("acme")).isEqualTo(first);
  }

  @Test
  void a_snapshot_under_another_name_is_found() throws Exception {
    Files.move(
        file("snapshots/acme/" + second.id()), file("snapshots/acme/snap_2030-01-01T00:00:00Z"));
    assertThat(verifier.verify("acme").faults())
        .singleElement()
        .asString()
        .startsWith("snapshots/acme/snap_2030-01-01T00:00:00Z/manifest.json: ")
        .contains("is not that of its folder");
  }

  @Test
  void an_edited_row_with_digests_that_fit_is_found_by_sqlite_if_the_page_is_not_sound()
      throws Exception {
    try (RandomAccessFile file =
        new RandomAccessFile(editable(first.key("canonical.db")).toFile(), "rw")) {
      file.seek(4096);
      file.write(new byte[] {13, 0, 0, 127, 127, 127, 127});
    }
    fitManifest(first, first.manifest());
    assertFound(first, first.key("canonical.db"), "canonical.db: ");
  }

  @Test
  void an_edited_record_with_all_digests_that_fit_is_found_by_the_chain() throws Exception {
    Tenants.change(
        editable(first.key("canonical.db")),
        "UPDATE events SET pipelines = '[\"other\"]' WHERE seq = 3");
    fitManifest(first, first.manifest());
    assertFound(first, first.key("canonical.db"), "is not the one that was stored");
  }

  @Test
  void edited_content_and_missing_records_are_found() throws Exception {
    Tenants.change(
        editable(first.key("canonical.db")), "UPDATE events SET log_data = '9' WHERE seq = 3");
    Tenants.change(editable(first.key("canonical.db")), "DELETE FROM events WHERE seq > 8");
    fitManifest(first, first.manifest());
    assertFound(first, first.key("canonical.db"), "seq 3: log_data was changed");
    assertThat(verifier.verify("acme").faults())
        .anyMatch(fault -> fault.contains("the records from seq 9 to 10 are missing"));
  }

  @Test
  void a_state_that_does_not_fit_the_manifest_is_found() throws Exception {
    Tenants.change(editable(first.key("canonical.db")), "UPDATE state SET chain = 'ab'");
    fitManifest(first, first.manifest());
    assertFound(first, first.key("canonical.db"), "has the chain ab, and its manifest says");
  }

  @Test
  void another_schema_is_found() throws Exception {
    Tenants.change(
        editable(first.key("canonical.db")),
        "CREATE TRIGGER t AFTER INSERT ON events BEGIN DELETE FROM sources; END");
    fitManifest(first, first.manifest());
    assertFound(first, first.key("canonical.db"), "has the schema fingerprint");
  }

  /// Changes a database of the second snapshot, makes the digests fit, and expects to be told.
  private void assertForgeryIsFound(String name, String what, String... sql) throws Exception {
    for (String change : sql) {
      Tenants.change(editable(second.key(name)), change);
    }
    fitManifest(second, second.manifest());
    assertThat(verifier.verify("acme").faults()).hasSize(1);
    assertFound(second, second.key(name), what);
  }

  @Test
  void a_forged_key_is_found() throws Exception {
    assertForgeryIsFound(
        "canonical.db",
        "has 21 keys, and its records have 20",
        "INSERT INTO applied_events SELECT tenant_id, 'forged', result_json, applied_at FROM"
            + " applied_events LIMIT 1");
  }

  @Test
  void a_forged_key_of_another_tenant_or_without_a_seq_is_found() throws Exception {
    assertForgeryIsFound(
        "canonical.db",
        "has 22 keys, and its records have 20",
        "INSERT INTO applied_events SELECT 'other', idempotency_key, result_json, applied_at FROM"
            + " applied_events LIMIT 1",
        "INSERT INTO applied_events SELECT tenant_id, 'forged', '{}', applied_at FROM"
            + " applied_events LIMIT 1");
  }

  @Test
  void a_missing_key_is_found() throws Exception {
    assertForgeryIsFound(
        "canonical.db",
        "the key of seq 7 is missing",
        "DELETE FROM applied_events WHERE idempotency_key = 'key-6'");
  }

  @Test
  void a_key_with_another_receipt_is_found() throws Exception {
    assertForgeryIsFound(
        "canonical.db",
        "the key of seq 7 is not what its records say",
        "UPDATE applied_events SET result_json = json_set(result_json, '$.sha256', '"
            + "ab".repeat(32)
            + "') WHERE idempotency_key = 'key-6'");
  }

  @Test
  void a_key_that_names_a_later_record_is_found() throws Exception {
    assertForgeryIsFound(
        "canonical.db",
        "has 20 keys, and its records have 19",
        "UPDATE applied_events SET result_json = json_set(result_json, '$.seq', 9) WHERE"
            + " idempotency_key = 'key-6'");
  }

  @Test
  void forgotten_keys_need_not_be_there() throws Exception {
    Tenants.change(
        editable(second.key("canonical.db")),
        "UPDATE state SET keys_forgotten_before = " + (Tenants.TIME + 10));
    Tenants.change(
        editable(second.key("canonical.db")),
        "DELETE FROM applied_events WHERE idempotency_key IN ('key-0', 'key-5')");
    fitManifest(second, second.manifest());
    assertThat(verifier.verify("acme").faults()).isEmpty();
  }

  @Test
  void a_forged_source_is_found() throws Exception {
    assertForgeryIsFound(
        "canonical.db",
        "the numbers of the source " + SOURCE + " are not those of its records",
        "INSERT INTO sources VALUES ('" + SOURCE + "', 1, 9, 0)");
  }

  @Test
  void changed_numbers_of_a_source_are_found() throws Exception {
    tenants.appendOf("acme", SOURCE, 5, 6, 9);
    clock.pass(Duration.ofHours(1));
    second = snapshotter.take("acme");
    assertThat(verifier.verify("acme").faults()).isEmpty();
    objects.delete(second.key("manifest.json"));
    Path canonical = editable(second.key("canonical.db"));
    byte[] sound = Files.readAllBytes(canonical);
    for (String change :
        List.of(
            "UPDATE sources SET last = 7 WHERE first = 5",
            "UPDATE sources SET first = 4 WHERE first = 5",
            "UPDATE sources SET first = 6 WHERE first = 5",
            "DELETE FROM sources WHERE first = 9",
            "INSERT INTO sources VALUES ('" + SOURCE + "', 6, 8, 0)",
            "UPDATE sources SET last_received_at = 1 WHERE first = 9",
            "DELETE FROM sources")) {
      Files.write(canonical, sound);
      Tenants.change(canonical, change);
      fitManifest(second, second.manifest());
      assertThat(verifier.verify("acme").faults())
          .as(change)
          .isNotEmpty()
          .allMatch(fault -> fault.startsWith(second.key("canonical.db")))
          .allMatch(fault -> fault.contains(SOURCE));
    }
  }

  @Test
  void forged_items_are_found() throws Exception {
    Path mailbox = editable(second.key("mailbox.db"));
    byte[] sound = Files.readAllBytes(mailbox);
    for (String change :
        List.of(
            "INSERT INTO items VALUES ('p', 21, 1)",
            "INSERT INTO items VALUES ('new', 1, 1)",
            "INSERT INTO pipelines VALUES ('new', 1)",
            "DELETE FROM items WHERE pipeline = 'p' AND n = 3",
            "UPDATE items SET seq = 9 WHERE pipeline = 'p' AND n = 3",
            "UPDATE items SET n = 99 WHERE pipeline = 'p' AND n = 20",
            "UPDATE pipelines SET last_n = 25 WHERE pipeline = 'p'")) {
      Files.write(mailbox, sound);
      Tenants.change(mailbox, change);
      fitManifest(second, second.manifest());
      assertThat(verifier.verify("acme").faults())
          .as(change)
          .singleElement()
          .asString()
          .startsWith(second.key("mailbox.db") + ": tenant acme: the items of the pipeline '")
          .endsWith("' are not those of its records");
    }
  }

  @Test
  void items_that_left_with_no_record_are_found() throws Exception {
    assertForgeryIsFound(
        "canonical.db",
        "has items that left with records, and no record has left",
        "INSERT INTO items_left VALUES ('other', 3)");
  }

  @Test
  void a_transaction_whose_parts_have_several_positions_is_found() throws Exception {
    tenants.appendTransaction("acme", "order", 3);
    clock.pass(Duration.ofHours(1));
    second = snapshotter.take("acme");
    assertThat(verifier.verify("acme").faults()).isEmpty();
    assertForgeryIsFound(
        "canonical.db",
        "the transaction with seq 22 is torn",
        "UPDATE events SET position = '0192f0c1/events-0:3' WHERE seq = 22");
  }

  @Test
  void a_snapshot_of_a_database_that_records_have_left_is_sound() throws Exception {
    tenants.appendOf("acme", SOURCE, 5, 6, 9);
    tenants.leave("acme", 22);
    clock.pass(Duration.ofHours(1));
    second = snapshotter.take("acme");
    assertThat(verifier.verify("acme").faults()).isEmpty();
    assertForgeryIsFound(
        "canonical.db", "the number of seq 23", "DELETE FROM sources WHERE first = 9");
  }

  @Test
  void a_manifest_that_is_not_json_or_too_large_is_found_and_the_others_are_listed()
      throws Exception {
    replace(first.key(Manifest.NAME), "{".getBytes(UTF_8));
    replace(second.key(Manifest.NAME), new byte[ManifestJson.MAX_BYTES + 1]);
    SnapshotList list = store.list("acme");
    assertThat(list.faults()).hasSize(2);
    assertThat(list.faults().getFirst()).startsWith(first.key(Manifest.NAME) + ": is not JSON");
    assertThat(list.faults().getLast()).isEqualTo(second.key(Manifest.NAME) + ": has 65537 bytes");
    assertThat(list.finished()).isEmpty();
    assertThat(verifier.verify("acme").faults()).isEqualTo(list.faults());
  }

  @Test
  void objects_that_no_snapshot_has_are_found() throws Exception {
    List<String> keys =
        List.of(
            "snapshots/acme/notes.txt",
            "snapshots/acme/snap_2024-01-15T00:00:00Z/canonical.db-wal",
            "snapshots/acme/snap_2024-01-15T00:00:00Z/a/canonical.db",
            "snapshots/acme/snap_2024-01-15T00:00:00.5Z/canonical.db",
            "snapshots/acme/snap_yesterday/manifest.json");
    for (String key : keys) {
      boolean _ = objects.create(key, new byte[] {1});
    }
    SnapshotVerifier.Verified verified = verifier.verify("acme");
    assertThat(verified.faults())
        .containsExactlyInAnyOrderElementsOf(
            keys.stream().map(key -> key + ": no snapshot has such an object").toList());
    assertThat(verified.sound()).containsExactly(first, second);
  }

  @Test
  void a_file_that_the_manifest_does_not_name_is_found() throws Exception {
    Manifest without =
        new Manifest(
            "acme",
            first.manifest().timestamp(),
            first.manifest().stream(),
            first.manifest().epoch(),
            first.manifest().offset(),
            first.manifest().seq(),
            first.manifest().chain(),
            first.manifest().lastReceivedAt(),
            first.manifest().schemaFingerprint(),
            first.manifest().programVersion(),
            new TreeMap<>(
                Map.of("canonical.db", first.manifest().files().get(Manifest.CANONICAL))));
    replace(first.key(Manifest.NAME), ManifestJson.encode(without));
    assertThat(verifier.verify("acme").faults())
        .containsExactly(first.key("mailbox.db") + ": no snapshot has such an object");
  }

  @Test
  void a_missing_manifest_is_told_as_unfinished_and_is_a_fault_after_a_day() throws Exception {
    objects.delete(first.key(Manifest.NAME));
    SnapshotVerifier.Verified young = verifier.verify("acme");
    assertThat(young.faults()).isEmpty();
    assertThat(young.unfinished()).containsExactly("snapshots/acme/" + first.id() + "/");

    for (String name : first.manifest().files().keySet()) {
      Files.setLastModifiedTime(
          file(first.key(name)), FileTime.fromMillis(clock.wallMillis() - 86_401_000));
    }
    assertThat(verifier.verify("acme").faults())
        .singleElement()
        .asString()
        .startsWith(first.key(Manifest.NAME) + ": is missing");
  }

  @Test
  void more_than_a_thousand_snapshots_come_in_order_of_seq_not_of_name() throws Exception {
    int count = 1_050;
    List<Long> seqs = new ArrayList<>();
    Instant time = Instant.parse("2025-01-01T00:00:00Z");
    for (int i = 0; i < count; i++) {
      long seq = i * 7L % count;
      Manifest manifest =
          new Manifest(
              "many",
              time.plusSeconds(i),
              "events-0",
              Tenants.EPOCH.toString(),
              seq,
              seq,
              "ab".repeat(32),
              1,
              "sha256:" + "cd".repeat(32),
              "1",
              new TreeMap<>(Map.of("canonical.db", new FileDigest(1, "ab".repeat(32)))));
      String id = SnapshotKeys.id(manifest.timestamp());
      Path folder = Files.createDirectories(file(SnapshotKeys.folder("many", id)));
      Files.write(folder.resolve(Manifest.NAME), ManifestJson.encode(manifest));
      Files.write(folder.resolve(Manifest.CANONICAL), new byte[] {1});
      seqs.add(seq);
    }
    seqs.sort(null);
    SnapshotList list = store.list("many");
    assertThat(list.finished().stream().map(s -> s.manifest().seq())).isEqualTo(seqs);
    Snapshot newest = store.newest("many");
    assertThat(newest).isEqualTo(list.finished().getLast());
    assertThat(store.tenants()).containsExactly("acme", "beta", "many");
  }

  @Test
  void folders_of_no_tenant_are_found() throws Exception {
    assertThat(store.unknownFolders()).isEmpty();
    boolean _ = objects.create("snapshots/Acme/a/canonical.db", new byte[] {1});
    assertThat(store.unknownFolders())
        .containsExactly("snapshots/Acme/: no tenant has such a name");
    assertThat(store.tenants()).containsExactly("acme", "beta");
  }

  @Test
  void an_unknown_id_finds_nothing() throws Exception {
    assertThat(store.find("acme", "snap_2024-01-15T00:00:09Z")).isNull();
    assertThat(store.find("acme", "../beta")).isNull();
    assertThatThrownBy(() -> store.list("../beta")).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void a_download_does_not_overwrite() throws Exception {
    Path target = Files.createDirectory(directory.resolve("target"));
    Files.writeString(target.resolve("canonical.db"), "mine");
    assertThatThrownBy(() -> store.download(first, target))
        .isInstanceOf(FileAlreadyExistsException.class);
    assertThat(target.resolve("canonical.db")).hasContent("mine");
  }
}
