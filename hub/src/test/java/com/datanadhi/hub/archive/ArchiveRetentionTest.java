package com.datanadhi.hub.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.hub.archive.FaultyStore.Fault;
import com.datanadhi.hub.archive.FaultyStore.KilledException;
import com.datanadhi.hub.objects.ObjectStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ArchiveRetentionTest {
  private static final long DAY_MILLIS = Duration.ofDays(1).toMillis();

  @TempDir private Path home;
  private ArchivedHub hub;
  private final Map<String, Long> snapshots = new HashMap<>();
  private boolean isPaused;

  /// Four days, from the 11th to the 14th, with two segments of two records each.
  @BeforeEach
  void archive() throws Exception {
    hub = filled(home);
  }

  private static ArchivedHub filled(Path directory) throws Exception {
    ArchivedHub hub = new ArchivedHub(directory);
    Archiver archiver = hub.archiver();
    for (int i = 0; i < 8; i++) {
      hub.at(ArchivedHub.START - (3 - i / 2) * DAY_MILLIS);
      hub.store("acme", "k-" + i, "1", "2");
      hub.archive(archiver);
    }
    assertThat(hub.keys()).hasSize(16);
    return hub;
  }

  @AfterEach
  void close() {
    hub.close();
  }

  private ArchiveRetention retention(ObjectStore store, ArchivedHub of) {
    return new ArchiveRetention(
        store,
        Duration.ofDays(1),
        tenant -> snapshots.getOrDefault(tenant, -1L),
        () -> isPaused,
        of.clock);
  }

  private void prune() throws Exception {
    retention(hub.store, hub).turn();
  }

  private static List<String> days(ArchivedHub hub) throws Exception {
    return hub.store.folders("archive/acme/").stream()
        .filter(day -> new java.io.File(hub.objects + "/archive/acme/" + day).list().length > 0)
        .toList();
  }

  @Test
  void days_that_are_wholly_older_than_the_retention_are_deleted() throws Exception {
    snapshots.put("acme", 16L);
    // It is the 14th, 22:13: the 12th has ended more than a day ago, the 13th has not.
    prune();
    assertThat(days(hub)).containsExactly("2023-11-13", "2023-11-14");
    assertThat(hub.keys()).contains("archive/acme/retained_00000000000000000009.json");
    assertThat(hub.faults("acme")).isEmpty();
    assertThat(hub.verify("acme").firstSeq()).isEqualTo(9);
    List<Long> seqs = new ArrayList<>();
    ArchiveReader reader = new ArchiveReader(hub.store);
    long last = reader.read("acme", 9, null, event -> seqs.add(event.seq()));
    assertThat(last).isEqualTo(16);
    assertThat(seqs).startsWith(9L).hasSize(8);
    assertThat(reader.segments("acme").segments()).hasSize(4);
    assertThat(reader.segments("acme").mark())
        .extracting(mark -> mark == null ? 0 : mark.firstSeq())
        .isEqualTo(9L);
    assertThatThrownBy(() -> reader.<RuntimeException>read("acme", 8, null, _ -> true))
        .isInstanceOf(ArchiveFaultException.class)
        .hasMessageContaining("begins at seq 9");
  }

  @Test
  void nothing_is_deleted_without_a_proven_snapshot_or_while_it_is_paused() throws Exception {
    prune();
    assertThat(hub.keys()).hasSize(16);
    snapshots.put("acme", 16L);
    isPaused = true;
    prune();
    assertThat(hub.keys()).hasSize(16);
  }

  @Test
  void only_segments_that_end_before_the_snapshot_are_deleted() throws Exception {
    snapshots.put("acme", 6L);
    prune();
    assertThat(hub.verify("acme").firstSeq()).isEqualTo(5);
    snapshots.put("acme", 7L);
    prune();
    assertThat(hub.verify("acme").firstSeq()).isEqualTo(7);
    assertThat(hub.faults("acme")).isEmpty();
    assertThat(hub.keys()).filteredOn(key -> key.contains("retained")).hasSize(1);
  }

  @Test
  void the_archive_goes_on_behind_the_mark_when_no_segment_is_left() throws Exception {
    hub.clock.advance(Duration.ofDays(10));
    snapshots.put("acme", 17L);
    prune();
    assertThat(hub.keys()).containsExactly("archive/acme/retained_00000000000000000017.json");
    ArchiveHead head = hub.head("acme");
    assertThat(head.seq()).isEqualTo(16);
    assertThat(head.chain()).isEqualTo(hub.state("acme").chain());

    hub.store("acme", "k-9", "1");
    Archiver archiver = hub.archiver();
    hub.archive(archiver);
    assertThat(archiver.archivedSeq("acme")).isEqualTo(17);
    assertThat(hub.verify("acme").faults()).isEmpty();
  }

  @Test
  void segments_that_do_not_follow_each_other_are_evidence_and_stay() throws Exception {
    snapshots.put("acme", 16L);
    Files.delete(hub.objects.resolve("archive/acme/2023-11-11/segment_000002.checksum"));
    Files.delete(hub.objects.resolve("archive/acme/2023-11-11/segment_000002.jsonl.gz"));
    prune();
    assertThat(hub.keys()).hasSize(14);
  }

  @ParameterizedTest
  @EnumSource(
      value = Fault.class,
      names = {"LOST", "ANSWER_LOST", "KILLED_BEFORE", "KILLED_AFTER", "TWICE"})
  void no_interruption_leaves_a_fault(Fault fault) throws Exception {
    snapshots.put("acme", 16L);
    int at = 0;
    for (boolean isReached = true; isReached; at++) {
      int number = at;
      try (ArchivedHub one = filled(home.resolve(fault + "-" + at))) {
        // A mark of an earlier time is there already.
        snapshots.put("acme", 3L);
        retention(one.store, one).turn();
        snapshots.put("acme", 16L);
        FaultyStore store = new FaultyStore(one.store, call -> call == number ? fault : Fault.NONE);
        try {
          retention(store, one).turn();
        } catch (KilledException _) {
          // the next turn goes on
        }
        isReached = store.calls() > at;
        assertThat(one.verify("acme").faults()).as("%s at call %s", fault, at).isEmpty();
        assertThat(one.head("acme").seq()).isEqualTo(16);

        retention(one.store, one).turn();
        assertThat(one.verify("acme").faults()).isEmpty();
        assertThat(days(one)).containsExactly("2023-11-13", "2023-11-14");
        assertThat(one.keys())
            .as("%s at call %s", fault, at)
            .filteredOn(key -> key.contains("retained"))
            .containsExactly("archive/acme/retained_00000000000000000009.json");
      }
    }
    assertThat(at).isGreaterThan(15);
  }
}
