package com.datanadhi.hub.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.datanadhi.hub.objects.FolderStore;
import com.datanadhi.hub.objects.ObjectStoreException;
import com.datanadhi.hub.view.ViewException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SnapshotLoopTest {
  private static final Duration INTERVAL = Duration.ofHours(12);
  private static final Duration DAY = Duration.ofDays(1);

  @TempDir Path directory;
  private Path root;
  private Tenants tenants;
  private FolderStore folder;
  private FailingStore objects;
  private SnapshotStore store;
  private SnapshotLoop loop;
  private final Set<String> names = new TreeSet<>();
  private boolean isDeletingPaused;
  private boolean isCopyingPaused;
  private final TestClock clock = new TestClock("2024-01-15T00:00:00Z");
  private final Warnings warnings = new Warnings();

  @BeforeEach
  void open() throws Exception {
    root = directory.resolve("objects");
    tenants = new Tenants(directory.resolve("tenants"));
    folder = new FolderStore(root);
    objects = new FailingStore(folder);
    store = new SnapshotStore(folder);
    loop = loop(3);
    warnings.begin();
  }

  @AfterEach
  void close() {
    warnings.end();
    tenants.close();
  }

  private SnapshotLoop loop(int keep) throws Exception {
    return loop(keep, objects);
  }

  private SnapshotLoop loop(int keep, FailingStore through) throws Exception {
    SnapshotStore failing = new SnapshotStore(through);
    return new SnapshotLoop(
        () -> List.copyOf(names),
        tenants.databases,
        failing,
        new Snapshotter(
            tenants.databases, failing, directory.resolve("snapshot-scratch"), "1", _ -> -1, clock),
        INTERVAL,
        keep,
        new SnapshotLoop.Pauses(() -> isDeletingPaused, () -> isCopyingPaused),
        clock);
  }

  private void append(String tenant, int records) throws Exception {
    names.add(tenant);
    tenants.append(tenant, records);
  }

  private List<Long> seqs(String tenant) throws Exception {
    return store.list(tenant).finished().stream().map(s -> s.manifest().seq()).toList();
  }

  @Test
  void a_tenant_gets_a_snapshot_at_once_and_the_next_an_interval_later() throws Exception {
    append("acme", 3);
    append("beta", 5);
    loop.turn();
    assertThat(seqs("acme")).containsExactly(3L);
    assertThat(seqs("beta")).containsExactly(5L);

    append("acme", 1);
    clock.pass(INTERVAL.minusSeconds(1));
    loop.turn();
    assertThat(seqs("acme")).containsExactly(3L);
    clock.pass(Duration.ofSeconds(1));
    loop.turn();
    assertThat(seqs("acme")).containsExactly(3L, 4L);
    assertThat(seqs("beta")).as("nothing has changed").containsExactly(5L);
    assertThat(loop.stats().taken()).isEqualTo(3);
  }

  @Test
  void a_log_record_that_stored_nothing_is_a_change_too() throws Exception {
    append("acme", 3);
    loop.turn();
    tenants.repeat("acme");
    clock.pass(INTERVAL);
    loop.turn();
    assertThat(store.list("acme").finished().stream().map(s -> s.manifest().offset()))
        .containsExactly(2L, 3L);
  }

  @Test
  void a_new_process_goes_on_with_what_the_store_has() throws Exception {
    append("acme", 3);
    loop.turn();
    append("acme", 1);
    clock.pass(INTERVAL.dividedBy(2));
    SnapshotLoop next = loop(3);
    next.turn();
    assertThat(seqs("acme")).containsExactly(3L);
    assertThat(next.stats().newest().get("acme"))
        .isEqualTo(
            new SnapshotStats.Newest(
                "snap_2024-01-15T00:00:00Z", 3, Instant.parse("2024-01-15T00:00:00Z")));
    assertThat(next.stats().oldestAgeHours()).isEqualTo(6.0);
    clock.pass(INTERVAL.dividedBy(2));
    next.turn();
    assertThat(seqs("acme")).containsExactly(3L, 4L);
  }

  @Test
  void a_snapshot_of_the_future_puts_the_next_one_off_for_an_interval_at_most() throws Exception {
    append("acme", 3);
    clock.set("2031-01-01T00:00:00Z");
    loop.turn();
    clock.set("2024-01-15T00:00:00Z");
    append("acme", 1);
    SnapshotLoop next = loop(3);
    next.turn();
    clock.pass(INTERVAL);
    next.turn();
    assertThat(seqs("acme")).containsExactly(3L, 4L);
    assertThat(store.list("acme").finished().getLast().id()).isEqualTo("snap_2024-01-15T12:00:00Z");
  }

  @Test
  void tenants_without_anything_get_none_until_they_have_something() throws Exception {
    names.addAll(List.of("acme", "none", "_control"));
    assertThat(tenants.create("acme").seq()).isZero();
    loop.turn();
    assertThat(folder.folders("snapshots/")).isEmpty();
    assertThat(loop.stats().oldestAgeHours()).isZero();
    clock.pass(DAY);
    loop.turn();
    assertThat(loop.stats().oldestAgeHours()).isZero();

    tenants.append("acme", 1);
    clock.pass(Duration.ofSeconds(10));
    loop.turn();
    assertThat(seqs("acme")).containsExactly(1L);
  }

  @Test
  void the_newest_ones_by_seq_are_kept() throws Exception {
    for (int i = 0; i < 6; i++) {
      append("acme", 1);
      loop.turn();
      clock.pass(INTERVAL);
    }
    assertThat(seqs("acme")).containsExactly(4L, 5L, 6L);
    assertThat(store.list("acme").unfinished()).isEmpty();
    // A clock that was wrong gave the oldest of them the latest name.
    clock.set("2020-01-01T00:00:00Z");
    append("acme", 1);
    loop.turn();
    assertThat(seqs("acme")).containsExactly(5L, 6L, 7L);
  }

  @Test
  void nothing_is_deleted_while_that_is_paused() throws Exception {
    isDeletingPaused = true;
    for (int i = 0; i < 5; i++) {
      append("acme", 1);
      loop.turn();
      clock.pass(INTERVAL);
    }
    assertThat(seqs("acme")).hasSize(5);
    isDeletingPaused = false;
    loop.turn();
    assertThat(seqs("acme")).as("at the next look").containsExactly(3L, 4L, 5L);
  }

  @Test
  void the_newest_one_that_this_process_has_proven_stays() throws Exception {
    append("acme", 9);
    Snapshot _ = loop.take("acme");
    // What another hub's database has, say: a higher seq, which this process has not looked at.
    Path other = directory.resolve("other");
    try (Tenants others = new Tenants(other)) {
      others.append("acme", 50);
      clock.pass(Duration.ofHours(1));
      Snapshot _ =
          new Snapshotter(others.databases, store, directory.resolve("s2"), "1", _ -> -1, clock)
              .take("acme");
    }
    append("acme", 1);
    clock.pass(Duration.ofHours(1));
    Snapshot proven = loop(1).take("acme");
    assertThat(seqs("acme")).containsExactly(10L, 50L);
    assertThat(store.list("acme").finished()).contains(proven);
  }

  @Test
  void unfinished_folders_go_after_a_day_and_damaged_ones_stay() throws Exception {
    append("acme", 1);
    for (String id : List.of("snap_2024-01-01T00:00:00Z", "snap_2024-01-02T00:00:00Z")) {
      boolean _ = folder.create("snapshots/acme/" + id + "/canonical.db", new byte[] {1});
      boolean _ = folder.create("snapshots/acme/" + id + "/mailbox.db", new byte[] {1});
    }
    boolean _ =
        folder.create("snapshots/acme/snap_2024-01-03T00:00:00Z/manifest.json", new byte[] {'x'});
    makeOld();
    Path young = root.resolve("snapshots/acme/snap_2024-01-02T00:00:00Z/mailbox.db");
    Files.setLastModifiedTime(young, FileTime.fromMillis(clock.wallMillis() - DAY.toMillis()));
    loop.turn();

    SnapshotList list = store.list("acme");
    assertThat(list.unfinished()).containsOnlyKeys("snap_2024-01-02T00:00:00Z");
    assertThat(list.unfinished().get("snap_2024-01-02T00:00:00Z")).hasSize(2);
    assertThat(list.faults()).hasSize(1);
    clock.pass(INTERVAL);
    loop.turn();
    assertThat(store.list("acme").unfinished()).isEmpty();
    assertThat(store.list("acme").faults()).hasSize(1);
    assertThat(warnings.events()).as("told once").containsExactly("snapshot_damaged");
  }

  @ParameterizedTest
  @EnumSource
  void a_process_that_ends_at_any_call_of_deleting_leaves_only_whole_snapshots(
      FailingStore.When when) throws Exception {
    for (int nth = 0; nth < 3; nth++) {
      for (int i = 0; i < 3; i++) {
        append("acme", 1);
        loop.turn();
        clock.pass(INTERVAL);
      }
      append("acme", 1);
      SnapshotLoop last = loop(3);
      objects.fail("delete", nth, when);
      last.turn();
      objects.failNoMore();
      assertThat(last.stats().failing()).isEqualTo(1);
      SnapshotList list = store.list("acme");
      assertThat(list.faults()).isEmpty();
      assertThat(list.finished()).hasSizeGreaterThanOrEqualTo(3);
      assertThat(list.finished().getLast().manifest().seq()).isEqualTo(4L * (nth + 1));
      for (Snapshot snapshot : list.finished()) {
        store.download(snapshot, Files.createTempDirectory(directory, "download"));
      }

      SnapshotLoop next = loop(3);
      clock.pass(INTERVAL);
      makeOld();
      next.turn();
      assertThat(store.list("acme").finished()).hasSize(3);
      assertThat(store.list("acme").unfinished()).isEmpty();
      loop = loop(3);
      clock.pass(INTERVAL);
    }
  }

  /// Lets all objects be older than a day.
  private void makeOld() throws Exception {
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Files.setLastModifiedTime(
            file, FileTime.fromMillis(clock.wallMillis() - DAY.toMillis() - 1));
      }
    }
  }

  @Test
  void a_store_that_is_down_is_tried_again_later_and_later_and_told_once() throws Exception {
    append("acme", 1);
    append("beta", 1);
    objects.down(true);
    List<Long> seconds = new ArrayList<>();
    long began = clock.nanoTime();
    for (int i = 0; i < 1_200; i++) {
      int calls = objects.calls.size();
      loop.turn();
      if (objects.calls.size() > calls) {
        seconds.add((clock.nanoTime() - began) / 1_000_000_000);
      }
      clock.pass(Duration.ofSeconds(1));
    }
    assertThat(seconds).containsExactly(0L, 5L, 15L, 35L, 75L, 155L, 315L, 615L, 915L);
    SnapshotStats stats = loop.stats();
    assertThat(stats.failures()).isEqualTo(18);
    assertThat(stats.failing()).isEqualTo(2);
    assertThat(stats.lastError()).isEqualTo("beta: snapshots/beta/: is down");
    assertThat(stats.oldestAgeHours()).isEqualTo(1_200 / 3_600.0);
    assertThat(stats.lastSuccess()).isNull();
    assertThat(warnings.events()).containsExactly("snapshot_store_unavailable");

    objects.down(false);
    clock.pass(Duration.ofMinutes(5));
    loop.turn();
    assertThat(seqs("acme")).containsExactly(1L);
    assertThat(seqs("beta")).containsExactly(1L);
    assertThat(loop.stats().failing()).isZero();
    assertThat(loop.stats().lastError()).isNull();
    assertThat(loop.stats().oldestAgeHours()).isZero();
    assertThat(loop.stats().lastSuccess()).isNotNull();
  }

  @Test
  void a_tenant_that_fails_does_not_hold_up_the_others() throws Exception {
    append("acme", 1);
    append("beta", 1);
    tenants.close();
    Path file = find("acme");
    Files.writeString(file, "not a database".repeat(1_000));
    tenants = new Tenants(directory.resolve("tenants"));
    loop = loop(3);
    loop.turn();
    clock.pass(SnapshotLoop.FIRST_RETRY);
    loop.turn();
    assertThat(seqs("beta")).containsExactly(1L);
    assertThat(seqs("acme")).isEmpty();
    assertThat(loop.stats().failures()).isEqualTo(2);
    assertThat(loop.stats().lastError()).startsWith("acme: ").contains("canonical.db");
    assertThat(warnings.events()).as("the reason is the same").containsExactly("snapshot_failed");
    assertThatThrownBy(() -> loop.take("acme")).isInstanceOf(ViewException.class);
  }

  private Path find(String tenant) throws Exception {
    try (Stream<Path> files = Files.walk(directory.resolve("tenants"))) {
      return files.filter(f -> f.endsWith(tenant + "/canonical.db")).findFirst().orElseThrow();
    }
  }

  @Test
  void no_copy_is_made_while_that_is_paused() throws Exception {
    append("acme", 1);
    isCopyingPaused = true;
    loop.turn();
    clock.pass(Duration.ofHours(1));
    loop.turn();
    assertThat(seqs("acme")).isEmpty();
    assertThat(loop.stats().failures()).isZero();
    assertThat(loop.stats().oldestAgeHours()).isEqualTo(1.0);
    assertThatThrownBy(() -> loop.take("acme"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("nearly full");
    isCopyingPaused = false;
    loop.turn();
    assertThat(seqs("acme")).containsExactly(1L);
  }

  @Test
  void the_age_counts_from_when_the_snapshot_had_everything() throws Exception {
    append("acme", 1);
    loop.turn();
    clock.pass(INTERVAL);
    assertThat(loop.stats().oldestAgeHours()).isEqualTo(12.0);
    loop.turn();
    assertThat(loop.stats().oldestAgeHours()).as("nothing has changed").isZero();
    assertThat(loop.stats().lastSuccess()).isEqualTo("2024-01-15T00:00:00Z");
    names.clear();
    clock.pass(DAY);
    assertThat(loop.stats().oldestAgeHours()).as("parked").isZero();
  }

  @Test
  void a_command_takes_one_though_nothing_has_changed() throws Exception {
    append("acme", 1);
    loop.turn();
    clock.pass(Duration.ofHours(6));
    Snapshot taken = loop.take("acme");
    assertThat(seqs("acme")).containsExactly(1L, 1L);
    append("acme", 1);
    clock.pass(Duration.ofHours(6));
    loop.turn();
    assertThat(seqs("acme")).as("an interval after the last one").containsExactly(1L, 1L);
    assertThat(loop.stats().newest())
        .containsEntry(
            "acme", new SnapshotStats.Newest(taken.id(), 1, taken.manifest().timestamp()));
    clock.pass(Duration.ofHours(6));
    loop.turn();
    assertThat(seqs("acme")).containsExactly(1L, 1L, 2L);
  }

  @Test
  void stop_ends_a_snapshot_that_waits_for_the_store() throws Exception {
    append("acme", 1);
    CountDownLatch isWaiting = new CountDownLatch(1);
    SnapshotLoop waiting =
        loop(
            3,
            new FailingStore(folder) {
              @Override
              public boolean create(String key, Path content)
                  throws ObjectStoreException, InterruptedException {
                isWaiting.countDown();
                new CountDownLatch(1).await();
                return false;
              }
            });
    AtomicReference<String> end = new AtomicReference<>("");
    Thread thread =
        Thread.ofVirtual()
            .start(() -> {
              try {
                waiting.run();
                end.set("interrupted: " + Thread.currentThread().isInterrupted());
              } catch (InterruptedException unexpected) {
                end.set("an exception");
              }
            });
    isWaiting.await();
    waiting.stop();
    thread.join();
    assertThat(end.get()).isEqualTo("interrupted: false");
    assertThat(waiting.stats().failures()).isZero();
    assertThat(seqs("acme")).isEmpty();
  }

  @Test
  void it_runs_until_it_is_stopped_or_interrupted() throws Exception {
    append("acme", 1);
    Thread thread = Thread.ofVirtual().start(() -> running(loop));
    await().until(() -> !seqs("acme").isEmpty());
    loop.stop();
    thread.join();

    SnapshotLoop other = loop(3);
    Thread interrupted = Thread.ofVirtual().start(() -> running(other));
    await().until(() -> other.stats().newest().containsKey("acme"));
    interrupted.interrupt();
    interrupted.join();
  }

  private static void running(SnapshotLoop loop) {
    try {
      loop.run();
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }

  /// The names of the warnings that are logged.
  private static final class Warnings extends Handler {
    private static final Logger LOGGER = Logger.getLogger("com.datanadhi.hub");
    private final List<String> events = new ArrayList<>();

    void begin() {
      LOGGER.addHandler(this);
    }

    void end() {
      LOGGER.removeHandler(this);
    }

    synchronized List<String> events() {
      return List.copyOf(events);
    }

    @Override
    public synchronized void publish(LogRecord line) {
      if (line.getLevel().equals(Level.WARNING)) {
        events.add(line.getMessage());
      }
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }
}
