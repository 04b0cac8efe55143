package com.datanadhi.hub.archive;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.hub.archive.FaultyStore.Fault;
import com.datanadhi.hub.view.ViewState;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ArchiverTest {
  private static final String DAY = "archive/acme/2023-11-14/";
  private static final String NEXT_DAY = "archive/acme/2023-11-15/";

  /// 2023-11-15T00:00:00Z.
  private static final long MIDNIGHT = 1_700_006_400_000L;

  @TempDir private Path home;
  private ArchivedHub hub;

  @BeforeEach
  void open() {
    hub = new ArchivedHub(home);
  }

  @AfterEach
  void close() {
    hub.close();
  }

  private void isArchived(String tenant) throws Exception {
    assertThat(hub.verify(tenant).faults()).isEmpty();
    assertThat(hub.verify(tenant).lastSeq()).isEqualTo(hub.state(tenant).seq());
    assertThat(hub.archived(tenant)).isEqualTo(hub.rows(tenant));
  }

  private static List<String> numbers(int count) {
    List<String> numbers = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      numbers.add(String.valueOf(i));
    }
    return numbers;
  }

  @Test
  void rows_are_in_the_archive_byte_for_byte() throws Exception {
    hub.store("acme", "k-1", "{\"a\":1e400,\"a\":-0.0}", "{\r\n\t\"b\":\"\\u00e4\u00e4\"\n}");
    hub.store("acme", "k-2", " 1 ");
    Archiver archiver = hub.archiver();
    hub.archive(archiver);

    assertThat(hub.keys())
        .containsExactly(DAY + "segment_000001.checksum", DAY + "segment_000001.jsonl.gz");
    isArchived("acme");
    assertThat(archiver.archivedSeq("acme")).isEqualTo(3);
    assertThat(archiver.relation("acme")).isEqualTo(ArchiveRelation.CONTINUES);
    ArchiveStats stats = archiver.stats();
    assertThat(stats.lagEvents()).isZero();
    assertThat(stats.segments()).isEqualTo(1);
    assertThat(stats.events()).isEqualTo(3);
    assertThat(stats.lastSuccess()).isEqualTo(ArchivedHub.START);
    assertThat(stats.alarms()).isEmpty();
    try (var left = Files.list(home.resolve("scratch"))) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void numbers_go_on_within_a_day_and_begin_again_at_midnight() throws Exception {
    Archiver archiver = hub.archiver();
    for (long time : new long[] {MIDNIGHT - 2, MIDNIGHT - 1, MIDNIGHT, MIDNIGHT + 1}) {
      hub.at(time);
      hub.store("acme", "k-" + time, "1");
      hub.archive(archiver);
    }
    assertThat(hub.keys())
        .filteredOn(key -> key.endsWith(".checksum"))
        .containsExactly(
            DAY + "segment_000001.checksum",
            DAY + "segment_000002.checksum",
            NEXT_DAY + "segment_000001.checksum",
            NEXT_DAY + "segment_000002.checksum");
    isArchived("acme");
  }

  @Test
  void a_segment_ends_at_midnight_and_no_transaction_is_torn() throws Exception {
    hub.at(MIDNIGHT - 1);
    hub.store("acme", "k-1", numbers(1_000));
    hub.at(MIDNIGHT);
    hub.store("acme", "k-2", numbers(1_000));
    hub.archive();
    assertThat(new ArchiveReader(hub.store).segments("acme").segments())
        .extracting(segment -> segment.name().date() + " " + segment.checksum().lastSeq())
        .containsExactly("2023-11-14 1000", "2023-11-15 2000");
    isArchived("acme");
  }

  @Test
  void a_segment_has_at_most_10_000_records_in_whole_transactions() throws Exception {
    hub.store("acme", "first", numbers(1));
    for (int i = 0; i < 21; i++) {
      hub.store("acme", "k-" + i, numbers(1_000));
    }
    hub.archive();
    assertThat(new ArchiveReader(hub.store).segments("acme").segments())
        .extracting(segment -> segment.checksum().lastSeq())
        .containsExactly(9_001L, 19_001L, 21_001L);
    isArchived("acme");
  }

  @Test
  void the_transactions_of_one_log_record_are_in_one_segment() throws Exception {
    for (int i = 0; i < 9; i++) {
      hub.store("acme", "k-" + i, numbers(1_000));
    }
    hub.store("acme", "most", numbers(990));
    for (int i = 0; i < 20; i++) {
      hub.store("acme", "upload-" + i, "1");
    }
    hub.sql("acme", "UPDATE events SET position = '0123abcd/events-0:10' WHERE seq > 9990");
    hub.archive();
    assertThat(new ArchiveReader(hub.store).segments("acme").segments())
        .extracting(segment -> segment.checksum().lastSeq())
        .containsExactly(9_990L, 10_010L);
    isArchived("acme");
  }

  @Test
  void a_segment_is_cut_when_it_has_8_MiB_packed() throws Exception {
    Random random = new Random(1);
    for (int i = 0; i < 12; i++) {
      byte[] bytes = new byte[1 << 20];
      random.nextBytes(bytes);
      hub.store("acme", "k-" + i, "\"" + java.util.HexFormat.of().formatHex(bytes) + "\"");
    }
    hub.archive();
    List<ArchiveReader.Segment> segments = new ArchiveReader(hub.store).segments("acme").segments();
    assertThat(segments).hasSizeBetween(2, 3);
    assertThat(segments.getFirst().checksum().bytes()).isBetween(8L << 20, 10L << 20);
    isArchived("acme");
  }

  @Test
  void rows_wait_for_the_interval_unless_there_are_10_000() throws Exception {
    hub.interval = Duration.ofSeconds(60);
    Archiver archiver = hub.archiver();
    hub.archive(archiver);
    hub.store("acme", "k-1", "1");
    hub.archive(archiver);
    hub.clock.advance(Duration.ofSeconds(59));
    hub.store("acme", "k-2", "2");
    hub.archive(archiver);
    assertThat(archiver.archivedSeq("acme")).isZero();
    assertThat(archiver.stats().lagEvents()).isEqualTo(2);

    hub.clock.advance(Duration.ofSeconds(1));
    hub.archive(archiver);
    assertThat(archiver.archivedSeq("acme")).isEqualTo(2);

    for (int i = 0; i < 10; i++) {
      hub.store("acme", "more-" + i, numbers(1_000));
    }
    hub.archive(archiver);
    assertThat(archiver.archivedSeq("acme")).isEqualTo(10_002);
    isArchived("acme");
  }

  @Test
  void a_tenant_without_new_rows_costs_no_call() throws Exception {
    FaultyStore counting = new FaultyStore(hub.store, _ -> Fault.NONE);
    for (int i = 0; i < 20; i++) {
      hub.store("t" + i, "k", "1");
    }
    Archiver archiver = hub.archiver(counting);
    hub.archive(archiver);
    int calls = counting.calls();
    hub.archive(archiver);
    assertThat(counting.calls()).isEqualTo(calls);
    hub.store("t3", "k-2", "1");
    hub.archive(archiver);
    // Two objects, each created and read back.
    assertThat(counting.calls()).isEqualTo(calls + 4);
  }

  @Test
  void the_next_run_goes_on_behind_the_newest_segment() throws Exception {
    hub.store("acme", "k-1", "1");
    hub.archive();
    hub.store("acme", "k-2", "2");
    Archiver next = hub.archiver();
    assertThat(next.archivedSeq("acme")).isEqualTo(-1);
    hub.archive(next);
    assertThat(hub.keys()).hasSize(4);
    isArchived("acme");
  }

  @Test
  void data_without_a_checksum_is_adopted_whatever_its_cut() throws Exception {
    for (int rows : new int[] {1, 3}) {
      hub.store("acme", "k-" + rows, "1");
      hub.archive();
      Files.delete(hub.objects.resolve(hub.newest("acme").checksumKey()));
      hub.store("acme", "more-" + rows, numbers(rows));
      hub.archive();
      isArchived("acme");
    }
    assertThat(hub.keys()).hasSize(8);
  }

  @Test
  void a_checksum_that_another_writer_was_faster_with_counts() throws Exception {
    Archiver slow = hub.archiver();
    Archiver fast = hub.archiver();
    hub.store("acme", "k-1", "1");
    hub.archive(slow);
    hub.archive(fast);
    for (int i = 2; i < 8; i++) {
      hub.store("acme", "k-" + i, numbers(i));
      hub.archive(i % 2 == 0 ? slow : fast);
      hub.store("acme", "m-" + i, numbers(2));
      hub.archive(i % 3 == 0 ? slow : fast);
    }
    hub.archive(slow);
    assertThat(slow.stats().alarms()).isEmpty();
    assertThat(fast.stats().alarms()).isEmpty();
    isArchived("acme");
  }

  @Test
  void foreign_data_in_the_place_of_a_segment_stops_the_tenant_and_stays() throws Exception {
    hub.store("acme", "k-1", "1");
    hub.store("other", "k-1", "2");
    hub.archive();
    hub.store("acme", "k-2", "3");
    Path foreign = hub.objects.resolve(DAY + "segment_000002.jsonl.gz");
    Files.copy(hub.objects.resolve("archive/other/2023-11-14/segment_000001.jsonl.gz"), foreign);
    byte[] before = Files.readAllBytes(foreign);
    hub.store("other", "k-3", "4");
    Archiver archiver = hub.archiver();
    hub.archive(archiver);
    hub.archive(archiver);

    assertThat(archiver.stats().alarms()).containsOnlyKeys("acme");
    assertThat(archiver.stats().alarms().get("acme"))
        .contains("segment_000002.jsonl.gz", "not the tenant's next rows");
    assertThat(archiver.stats().lagEvents()).isEqualTo(1);
    assertThat(Files.readAllBytes(foreign)).isEqualTo(before);
    isArchived("other");

    Files.delete(foreign);
    archiver.recheck("acme");
    hub.archive(archiver);
    assertThat(archiver.stats().alarms()).isEmpty();
    isArchived("acme");
  }

  @Test
  void a_foreign_checksum_stops_the_tenant() throws Exception {
    hub.store("acme", "k-1", "1");
    hub.archive();
    Archiver archiver = hub.archiver();
    hub.archive(archiver);
    Files.copy(
        hub.objects.resolve(DAY + "segment_000001.checksum"),
        hub.objects.resolve(DAY + "segment_000002.checksum"));
    hub.store("acme", "k-2", "1");
    hub.archive(archiver);
    assertThat(archiver.stats().alarms().get("acme")).contains("describes other rows");
  }

  @Test
  void a_row_that_was_changed_does_not_leave() throws Exception {
    hub.store("acme", "k-1", "{\"a\":1}");
    hub.store("other", "k-1", "1");
    hub.sql("acme", "UPDATE events SET log_data = '{\"a\":2}'");
    Archiver archiver = hub.archiver();
    hub.archive(archiver);
    assertThat(archiver.stats().alarms().get("acme")).contains("log_data of seq 1");
    assertThat(hub.keys()).noneMatch(key -> key.startsWith("archive/acme/"));
    isArchived("other");
  }

  @Test
  void a_change_that_its_digest_does_not_show_is_found_by_the_chain() throws Exception {
    hub.store("acme", "k-1", "1");
    hub.store("acme", "k-2", "2");
    hub.sql("acme", "UPDATE events SET key = 'k-3' WHERE seq = 1");
    Archiver archiver = hub.archiver();
    hub.archive(archiver);
    assertThat(archiver.stats().alarms().get("acme")).contains("do not give its chain");
    assertThat(hub.keys()).isEmpty();
  }

  @Test
  void no_segment_leaves_when_a_row_of_a_later_one_was_changed() throws Exception {
    hub.store("acme", "k-1", "1");
    Archiver archiver = hub.archiver();
    hub.archive(archiver);
    List<String> keys = hub.keys();
    hub.store("acme", "k-2", "2");
    hub.at(MIDNIGHT);
    hub.store("acme", "k-3", "3");
    hub.sql("acme", "UPDATE events SET key = 'k-4' WHERE seq = 3");
    hub.archive(archiver);
    assertThat(archiver.stats().alarms().get("acme")).contains("do not give its chain");
    assertThat(hub.keys()).isEqualTo(keys);
  }

  @Test
  void a_row_that_is_missing_stops_the_tenant() throws Exception {
    hub.store("acme", "k-1", "1");
    hub.store("acme", "k-2", "2");
    hub.store("acme", "k-3", "3");
    hub.sql("acme", "DELETE FROM events WHERE seq = 2");
    Archiver archiver = hub.archiver();
    hub.archive(archiver);
    assertThat(archiver.stats().alarms().get("acme")).contains("seq 2 is missing");
    assertThat(hub.keys()).isEmpty();
  }

  @Test
  void rows_that_left_the_view_before_they_were_archived_stop_the_tenant() throws Exception {
    hub.store("acme", "k-1", "1");
    hub.store("acme", "k-2", "2");
    ViewState state = hub.state("acme");
    hub.databases.write(
        "acme",
        writer -> {
          writer.deleteEventsBefore(2, state.chain(), java.util.Map.of());
          return true;
        });
    Archiver archiver = hub.archiver();
    hub.archive(archiver);
    assertThat(archiver.stats().alarms().get("acme")).contains("have left the database");
  }

  @Test
  void a_database_that_is_being_rebuilt_is_left_for_later() throws Exception {
    hub.store("acme", "k-1", "1");
    hub.store("other", "k-1", "1");
    hub.databases.setAside("acme");
    Archiver archiver = hub.archiver();
    hub.archive(archiver);
    assertThat(archiver.stats().alarms()).isEmpty();
    assertThat(hub.relations).containsExactly("other CONTINUES 1 0");
    hub.store("acme", "k-1", "1");
    hub.clock.advance(Duration.ofSeconds(10));
    hub.archive(archiver);
    isArchived("acme");
  }

  @Test
  void an_old_copy_of_the_database_waits_until_it_has_caught_up() throws Exception {
    hub.store("acme", "k-1", "1");
    hub.store("acme", "k-2", "2");
    hub.archive();
    try (ArchivedHub old = new ArchivedHub(home, "old")) {
      old.store("acme", "k-1", "1");
      Archiver archiver = old.archiver();
      old.archive(archiver);
      assertThat(old.relations).containsExactly("acme AHEAD 1 2");
      assertThat(archiver.stats().waiting()).containsEntry("acme", ArchiveRelation.AHEAD);
      assertThat(archiver.archivedSeq("acme")).isEqualTo(-1);
      old.archive(archiver);
      assertThat(old.relations).hasSize(1);

      old.store("acme", "k-2", "2");
      old.store("acme", "k-3", "3");
      old.archive(archiver);
      assertThat(old.relations).containsExactly("acme AHEAD 1 2", "acme CONTINUES 3 2");
      assertThat(old.verify("acme").faults()).isEmpty();
    }
  }

  @Test
  void other_rows_at_the_same_seqs_are_a_fork() throws Exception {
    hub.store("acme", "k-1", "1");
    hub.store("acme", "k-2", "2");
    hub.archive();
    List<String> keys = hub.keys();
    for (int rows : new int[] {1, 2, 3}) {
      try (ArchivedHub fork = new ArchivedHub(home, "fork-" + rows)) {
        for (int i = 0; i < rows; i++) {
          fork.store("acme", "f-" + i, "1");
        }
        Archiver archiver = fork.archiver();
        fork.archive(archiver);
        fork.archive(archiver);
        assertThat(fork.relations).containsExactly("acme FORKED " + rows + " 2");
        assertThat(archiver.archivedSeq("acme")).isEqualTo(-1);
        assertThat(archiver.archivedThrough("0123abcd", 100).offset()).isZero();
        assertThat(archiver.stats().alarms()).isEmpty();
      }
    }
    assertThat(hub.keys()).isEqualTo(keys);
  }

  @Test
  void a_transaction_over_the_end_of_the_archive_is_a_fork() throws Exception {
    hub.store("acme", "k-1", "1");
    hub.store("acme", "k-2", "2");
    hub.archive();
    try (ArchivedHub fork = new ArchivedHub(home, "fork")) {
      fork.store("acme", "f", "1", "2", "3");
      fork.archive();
      assertThat(fork.relations).containsExactly("acme FORKED 3 2");
    }
  }

  @Test
  void a_store_that_fails_is_tried_again_after_1_s_then_after_twice_as_long() throws Exception {
    AtomicReference<Fault> fault = new AtomicReference<>(Fault.LOST);
    FaultyStore store = new FaultyStore(hub.store, _ -> fault.get());
    hub.store("acme", "k-1", "1");
    hub.store("other", "k-1", "1");
    Archiver archiver = hub.archiver(store);
    List<Integer> seconds = new ArrayList<>();
    int last = 0;
    for (int second = 0; second < 200; second++) {
      int before = store.calls();
      hub.archive(archiver);
      if (store.calls() > before) {
        assertThat(store.calls()).as("the others wait too").isEqualTo(before + 1);
        seconds.add(second - last);
        last = second;
      }
      hub.clock.advance(Duration.ofSeconds(1));
    }
    assertThat(seconds).containsExactly(0, 1, 2, 4, 8, 16, 32, 60, 60);
    assertThat(archiver.stats().failures()).isEqualTo(9);
    assertThat(archiver.stats().lastError()).contains("cannot be reached");
    assertThat(archiver.stats().lagEvents()).isEqualTo(2);
    assertThat(archiver.stats().lastSuccess()).isNull();

    fault.set(Fault.NONE);
    for (int i = 0; i < 65; i++) {
      hub.clock.advance(Duration.ofSeconds(1));
      hub.archive(archiver);
    }
    isArchived("acme");
    isArchived("other");
  }

  @Test
  void one_object_that_is_refused_stops_its_tenant_only() throws Exception {
    hub.store("acme", "k-1", "1");
    hub.store("other", "k-1", "1");
    FaultyStore[] store = {null};
    store[0] = new FaultyStore(hub.store, call -> call == 0 ? Fault.REFUSED : Fault.NONE);
    Archiver archiver = hub.archiver(store[0]);
    hub.archive(archiver);
    assertThat(hub.keys()).hasSize(2);
    hub.clock.advance(Duration.ofSeconds(1));
    hub.archive(archiver);
    isArchived("acme");
    isArchived("other");
  }

  @Test
  void the_log_is_archived_up_to_the_first_row_that_is_not() throws Exception {
    hub.interval = Duration.ofSeconds(60);
    Archiver archiver = hub.archiver();
    for (int i = 0; i < 5; i++) {
      hub.store("acme", "k-" + i, "1");
    }
    hub.store("quiet", "k-1", "1");
    assertThat(archiver.archivedThrough("0123abcd", 5).offset()).isZero();
    hub.archive(archiver);
    hub.clock.advance(Duration.ofSeconds(60));
    hub.archive(archiver);
    assertThat(archiver.archivedThrough("0123abcd", 5))
        .isEqualTo(new Archiver.Through("0123abcd", 5, null));

    hub.store("acme", "k-5", "1");
    // It is not seen yet where the row is, and what was archived stays archived.
    assertThat(archiver.archivedThrough("0123abcd", 6))
        .isEqualTo(new Archiver.Through("0123abcd", 5, "acme"));
    hub.archive(archiver);
    hub.store("acme", "k-6", "1");
    assertThat(archiver.archivedThrough("0123abcd", 7))
        .isEqualTo(new Archiver.Through("0123abcd", 5, "acme"));
    assertThat(archiver.archivedThrough("ffffffff", 7).offset()).isZero();
  }

  @Test
  void the_rows_of_the_control_stream_hold_no_other_log_back() throws Exception {
    hub.store("_control", "k-1", "1");
    Archiver archiver = hub.archiver();
    assertThat(archiver.archivedThrough("0123abcd", 9).offset()).isEqualTo(9);
    hub.archive(archiver);
    isArchived("_control");
  }

  @Test
  void what_a_killed_process_left_in_the_scratch_directory_goes() throws Exception {
    Path left = Files.createDirectories(home.resolve("scratch")).resolve("segment1.unfinished");
    Files.writeString(left, "x");
    hub.store("acme", "k-1", "1");
    Archiver archiver = hub.archiver();
    Thread running = Thread.ofVirtual().start(() -> run(archiver));
    Awaitility.await().untilAsserted(() -> assertThat(archiver.archivedSeq("acme")).isOne());
    archiver.stop();
    running.join();
    assertThat(left).doesNotExist();
    isArchived("acme");
  }

  private static void run(Archiver archiver) {
    try {
      archiver.run();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void a_store_that_gives_other_bytes_back_is_not_trusted() throws Exception {
    hub.store("acme", "k-1", "1");
    FaultyStore lying =
        new FaultyStore(
            hub.store,
            call -> {
              if (call == 3) {
                replace(DAY + "segment_000001.jsonl.gz");
              }
              return Fault.NONE;
            });
    Archiver archiver = hub.archiver(lying);
    hub.archive(archiver);
    assertThat(archiver.stats().alarms().get("acme")).contains("reads back other bytes");
    assertThat(hub.keys()).containsExactly(DAY + "segment_000001.jsonl.gz");
  }

  private void replace(String key) {
    try {
      Path file = hub.objects.resolve(key);
      Path other = Files.write(home.resolve("other"), "other".getBytes(UTF_8));
      Files.move(other, file, StandardCopyOption.REPLACE_EXISTING);
    } catch (java.io.IOException failed) {
      throw new java.io.UncheckedIOException(failed);
    }
  }

  @Test
  void many_tenants_with_random_transactions_are_archived() throws Exception {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    List<String> tenants = List.of("a", "b", "c");
    Archiver archiver = hub.archiver();
    long now = MIDNIGHT - 20_000;
    for (int i = 0; i < 60; i++) {
      now += random.nextInt(2_000);
      hub.at(now);
      hub.store(tenants.get(random.nextInt(3)), "k-" + i, numbers(1 + random.nextInt(30)));
      if (random.nextInt(5) == 0) {
        archiver = random.nextBoolean() ? hub.archiver() : archiver;
        hub.archive(archiver);
      }
    }
    hub.archive(archiver);
    for (String tenant : tenants) {
      assertThat(hub.faults(tenant)).as("seed %s", seed).isEqualTo(Collections.emptyList());
      isArchived(tenant);
    }
    assertThat(new ArchiveVerifier(hub.store).verify("none", null, new TreeMap<>()).faults())
        .isEmpty();
  }
}
