package com.datanadhi.hub.query;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.datanadhi.hub.record.Content;
import com.datanadhi.hub.record.Digests;
import com.datanadhi.hub.record.RecordData;
import com.datanadhi.hub.view.EventFilter;
import com.datanadhi.hub.view.EventLine;
import com.datanadhi.hub.view.Interval;
import com.datanadhi.hub.view.StoredEvent;
import com.datanadhi.hub.view.StoredPayload;
import com.datanadhi.hub.view.ViewException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QueriesTest {
  private static final String TENANT = "acme";
  private static final String SOURCE = "0123456789abcdef0123456789abcdef";

  @TempDir Path directory;
  private Tenants tenants;
  private Queries queries;

  @BeforeEach
  void open() {
    tenants = new Tenants(directory);
    queries = tenants.queries();
  }

  @AfterEach
  void close() {
    tenants.close();
  }

  private void store(int from, int to) throws Exception {
    for (int i = from; i <= to; i++) {
      tenants.store(TENANT, "k-" + i, List.of("p"), "" + i);
    }
  }

  private static List<Long> seqs(List<? extends StoredPayload> records) {
    return records.stream().map(StoredPayload::seq).toList();
  }

  private static List<Long> numbers(PipelinePage page) {
    return page.records().stream().map(PipelineRecord::n).toList();
  }

  private PipelinePage page(int limit) throws Exception {
    return queries.page(TENANT, "p", "c", limit, Duration.ZERO);
  }

  @Test
  void pages_of_any_size_give_the_same_records_as_one_reading() throws Exception {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    List<Long> expected = new ArrayList<>();
    int total = random.nextInt(1, 400);
    for (int i = 1; i <= total; i++) {
      boolean in = random.nextInt(3) == 0;
      String text =
          "\"" + "x".repeat(random.nextInt(random.nextInt(10) == 0 ? 400_000 : 100)) + "\"";
      tenants.store(TENANT, "k-" + i, in ? List.of("q", "p") : List.of("q"), text);
      if (in) {
        expected.add((long) i);
      }
    }
    for (int round = 0; round < 5; round++) {
      List<Long> read = new ArrayList<>();
      long from = 1;
      while (true) {
        int limit = random.nextInt(1, 60);
        RecordPage<EventLine> page =
            queries.lines(TENANT, new EventFilter(from, limit, "p", null, null));
        assertThat(page.records()).as("seed %s", seed).hasSizeLessThanOrEqualTo(limit);
        read.addAll(seqs(page.records()));
        from = page.next();
        if (!page.more()) {
          break;
        }
      }
      assertThat(read).as("seed %s", seed).isEqualTo(expected);
      assertThat(from).as("seed %s", seed).isEqualTo(total + 1);
    }
    List<Long> all = new ArrayList<>();
    long next = queries.records(TENANT, Filters.from(0), event -> all.add(event.seq()));
    assertThat(all)
        .as("seed %s", seed)
        .isEqualTo(LongStream.rangeClosed(1, total).boxed().toList());
    assertThat(next).as("seed %s", seed).isEqualTo(total + 1);
  }

  @Test
  void a_page_ends_by_its_bytes_and_has_at_least_one_record() throws Exception {
    String large = "\"" + "x".repeat(2 << 20) + "\"";
    tenants.store(TENANT, "a", List.of("p"), large);
    tenants.store(TENANT, "b", List.of("p"), large);
    RecordPage<StoredEvent> page = queries.records(TENANT, Filters.from(1));
    assertThat(seqs(page.records())).containsExactly(1L);
    assertThat(page.more()).isTrue();
    assertThat(page.next()).isEqualTo(2);
    assertThat(numbers(page(10))).containsExactly(1L);
  }

  @Test
  void a_sink_that_has_enough_is_told_where_to_continue() throws Exception {
    store(1, 5);
    assertThat(queries.records(TENANT, Filters.from(2), event -> event.seq() < 3)).isEqualTo(4);
    assertThat(queries.records(TENANT, new EventFilter(2, 3, null, null, null), event -> true))
        .isEqualTo(5);
  }

  @Test
  void the_sink_can_write_to_the_tenant_because_no_snapshot_is_held() throws Exception {
    store(1, 2);
    List<Long> read = new ArrayList<>();
    queries.records(
        TENANT,
        Filters.from(1),
        event -> {
          read.add(event.seq());
          try {
            tenants.databases.checkpoint(TENANT);
          } catch (ViewException | InterruptedException failed) {
            throw new AssertionError(failed);
          }
          return true;
        });
    assertThat(read).containsExactly(1L, 2L);
  }

  @Test
  void a_receipt_is_found_before_and_after_applying() throws Exception {
    assertThat(queries.receipt(TENANT, "k-1")).isNull();
    Content content =
        Digests.content(
            List.of(new RecordData(List.of("p"), "1".getBytes(StandardCharsets.UTF_8))));
    tenants.unapplied.put(TENANT + "/k-1", content.digest());
    assertThat(queries.receipt(TENANT, "k-1"))
        .isEqualTo(new Queries.ReceiptState(TENANT, "k-1", content.digest(), null, 0, null, null));

    store(1, 1);
    Queries.ReceiptState applied = java.util.Objects.requireNonNull(queries.receipt(TENANT, "k-1"));
    assertThat(applied)
        .isEqualTo(
            new Queries.ReceiptState(
                TENANT, "k-1", content.digest(), 1L, 1, "0123abcd/events-0:0", 1_000L));
    assertThat(QueryJson.receipt(applied))
        .isEqualTo(
            "{\"tenant\":\"acme\",\"key\":\"k-1\",\"sha256\":\""
                + content.digest()
                + "\",\"seq\":1,\"records\":1,\"position\":\"0123abcd/events-0:0\","
                + "\"received_at\":\"1970-01-01T00:00:01.000Z\"}");
  }

  @Test
  void beyond_the_horizon_a_number_of_a_source_is_known_without_its_digest() throws Exception {
    tenants.store(TENANT, SOURCE + "-3", List.of(), "1");
    tenants.store(TENANT, "other", List.of(), "1");
    tenants.forgetKeys(TENANT);
    assertThat(queries.receipt(TENANT, SOURCE + "-3"))
        .isEqualTo(new Queries.ReceiptState(TENANT, SOURCE + "-3", null, null, 0, null, null));
    assertThat(queries.receipt(TENANT, SOURCE + "-2")).isNull();
    assertThat(queries.receipt(TENANT, "other")).isNull();
  }

  @Test
  void sources_are_reported_with_what_is_missing() throws Exception {
    for (int n : new int[] {1, 2, 5, 9}) {
      tenants.store(TENANT, SOURCE + "-" + n, List.of(), "1");
    }
    assertThat(queries.sourceReports(TENANT, null))
        .containsExactly(
            new SourceReport(
                SOURCE, 4, 2, List.of(new Interval(3, 4), new Interval(6, 8)), 2, 4_000));
    assertThat(queries.sourceReports(TENANT, "another")).isEmpty();
  }

  @Test
  void awaiting_a_transaction_gives_its_seqs() throws Exception {
    store(1, 1);
    CompletableFuture<SeqRange> range =
        CompletableFuture.supplyAsync(() -> {
          try {
            return queries.awaitApplied(TENANT, "two", 1, Duration.ofSeconds(20));
          } catch (ViewException | InterruptedException failed) {
            throw new AssertionError(failed);
          }
        });
    tenants.store(TENANT, "two", List.of(), "1", "2");
    assertThat(range.get()).isEqualTo(new SeqRange(2, 3));
    assertThat(range.get().header()).isEqualTo("2-3");
    assertThat(queries.awaitApplied(TENANT, "k-1", -1, Duration.ZERO))
        .isEqualTo(new SeqRange(1, 1));
    assertThat(queries.awaitApplied(TENANT, "later", 9, Duration.ofMillis(20))).isNull();
  }

  @Test
  void a_tenant_without_a_database_is_empty_and_gets_none() throws Exception {
    assertThat(queries.records(TENANT, Filters.from(1)).records()).isEmpty();
    assertThat(queries.sources(TENANT, null)).isEmpty();
    assertThat(queries.state(TENANT)).isNull();
    assertThat(page(1).records()).isEmpty();
    assertThat(tenants.databases.exists(TENANT)).isFalse();
  }

  @Test
  void a_parked_tenant_is_refused_by_every_reading() throws Exception {
    store(1, 1);
    tenants.parked.add(TENANT);
    assertThatThrownBy(() -> queries.records(TENANT, Filters.from(1)))
        .isInstanceOf(ViewException.class);
    assertThatThrownBy(() -> queries.receipt(TENANT, "k-1")).isInstanceOf(ViewException.class);
    assertThatThrownBy(() -> queries.sources(TENANT, null)).isInstanceOf(ViewException.class);
    assertThatThrownBy(() -> page(1)).isInstanceOf(ViewException.class);
  }

  @Test
  void a_tenant_whose_database_was_deleted_is_not_taken_for_an_empty_one() throws Exception {
    store(1, 1);
    Path renamed = tenants.databases.setAside(TENANT);
    assertThat(renamed).exists();
    assertThatThrownBy(() -> queries.records(TENANT, Filters.from(1)))
        .isInstanceOf(ViewException.class)
        .hasMessageContaining("rebuilt");
    assertThatThrownBy(() -> queries.receipt(TENANT, "k-1")).isInstanceOf(ViewException.class);
  }

  @Test
  void the_state_of_a_tenant_has_its_json() throws Exception {
    store(1, 2);
    assertThat(QueryJson.state(java.util.Objects.requireNonNull(queries.state(TENANT))))
        .contains("\"tenant\":\"acme\",\"seq\":2,\"first_seq\":1")
        .contains("\"applied_offset\":1,\"log_records\":{\"stored\":2,");
  }

  @Test
  void a_consumer_reads_its_pipeline_and_moves_its_cursor_by_itself() throws Exception {
    for (int i = 1; i <= 6; i++) {
      tenants.store(TENANT, "k-" + i, i % 2 == 0 ? List.of("p", "x") : List.of("x"), "" + i);
    }
    PipelinePage first = page(2);
    assertThat(numbers(first)).containsExactly(1L, 2L);
    assertThat(seqs(first.records().stream().map(PipelineRecord::line).toList()))
        .containsExactly(2L, 4L);
    assertThat(first.expiredHeader()).isNull();
    assertThat(page(2)).usingRecursiveComparison().isEqualTo(first);

    queries.moveCursor(TENANT, "p", "c", 2);
    assertThat(numbers(page(2))).containsExactly(3L);
    queries.moveCursor(TENANT, "p", "c", 3);
    assertThat(page(2).records()).isEmpty();
    assertThat(page(2).cursor()).isEqualTo(3);
    assertThat(numbers(queries.page(TENANT, "p", "another", 9, Duration.ZERO)))
        .containsExactly(1L, 2L, 3L);
  }

  @Test
  void a_mailbox_that_is_behind_is_asked_for_and_nothing_final_is_said_meanwhile()
      throws Exception {
    store(1, 3);
    assertThat(numbers(page(9))).containsExactly(1L, 2L, 3L);
    assertThat(tenants.behind).isEmpty();

    tenants.databases.setAsideMailbox(TENANT);
    assertThat(page(9).records()).isEmpty();
    assertThat(tenants.behind).containsExactly(TENANT);
    assertThatThrownBy(() -> queries.moveCursor(TENANT, "p", "c", 3))
        .isInstanceOf(ViewException.class);
  }

  @Test
  void a_cursor_can_be_moved_back_but_not_beyond_the_end() throws Exception {
    store(1, 3);
    queries.moveCursor(TENANT, "p", "c", 3);
    queries.moveCursor(TENANT, "p", "c", 1);
    assertThat(numbers(page(9))).containsExactly(2L, 3L);
    queries.moveCursor(TENANT, "p", "c", 0);
    assertThat(numbers(page(9))).containsExactly(1L, 2L, 3L);

    assertThatThrownBy(() -> queries.moveCursor(TENANT, "p", "c", 4))
        .isInstanceOf(InvalidQueryException.class)
        .hasMessage("through is 4, but the last record of the pipeline has n = 3");
    assertThatThrownBy(() -> queries.moveCursor(TENANT, "none", "c", 1))
        .isInstanceOf(InvalidQueryException.class)
        .hasMessage("through is 1, but the pipeline has no record");
    assertThatThrownBy(() -> queries.moveCursor(TENANT, "p", "c", -1))
        .isInstanceOf(InvalidQueryException.class);
    assertThat(page(1).cursor()).isZero();
  }

  @Test
  void bad_names_limits_and_waits_are_refused() throws Exception {
    for (String name : List.of("", "A", "a/b", "../x", "x".repeat(65))) {
      assertThatThrownBy(() -> queries.page(TENANT, "p", name, 1, Duration.ZERO))
          .isInstanceOf(InvalidQueryException.class);
    }
    assertThatThrownBy(() -> page(0)).isInstanceOf(InvalidQueryException.class);
    assertThatThrownBy(() -> queries.page(TENANT, "p", "c", 1, Duration.ofSeconds(31)))
        .isInstanceOf(InvalidQueryException.class);
    assertThat(queries.page(TENANT, "any / name %", "c", 1, Duration.ZERO).records()).isEmpty();
  }

  @Test
  void expired_records_are_named_from_the_cursor_on() throws Exception {
    store(1, 10);
    tenants.expire(TENANT, 5);
    PipelinePage page = page(3);
    assertThat(numbers(page)).containsExactly(5L, 6L, 7L);
    assertThat(page.expiredHeader()).isEqualTo("1-4");
    queries.moveCursor(TENANT, "p", "c", 2);
    assertThat(page(3).expiredHeader()).isEqualTo("3-4");
    queries.moveCursor(TENANT, "p", "c", 4);
    assertThat(page(3).expiredHeader()).isNull();

    tenants.expire(TENANT, 11);
    assertThat(page(3).records()).isEmpty();
    assertThat(page(3).expiredHeader()).isEqualTo("5-10");
    queries.moveCursor(TENANT, "p", "c", 10);
    store(11, 11);
    assertThat(numbers(page(3))).containsExactly(11L);
  }

  @Test
  void records_that_leave_between_the_two_readings_count_as_expired() throws Exception {
    store(1, 4);
    tenants.databases.write(
        TENANT,
        writer -> {
          writer.deleteEventsBefore(3, writer.state().chain(), Map.of());
          return true;
        });
    PipelinePage page = page(9);
    assertThat(numbers(page)).containsExactly(3L, 4L);
    assertThat(page.expiredHeader()).isEqualTo("1-2");
  }

  @Test
  void a_waiting_consumer_gets_a_record_when_mailbox_has_it() throws Exception {
    store(1, 1);
    queries.moveCursor(TENANT, "p", "c", 1);
    CompletableFuture<PipelinePage> waiting =
        CompletableFuture.supplyAsync(() -> {
          try {
            return queries.page(TENANT, "p", "c", 9, Duration.ofSeconds(20));
          } catch (Exception failed) {
            throw new AssertionError(failed);
          }
        });
    tenants.storeEvents(
        TENANT, "k-2", List.of(new RecordData(List.of("p"), "2".getBytes(StandardCharsets.UTF_8))));
    await().during(Duration.ofMillis(50)).until(() -> !waiting.isDone());
    tenants.storeItems(TENANT);
    assertThat(numbers(waiting.get())).containsExactly(2L);
  }

  @Test
  void a_wait_that_is_over_gives_an_empty_page() throws Exception {
    assertThat(queries.page(TENANT, "p", "c", 9, Duration.ofMillis(30)).records()).isEmpty();
    store(1, 1);
    queries.moveCursor(TENANT, "p", "c", 1);
    assertThat(queries.page(TENANT, "p", "c", 9, Duration.ofMillis(30)).records()).isEmpty();
  }

  @Test
  void a_consumer_that_reads_any_pages_and_is_killed_misses_no_record() throws Exception {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    List<Long> expected = new ArrayList<>();
    for (int i = 1; i <= 120; i++) {
      boolean in = random.nextBoolean();
      tenants.store(TENANT, "k-" + i, in ? List.of("p") : List.of(), "" + i);
      if (in) {
        expected.add((long) i);
      }
    }
    List<Long> read = new ArrayList<>();
    while (true) {
      PipelinePage page = page(random.nextInt(1, 20));
      if (page.records().isEmpty()) {
        break;
      }
      if (random.nextInt(4) == 0) {
        continue; // Killed before it moved its cursor.
      }
      int handled = random.nextInt(1, page.records().size() + 1);
      page.records().subList(0, handled).forEach(record -> read.add(record.line().seq()));
      queries.moveCursor(TENANT, "p", "c", page.records().get(handled - 1).n());
    }
    assertThat(read).as("seed %s", seed).isEqualTo(expected);
  }
}
