package com.datanadhi.hub.snapshot;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.hub.objects.FolderStore;
import com.datanadhi.hub.objects.ObjectStoreException;
import com.datanadhi.hub.view.DatabaseCopy;
import com.datanadhi.hub.view.ViewException;
import com.datanadhi.hub.view.ViewState;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SnapshotterTest {
  private static final String ID = "snap_2024-01-15T00:00:00Z";

  @TempDir Path directory;
  private Tenants tenants;
  private FailingStore objects;
  private SnapshotStore store;
  private Path scratch;
  private final TestClock clock = new TestClock("2024-01-15T00:00:00Z");

  @BeforeEach
  void open() {
    tenants = new Tenants(directory.resolve("tenants"));
    objects = new FailingStore(new FolderStore(directory.resolve("objects")));
    store = new SnapshotStore(objects);
    scratch = directory.resolve("snapshot-scratch");
  }

  @AfterEach
  void close() {
    tenants.close();
  }

  private Snapshotter snapshotter() throws Exception {
    return new Snapshotter(tenants.databases, store, scratch, "1.2.3", _ -> -1, clock);
  }

  private Path download(Snapshot snapshot) throws Exception {
    Path target = Files.createTempDirectory(directory, "download");
    store.download(snapshot, target);
    return target;
  }

  private List<String> scratchFiles() throws Exception {
    try (Stream<Path> files = Files.list(scratch)) {
      return files.map(file -> String.valueOf(file.getFileName())).sorted().toList();
    } catch (NoSuchFileException none) {
      return List.of();
    }
  }

  @Test
  void a_snapshot_has_what_was_there_and_comes_back_the_same() throws Exception {
    tenants.append("acme", 20);
    Snapshot taken = snapshotter().take("acme");
    ViewState state = tenants.state("acme");
    tenants.append("acme", 5);

    assertThat(taken.id()).isEqualTo(ID);
    Manifest manifest = taken.manifest();
    assertThat(manifest.seq()).isEqualTo(20);
    assertThat(manifest.offset()).isEqualTo(19);
    assertThat(manifest.epoch()).isEqualTo(Tenants.EPOCH.toString());
    assertThat(manifest.stream()).isEqualTo("events-0");
    assertThat(manifest.chain()).isEqualTo(state.chain());
    assertThat(manifest.lastReceivedAt()).isEqualTo(Tenants.TIME + 19);
    assertThat(manifest.programVersion()).isEqualTo("1.2.3");
    assertThat(manifest.files()).containsOnlyKeys("canonical.db", "mailbox.db");
    assertThat(store.find("acme", ID)).isEqualTo(taken);
    assertThat(store.newest("acme")).isEqualTo(taken);
    assertThat(store.tenants()).containsExactly("acme");
    assertThat(scratchFiles()).isEmpty();

    Path target = download(taken);
    assertThat(DatabaseCopy.canonical(target.resolve("canonical.db")).state()).isEqualTo(state);
    assertThat(DatabaseCopy.mailbox(target.resolve("mailbox.db")).appliedSeq()).isEqualTo(20);
    assertThat(Tenants.chainOfRows(target.resolve("canonical.db"), "acme"))
        .isEqualTo(state.chain());
    for (String name : manifest.files().keySet()) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(target.resolve(name))))
          .isEqualTo("rw-------");
    }
  }

  @Test
  void snapshots_that_are_taken_while_records_are_written_have_one_moment_each() throws Exception {
    tenants.append("acme", 1_000);
    AtomicBoolean isDone = new AtomicBoolean();
    Thread writer =
        Thread.ofPlatform()
            .start(() -> {
              try {
                while (!isDone.get()) {
                  tenants.append("acme", 7);
                }
              } catch (Exception failed) {
                throw new IllegalStateException(failed);
              }
            });
    List<Snapshot> taken = new ArrayList<>();
    try {
      Snapshotter snapshotter = snapshotter();
      for (int i = 0; i < 6; i++) {
        taken.add(snapshotter.take("acme"));
      }
    } finally {
      isDone.set(true);
      writer.join();
    }
    assertThat(taken.getLast().manifest().seq()).isGreaterThan(taken.getFirst().manifest().seq());
    for (Snapshot snapshot : taken) {
      Path target = download(snapshot);
      assertThat(Tenants.chainOfRows(target.resolve("canonical.db"), "acme"))
          .isEqualTo(snapshot.manifest().chain());
    }
    assertThat(store.list("acme").finished()).isEqualTo(taken);
  }

  @Test
  void snapshots_within_one_second_have_names_of_later_seconds() throws Exception {
    tenants.append("acme", 1);
    Snapshotter snapshotter = snapshotter();
    assertThat(snapshotter.take("acme").id()).isEqualTo(ID);
    Snapshot second = snapshotter.take("acme");
    assertThat(second.id()).isEqualTo("snap_2024-01-15T00:00:01Z");
    assertThat(second.manifest().timestamp()).isEqualTo("2024-01-15T00:00:01Z");
    clock.pass(Duration.ofSeconds(1));
    assertThat(snapshotter.take("acme").id()).isEqualTo("snap_2024-01-15T00:00:02Z");
    assertThat(store.list("acme").finished()).hasSize(3);
  }

  @Test
  void a_name_that_another_writer_takes_meanwhile_moves_on() throws Exception {
    tenants.append("acme", 1);
    FolderStore folder = new FolderStore(directory.resolve("objects"));
    String key = "snapshots/acme/" + ID + "/canonical.db";
    Snapshotter snapshotter =
        new Snapshotter(
            tenants.databases,
            new SnapshotStore(
                new FailingStore(folder) {
                  @Override
                  public boolean create(String name, Path content)
                      throws ObjectStoreException, InterruptedException {
                    if (name.equals(key)) {
                      boolean _ = folder.create(key, "of another".getBytes(UTF_8));
                    }
                    return super.create(name, content);
                  }
                }),
            scratch,
            "1.2.3",
            _ -> -1,
            clock);
    Snapshot taken = snapshotter.take("acme");
    assertThat(taken.id()).isEqualTo("snap_2024-01-15T00:00:01Z");
    assertThat(folder.read(key, 100)).isEqualTo("of another".getBytes(UTF_8));
    Path _ = download(taken);
  }

  @Test
  void a_store_that_gives_back_something_else_proves_nothing() throws Exception {
    tenants.append("acme", 1);
    FolderStore folder = new FolderStore(directory.resolve("objects"));
    Snapshotter snapshotter =
        new Snapshotter(
            tenants.databases,
            new SnapshotStore(
                new FailingStore(folder) {
                  @Override
                  public InputStream open(String key)
                      throws ObjectStoreException, InterruptedException {
                    byte[] content = folder.read(key, 1 << 20);
                    content[5_000] ^= 1;
                    return new ByteArrayInputStream(content);
                  }
                }),
            scratch,
            "1.2.3",
            _ -> -1,
            clock);
    assertThatThrownBy(() -> snapshotter.take("acme"))
        .isInstanceOf(InvalidSnapshotException.class)
        .hasMessage(
            "snapshots/acme/"
                + ID
                + "/canonical.db: the store gives back something else than was written");
    assertThat(store.newest("acme")).isNull();
    assertThat(scratchFiles()).isEmpty();
  }

  @Test
  void a_tenant_without_records_gets_a_snapshot_and_one_without_database_none() throws Exception {
    assertThatThrownBy(() -> snapshotter().take("acme"))
        .isInstanceOf(ViewException.class)
        .hasMessageContaining("does not exist");
    assertThat(scratchFiles()).isEmpty();

    ViewState state = tenants.create("acme");
    Snapshot taken = snapshotter().take("acme");
    assertThat(taken.manifest().seq()).isZero();
    assertThat(taken.manifest().epoch()).isNull();
    assertThat(taken.manifest().files()).containsOnlyKeys("canonical.db");
    Path target = download(taken);
    assertThat(DatabaseCopy.canonical(target.resolve("canonical.db")).state()).isEqualTo(state);
  }

  @Test
  void control_is_taken_like_a_tenant() throws Exception {
    ViewState state = tenants.create("_control");
    Snapshot taken = snapshotter().take("_control");
    assertThat(taken.manifest().stream()).isEqualTo("control");
    assertThat(store.find("_control", taken.id())).isEqualTo(taken);
    assertThat(store.tenants()).containsExactly("_control");
    assertThat(DatabaseCopy.canonical(download(taken).resolve("canonical.db")).state())
        .isEqualTo(state);
  }

  @Test
  void a_damaged_database_is_not_uploaded() throws Exception {
    tenants.append("acme", 2_000);
    tenants.close();
    Path file;
    try (Stream<Path> files = Files.walk(directory.resolve("tenants"))) {
      file = files.filter(f -> f.endsWith("canonical.db")).findFirst().orElseThrow();
    }
    // An index that lacks a row: VACUUM copies it as it is, and only SQLite's full check tells.
    Tenants.change(
        file,
        "PRAGMA writable_schema=ON;"
            + "UPDATE sqlite_schema SET sql = replace(sql, 'applied_at)', 'tenant_id)')"
            + " WHERE name = 'applied_events_by_time';");
    tenants = new Tenants(directory.resolve("tenants"));
    Snapshotter snapshotter = snapshotter();
    assertThatThrownBy(() -> snapshotter.take("acme"))
        .isInstanceOf(ViewException.class)
        .hasMessageContaining("applied_events_by_time");
    assertThat(objects.calls).noneMatch(call -> call.startsWith("create"));
    assertThat(scratchFiles()).isEmpty();
  }

  @Test
  void nothing_is_copied_while_the_store_is_down() throws Exception {
    tenants.append("acme", 1);
    objects.down(true);
    Snapshotter snapshotter = snapshotter();
    assertThatThrownBy(() -> snapshotter.take("acme")).isInstanceOf(ObjectStoreException.class);
    assertThat(scratch).doesNotExist();
  }

  @ParameterizedTest
  @EnumSource
  void an_attempt_goes_on_after_each_call_that_failed(FailingStore.When when) throws Exception {
    tenants.append("acme", 10);
    int failed = 0;
    boolean isFailing = true;
    for (int nth = 1; isFailing; nth++) {
      Snapshotter snapshotter = snapshotter();
      objects.fail("", nth, when);
      long seq = tenants.state("acme").seq();
      try {
        Snapshot _ = snapshotter.take("acme");
        isFailing = false;
        objects.failNoMore();
      } catch (ObjectStoreException expected) {
        failed++;
        assertThat(scratchFiles()).as("kept until its manifest is there").contains("canonical.db");
        tenants.append("acme", 1);
        Snapshot taken = snapshotter.takeOrContinue("acme");
        assertThat(taken.manifest().seq()).isEqualTo(seq);
        assertThat(taken.id()).as("call " + nth).endsWith(clock.time() + "Z");
        Path _ = download(taken);
      }
      assertThat(scratchFiles()).isEmpty();
      clock.pass(Duration.ofSeconds(1));
    }
    assertThat(failed)
        .as("2 files, each created and opened; a manifest, created and read")
        .isEqualTo(6);
    assertThat(store.list("acme").unfinished()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void a_process_that_ends_at_any_call_leaves_a_finished_snapshot_or_none(FailingStore.When when)
      throws Exception {
    tenants.append("acme", 10);
    int failed = 0;
    boolean isFailing = true;
    for (int nth = 0; isFailing; nth++) {
      int before = store.list("acme").finished().size();
      Snapshotter snapshotter = snapshotter();
      objects.fail("", nth, when);
      try {
        Snapshot _ = snapshotter.take("acme");
        isFailing = false;
        objects.failNoMore();
      } catch (ObjectStoreException expected) {
        failed++;
      }
      SnapshotList list = store.list("acme");
      assertThat(list.faults()).isEmpty();
      assertThat(list.others()).isEmpty();
      for (Snapshot snapshot : list.finished().subList(before, list.finished().size())) {
        Path _ = download(snapshot);
      }
      Snapshot next = snapshotter().take("acme");
      assertThat(scratchFiles()).as("a new process cleans up").isEmpty();
      assertThat(store.newest("acme")).isEqualTo(next);
      clock.pass(Duration.ofSeconds(2));
    }
    assertThat(failed).isEqualTo(7);
  }

  @Test
  void the_command_takes_the_present_state_after_an_attempt_that_failed() throws Exception {
    tenants.append("acme", 10);
    Snapshotter snapshotter = snapshotter();
    objects.fail("", 3, FailingStore.When.BEFORE);
    assertThatThrownBy(() -> snapshotter.take("acme")).isInstanceOf(ObjectStoreException.class);
    tenants.append("acme", 1);
    assertThat(snapshotter.take("acme").manifest().seq()).isEqualTo(11);
    assertThat(store.list("acme").unfinished()).containsOnlyKeys(ID);
  }

  @Test
  void a_copy_of_another_tenant_replaces_the_one_that_waits() throws Exception {
    tenants.append("acme", 10);
    tenants.append("beta", 20);
    Snapshotter snapshotter = snapshotter();
    objects.fail("", 1, FailingStore.When.BEFORE);
    assertThatThrownBy(() -> snapshotter.takeOrContinue("acme"))
        .isInstanceOf(ObjectStoreException.class);
    assertThat(snapshotter.takeOrContinue("beta").manifest().seq()).isEqualTo(20);
    tenants.append("acme", 1);
    assertThat(snapshotter.takeOrContinue("acme").manifest().seq()).isEqualTo(11);
    assertThat(scratchFiles()).isEmpty();
  }

  @Test
  void what_an_earlier_process_left_is_deleted_at_the_start() throws Exception {
    Files.createDirectories(scratch);
    Files.writeString(scratch.resolve("canonical.db"), "half");
    Snapshotter _ = snapshotter();
    assertThat(scratchFiles()).isEmpty();
  }
}
