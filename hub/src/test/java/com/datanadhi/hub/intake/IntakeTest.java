package com.datanadhi.hub.intake;

import static com.datanadhi.hub.intake.Stage.TENANT;
import static com.datanadhi.hub.intake.Stage.submission;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.hub.log.Append;
import com.datanadhi.hub.record.EventBody;
import com.datanadhi.hub.record.EventCodec;
import com.datanadhi.hub.record.RecordData;
import com.datanadhi.hub.record.Transaction;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class IntakeTest {
  private static final String SOURCE = "0123456789abcdef0123456789abcdef";

  private Stage stage = new Stage();

  @AfterEach
  void every_transaction_is_counted_in_one_class() {
    assertThat(stage.intake.counts().difference()).isZero();
    assertThat(stage.intake.counts().inProgress()).isZero();
  }

  enum Where {
    NOWHERE,
    IN_THE_TAIL,
    IN_THE_DATABASE,
    LOADED_AT_A_START,
    IN_THE_DATABASE_OF_AN_EARLIER_PROCESS,
    FORGOTTEN
  }

  /// The truth table: where the key is known, and what is sent under it.
  @ParameterizedTest
  @EnumSource(Where.class)
  void the_outcome_depends_on_what_is_known_of_the_key(Where where) throws Exception {
    for (String key : List.of("k-1", SOURCE + "-7")) {
      stage = new Stage();
      stage.send(SOURCE + "-6", "0");
      if (where != Where.NOWHERE) {
        assertThat(((Outcome.Stored) stage.send(key, "{\"a\":1}")).replayed()).isFalse();
      }
      switch (where) {
        case NOWHERE, IN_THE_TAIL -> {}
        case IN_THE_DATABASE -> stage.applyAll();
        case LOADED_AT_A_START -> stage.restart();
        case IN_THE_DATABASE_OF_AN_EARLIER_PROCESS -> {
          stage.applyAll();
          stage.restart();
        }
        case FORGOTTEN -> {
          stage.applyAll();
          stage.clock.advance(Stage.HORIZON + 1);
        }
      }
      int appends = stage.log.appends();
      boolean bySource = key.startsWith(SOURCE);

      Outcome same = stage.send(key, " {\"a\":1}\n");
      int appendsOfSame = stage.log.appends() - appends;
      Outcome other = stage.send(key, "{\"a\":2}");
      Outcome otherAgain = stage.send(key, "{\"a\":2}");
      int appendsOfOther = stage.log.appends() - appends - appendsOfSame;

      if (where == Where.FORGOTTEN && bySource) {
        for (Outcome outcome : List.of(same, other, otherAgain)) {
          assertThat(outcome)
              .isEqualTo(new Outcome.Stored(new Receipt(TENANT, key, null, null), true, -1));
        }
        assertThat(appendsOfSame + appendsOfOther).isZero();
      } else {
        boolean isNew = where == Where.NOWHERE || where == Where.FORGOTTEN;
        Outcome.Stored stored = (Outcome.Stored) same;
        assertThat(stored.replayed()).isEqualTo(!isNew);
        assertThat(stored.receipt().durability()).isEqualTo("fsync");
        assertThat(appendsOfSame).isEqualTo(isNew ? 1 : 0);
        assertThat(other).isInstanceOf(Outcome.Conflict.class).isEqualTo(otherAgain);
        Outcome.Conflict conflict = (Outcome.Conflict) other;
        assertThat(conflict.stored().digest()).isEqualTo(stored.receipt().sha256());
        assertThat(conflict.stored().pipelinesDigest())
            .isEqualTo(conflict.sent().pipelinesDigest());
        assertThat(appendsOfOther).isEqualTo(1);
        stage.applyAll();
        assertThat(stage.send(key, "{\"a\":2}")).isEqualTo(other);
        assertThat(stage.log.appends() - appends - appendsOfSame).isEqualTo(1);
        assertThat(stage.view.conflicts(TENANT)).containsExactly(key);
      }
    }
  }

  @Test
  void the_same_digest_with_other_pipelines_is_a_conflict() throws Exception {
    stage.send("k", "1");
    Outcome other =
        stage.intake.submit(
            TENANT, new Submission("k", List.of(new RecordData(List.of("q"), bytes("1")))));
    assertThat(other).isInstanceOf(Outcome.Conflict.class);
    Outcome.Conflict conflict = (Outcome.Conflict) other;
    assertThat(conflict.stored().digest()).isEqualTo(conflict.sent().digest());
    assertThat(conflict.stored().pipelinesDigest())
        .hasSize(64)
        .isNotEqualTo(conflict.sent().pipelinesDigest());
  }

  @Test
  void tenants_do_not_share_keys() throws Exception {
    stage.intake.submit("one", submission("k", "1"));
    assertThat(stage.intake.submit("two", submission("k", "2"))).isInstanceOf(Outcome.Stored.class);
    assertThat(stage.log.appends()).isEqualTo(2);
  }

  @Test
  void a_transaction_without_a_key_gets_a_uuid_and_is_known_by_it() throws Exception {
    Outcome.Stored first = (Outcome.Stored) stage.send(null, "1");
    Outcome.Stored second = (Outcome.Stored) stage.send(null, "1");
    assertThat(UUID.fromString(first.receipt().key()).version()).isEqualTo(7);
    assertThat(second.receipt().key()).isGreaterThan(first.receipt().key());
    assertThat(stage.view.reads()).isZero();
    assertThat(stage.send(first.receipt().key(), "1"))
        .isEqualTo(new Outcome.Stored(first.receipt(), true, first.offset()));
  }

  static Stream<Submission> invalid() {
    return Stream.of(
        submission("", "1"),
        submission("a b", "1"),
        submission("k\u0000", "1"),
        submission("ü", "1"),
        submission("k".repeat(256), "1"),
        submission("k"),
        submission("k", ""),
        new Submission("k", List.of(new RecordData(List.of("\ud800"), bytes("1")))),
        new Submission("k", List.of(new RecordData(List.of("\udc00\ud800"), bytes("1")))));
  }

  @ParameterizedTest
  @MethodSource("invalid")
  void what_can_never_be_stored_is_a_bad_request(Submission submission) throws Exception {
    Outcome outcome = stage.intake.submit(TENANT, submission);
    assertThat(outcome).isInstanceOf(Outcome.Invalid.class);
    assertThat(((Outcome.Invalid) outcome).status()).isEqualTo(400);
    assertThat(stage.log.appends()).isZero();
    assertThat(stage.intake.counts().refused()).isEqualTo(Map.of("invalid", 1L));
  }

  static Stream<Submission> tooLarge() {
    byte[] big = new byte[(4 << 20) + 1];
    byte[] full = new byte[4 << 20];
    return Stream.of(
        new Submission("bad key", List.of(new RecordData(List.of(), big))),
        new Submission("k", IntStream.range(0, 1001).mapToObj(_ -> record(bytes("1"))).toList()),
        new Submission(
            "k", List.of(new RecordData(List.of("\u00fc".repeat(2 << 20), "a"), bytes("1")))),
        new Submission("k", List.of(record(full), record(full), record(full))));
  }

  @ParameterizedTest
  @MethodSource("tooLarge")
  void what_is_too_large_is_told_so(Submission submission) throws Exception {
    Outcome outcome = stage.intake.submit(TENANT, submission);
    assertThat(outcome).isInstanceOf(Outcome.Invalid.class);
    assertThat(((Outcome.Invalid) outcome).status()).isEqualTo(413);
    assertThat(stage.log.appends()).isZero();
  }

  @Test
  void the_largest_transactions_are_stored() throws Exception {
    assertThat(
            stage.intake.submit(
                TENANT,
                new Submission(
                    "k".repeat(255),
                    List.of(
                        new RecordData(
                            List.of("\ud83d\ude00".repeat(1 << 20)), new byte[4 << 20])))))
        .isInstanceOf(Outcome.Stored.class);
    assertThat(
            stage.intake.submit(
                TENANT,
                new Submission(
                    "many", IntStream.range(0, 1000).mapToObj(_ -> record(bytes("1"))).toList())))
        .isInstanceOf(Outcome.Stored.class);
    assertThat(stage.intake.unappliedRecords()).isEqualTo(1001);
  }

  @Test
  void a_thousand_callers_under_one_key_make_one_append_and_get_equal_receipts() throws Exception {
    stage.log.hold();
    List<Future<Outcome>> calls = new ArrayList<>();
    try (var callers = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 1000; i++) {
        calls.add(callers.submit(() -> stage.send("k", "1")));
      }
      await().until(() -> stage.intake.counts().received() == 1000 && stage.log.waiting() == 1);
      assertThat(calls).noneMatch(Future::isDone);
      stage.log.release();
    }
    List<Outcome.Stored> outcomes = new ArrayList<>();
    for (Future<Outcome> call : calls) {
      outcomes.add((Outcome.Stored) call.get());
    }
    assertThat(stage.log.appends()).isEqualTo(1);
    assertThat(outcomes.stream().map(Outcome.Stored::receipt).distinct()).hasSize(1);
    assertThat(outcomes.stream().filter(outcome -> !outcome.replayed())).hasSize(1);
    assertThat(stage.intake.counts().appended()).isEqualTo(1);
    assertThat(stage.intake.counts().duplicates()).isEqualTo(999);
  }

  @Test
  void of_two_payloads_under_one_key_one_is_stored_and_the_other_kept_once() throws Exception {
    stage.log.hold();
    List<Future<Outcome>> calls = new ArrayList<>();
    try (var callers = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 400; i++) {
        String payload = String.valueOf(i % 4);
        calls.add(callers.submit(() -> stage.send("k", payload)));
      }
      await().until(() -> stage.log.appends() == 4);
      assertThat(calls).noneMatch(Future::isDone);
      stage.log.release();
    }
    int stored = 0;
    for (Future<Outcome> call : calls) {
      switch (call.get()) {
        case Outcome.Stored _ -> stored++;
        case Outcome.Conflict conflict ->
            assertThat(conflict.stored()).isNotEqualTo(conflict.sent());
        case Outcome other -> throw new AssertionError(other);
      }
    }
    assertThat(stored).isEqualTo(100);
    assertThat(stage.log.all().stream().map(entry -> entry.type()))
        .containsExactly(
            EventBody.TRANSACTIONS, EventBody.CONFLICT, EventBody.CONFLICT, EventBody.CONFLICT);
    stage.applyAll();
    assertThat(stage.view.stored(TENANT)).containsExactly("k");
    assertThat(stage.intake.unappliedRecords()).isZero();
  }

  @Test
  void each_line_of_a_batch_has_an_outcome_of_its_own_and_one_append_has_them_all()
      throws Exception {
    stage.send("old", "1");
    List<Outcome> outcomes =
        stage.intake.submitEach(
            TENANT,
            List.of(
                submission("old", "1"),
                submission("new", "2"),
                submission("bad key", "3"),
                submission("new", "2"),
                submission("new", "3"),
                submission("new", "3"),
                submission("old", "9"),
                submission("last", "4")));
    assertThat(stage.log.appends()).isEqualTo(2);
    assertThat(outcomes.stream().map(outcome -> outcome.getClass().getSimpleName()))
        .containsExactly(
            "Stored", "Stored", "Invalid", "Stored", "Conflict", "Conflict", "Conflict", "Stored");
    assertThat(((Outcome.Stored) outcomes.get(1)).replayed()).isFalse();
    assertThat(((Outcome.Stored) outcomes.get(3)).replayed()).isTrue();
    assertThat(((Outcome.Stored) outcomes.get(3)).receipt())
        .isEqualTo(((Outcome.Stored) outcomes.get(1)).receipt());
    assertThat(((Outcome.Stored) outcomes.get(3)).offset()).isEqualTo(1);
    assertThat(((Outcome.Stored) outcomes.get(7)).offset()).isEqualTo(4);
    assertThat(keysInLog()).containsExactly("old", "new", "new", "old", "last");
    IntakeCounts counts = stage.intake.counts();
    assertThat(counts.appended()).isEqualTo(3);
    assertThat(counts.duplicates()).isEqualTo(2);
    assertThat(counts.conflicts()).isEqualTo(3);
  }

  @Test
  void an_upload_is_one_log_record_without_the_lines_that_are_known() throws Exception {
    stage.send("known", "1");
    List<Outcome> outcomes =
        stage.intake.submitTogether(
            TENANT,
            List.of(
                submission("known", "1"),
                submission("a", "2"),
                submission(null, "3"),
                submission("a", "2")));
    assertThat(outcomes).allMatch(outcome -> outcome instanceof Outcome.Stored);
    assertThat(outcomes.stream().map(outcome -> ((Outcome.Stored) outcome).replayed()))
        .containsExactly(true, false, false, true);
    assertThat(outcomes.stream().map(outcome -> ((Outcome.Stored) outcome).offset()))
        .containsExactly(0L, 1L, 1L, 1L);
    assertThat(stage.log.all()).hasSize(2);
    assertThat(EventCodec.decode(stage.log.all().get(1).payload()).transactions()).hasSize(2);
    assertThat(stage.intake.unappliedRecords()).isEqualTo(3);
    stage.applyAll();
    assertThat(stage.intake.unappliedRecords()).isZero();
    assertThat(stage.intake.submitTogether(TENANT, List.of(submission("a", "2"))).getFirst())
        .isEqualTo(new Outcome.Stored(((Outcome.Stored) outcomes.get(1)).receipt(), true, -1));
    assertThat(stage.log.all()).hasSize(2);
  }

  @Test
  void an_upload_with_a_bad_or_conflicting_line_stores_nothing_and_keeps_the_conflicts()
      throws Exception {
    stage.send("known", "1");
    assertThat(
            stage.intake.submitTogether(
                TENANT, List.of(submission("a", "1"), submission("bad key", "1"))))
        .element(1)
        .isInstanceOf(Outcome.Invalid.class);
    assertThat(stage.log.all()).hasSize(1);
    assertThat(
            stage.intake.submitTogether(
                TENANT, List.of(submission("a", "1"), submission("a", "2"))))
        .element(1)
        .isInstanceOf(Outcome.Invalid.class);
    assertThat(stage.log.all()).hasSize(1);

    List<Submission> conflicting =
        List.of(
            submission("a", "1"),
            submission("known", "2"),
            submission("a", "1"),
            submission("known", "1"),
            submission("known", "3"));
    for (int i = 0; i < 2; i++) {
      List<Outcome> outcomes = stage.intake.submitTogether(TENANT, conflicting);
      assertThat(outcomes.get(1)).isInstanceOf(Outcome.Conflict.class);
      assertThat(outcomes.get(4)).isInstanceOf(Outcome.Conflict.class);
      assertThat(outcomes.get(0)).isInstanceOf(Outcome.Unavailable.class);
      assertThat(outcomes.get(2)).isInstanceOf(Outcome.Unavailable.class);
      assertThat(keysInLog()).containsExactly("known", "known", "known");
    }
    assertThat(stage.send("a", "9")).isInstanceOf(Outcome.Stored.class);
  }

  @Test
  void a_refused_append_leaves_no_trace() throws Exception {
    stage.log.refuse(new Append.Refused(Append.Cause.FULL, "too much waits"));
    Outcome refused =
        stage.intake.submitEach(TENANT, List.of(submission("k", "1"), submission("k", "1"))).get(1);
    assertThat(refused).isInstanceOf(Outcome.Unavailable.class);
    assertThat(((Outcome.Unavailable) refused).reason()).isEqualTo("log_full");
    assertThat(((Outcome.Unavailable) refused).retryAfter()).hasSeconds(1);
    assertThat(stage.intake.unappliedRecords()).isZero();
    stage.log.recover();
    assertThat(stage.send("k", "2")).isInstanceOf(Outcome.Stored.class);
    assertThat(stage.intake.counts().refused()).isEqualTo(Map.of("log_full", 2L));
  }

  @Test
  void an_append_with_an_unknown_end_is_unavailable_to_all_who_joined_it() throws Exception {
    stage.log.hold();
    List<Future<Outcome>> calls = new ArrayList<>();
    try (var callers = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 10; i++) {
        calls.add(callers.submit(() -> stage.send("k", "1")));
      }
      calls.add(callers.submit(() -> stage.send("k", "2")));
      await().until(() -> stage.intake.counts().received() == 11 && stage.log.waiting() >= 1);
      stage.log.fail("the disk failed");
    }
    for (Future<Outcome> call : calls) {
      assertThat(((Outcome.Unavailable) call.get()).reason()).isEqualTo("unknown");
    }
    assertThat(stage.intake.unappliedRecords()).isZero();
    assertThat(stage.intake.counts().unknown()).isEqualTo(11);
  }

  @Test
  void what_an_unknown_append_left_in_the_log_is_not_stored_twice() throws Exception {
    stage.log.fail("the disk failed");
    stage.send("k", "1");
    stage.log.recover();
    assertThat(((Outcome.Stored) stage.send("k", "1")).replayed()).isFalse();
    stage.applyAll();
    assertThat(stage.view.stored(TENANT)).containsExactly("k");
    assertThat(stage.intake.unappliedRecords()).isZero();
  }

  @Test
  void an_interrupted_caller_leaves_the_append_to_those_who_joined() throws Exception {
    stage.log.hold();
    AtomicReference<Throwable> end = new AtomicReference<>();
    Thread first =
        Thread.startVirtualThread(() -> {
          try {
            stage.send("k", "1");
          } catch (Throwable thrown) {
            end.set(thrown);
          }
        });
    await().until(() -> stage.log.waiting() == 1);
    first.interrupt();
    first.join();
    assertThat(end.get()).isInstanceOf(InterruptedException.class);
    stage.log.release();
    await().until(() -> stage.intake.unapplied(TENANT, "k") != null);
    assertThat(((Outcome.Stored) stage.send("k", "1")).replayed()).isTrue();
    assertThat(stage.log.appends()).isEqualTo(1);
    assertThat(stage.intake.counts().unknown()).isEqualTo(1);
  }

  @Test
  void a_tenant_whose_records_are_not_applied_is_refused_beyond_the_bounds() throws Exception {
    stage = new Stage(new IntakeSettings.Bounds(3, 1000, 4));
    stage.send("1", "1");
    stage.send("2", "1", "2");
    Outcome refused = stage.send("3", "1");
    assertThat(((Outcome.Unavailable) refused).reason()).isEqualTo("unapplied");
    assertThat(((Outcome.Stored) stage.send("2", "1", "2")).replayed()).isTrue();
    assertThat(stage.intake.submit("other", submission("1", "1")))
        .isInstanceOf(Outcome.Stored.class);
    assertThat(stage.intake.submit("third", submission("1", "1")))
        .isInstanceOf(Outcome.Unavailable.class);
    stage.applyAll();
    assertThat(stage.send("3", "1")).isInstanceOf(Outcome.Stored.class);
    assertThat(stage.send("4", "\"" + "x".repeat(1000) + "\""))
        .isInstanceOf(Outcome.Unavailable.class);
    stage.applyAll();
    assertThat(stage.intake.unappliedRecords()).isZero();
  }

  @Test
  void a_tenant_whose_database_cannot_be_read_is_served_and_applying_decides() throws Exception {
    stage.send("k", "1");
    stage.applyAll();
    stage.view.broken(true);
    assertThat(((Outcome.Stored) stage.send("k", "1")).replayed()).isFalse();
    assertThat(((Outcome.Stored) stage.send("k", "1")).replayed()).isTrue();
    assertThat(stage.intake.failedLookups()).isEqualTo(1);
    stage.view.broken(false);
    stage.applyAll();
    assertThat(stage.view.stored(TENANT)).containsExactly("k");
    assertThat(stage.view.duplicates(TENANT)).isEqualTo(1);
  }

  @Test
  void a_number_above_all_of_its_source_needs_no_look_up() throws Exception {
    stage.send(SOURCE + "-1", "1");
    stage.applyAll();
    stage.restart();
    for (int n = 2; n < 100; n++) {
      assertThat(((Outcome.Stored) stage.send(SOURCE + "-" + n, "1")).replayed()).isFalse();
      if (n % 10 == 0) {
        stage.applyAll();
      }
    }
    assertThat(stage.view.reads()).isLessThanOrEqualTo(2);
    assertThat(((Outcome.Stored) stage.send(SOURCE + "-50", "1")).replayed()).isTrue();
  }

  @Test
  void a_late_number_in_a_gap_is_new_once() throws Exception {
    for (int n : new int[] {1, 2, 5, 9}) {
      stage.send(SOURCE + "-" + n, "1");
    }
    stage.applyAll();
    assertThat(((Outcome.Stored) stage.send(SOURCE + "-7", "1")).replayed()).isFalse();
    assertThat(((Outcome.Stored) stage.send(SOURCE + "-7", "1")).replayed()).isTrue();
    stage.applyAll();
    assertThat(((Outcome.Stored) stage.send(SOURCE + "-7", "1")).replayed()).isTrue();
    assertThat(stage.view.stored(TENANT)).hasSize(5);
  }

  @Test
  void batches_of_many_senders_keep_the_order_of_each_source() throws Exception {
    CountDownLatch begin = new CountDownLatch(1);
    try (var senders = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> all = new ArrayList<>();
      for (int s = 0; s < 16; s++) {
        String source = "%032x".formatted(s);
        all.add(
            senders.submit(() -> {
              begin.await();
              for (int n = 1; n <= 1000; n += 50) {
                List<Submission> batch = new ArrayList<>();
                for (int i = n; i < n + 50; i++) {
                  batch.add(submission(source + "-" + i, "1"));
                }
                assertThat(stage.intake.submitEach(TENANT, batch))
                    .allMatch(outcome -> outcome instanceof Outcome.Stored);
              }
              return null;
            }));
      }
      begin.countDown();
      while (all.stream().anyMatch(sender -> !sender.isDone())) {
        stage.applyAll();
        Thread.onSpinWait();
      }
      for (Future<?> sender : all) {
        sender.get();
      }
    }
    stage.applyAll();
    List<String> stored = stage.view.stored(TENANT);
    assertThat(stored).hasSize(16_000);
    for (int s = 0; s < 16; s++) {
      String source = "%032x-".formatted(s);
      assertThat(stored.stream().filter(key -> key.startsWith(source)))
          .containsExactlyElementsOf(
              IntStream.rangeClosed(1, 1000).mapToObj(n -> source + n).toList());
    }
    assertThat(stage.intake.unappliedRecords()).isZero();
  }

  @Test
  void an_unapplied_transaction_can_be_looked_up() throws Exception {
    Outcome.Stored stored = (Outcome.Stored) stage.send("k", "1");
    assertThat(stage.intake.unapplied(TENANT, "k"))
        .isEqualTo(new Outcome.Stored(stored.receipt(), true, stored.offset()));
    assertThat(stage.intake.unapplied(TENANT, "other")).isNull();
    assertThat(stage.intake.unapplied("nobody", "k")).isNull();
    stage.applyAll();
    assertThat(stage.intake.unapplied(TENANT, "k")).isNull();
  }

  private List<String> keysInLog() throws EventCodec.InvalidBodyException {
    List<String> keys = new ArrayList<>();
    for (var entry : stage.log.all()) {
      for (Transaction transaction : EventCodec.decode(entry.payload()).transactions()) {
        keys.add(transaction.key());
      }
    }
    return keys;
  }

  private static RecordData record(byte[] logData) {
    return new RecordData(List.of(), logData);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }
}
