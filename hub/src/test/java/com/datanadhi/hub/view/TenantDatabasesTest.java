package com.datanadhi.hub.view;

import static com.datanadhi.hub.view.Rows.CONTENT;
import static com.datanadhi.hub.view.Rows.SOURCE;
import static com.datanadhi.hub.view.Rows.all;
import static com.datanadhi.hub.view.Rows.append;
import static com.datanadhi.hub.view.Rows.applied;
import static com.datanadhi.hub.view.Rows.event;
import static com.datanadhi.hub.view.Rows.forgetting;
import static com.datanadhi.hub.view.Rows.key;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.hub.record.Content;
import com.datanadhi.hub.record.Digests;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TenantDatabasesTest {
  @TempDir Path directory;
  private TenantDatabases databases;

  @BeforeEach
  void open() {
    databases = new TenantDatabases(directory.resolve("tenants"), 256);
  }

  @AfterEach
  void close() {
    databases.close();
  }

  private Path file(String name) {
    return directory.resolve("tenants/" + prefix("acme") + "/acme/" + name);
  }

  private static String prefix(String tenant) {
    return Digests.hex(Digests.sha256().digest(tenant.getBytes(UTF_8))).substring(0, 2);
  }

  @Test
  void a_new_database_starts_before_the_first_record() throws Exception {
    ViewState state = databases.write("acme", TenantReader::state);

    String chain = Digests.hex(Digests.sha256().digest("acme".getBytes(UTF_8)));
    assertThat(state)
        .isEqualTo(
            new ViewState("acme", null, "events-0", -1, 0, chain, 1, chain, 0, 0, 0, 0, 0, 0));
    assertThat(databases.exists("acme")).isTrue();
    assertThat(databases.exists("other")).isFalse();
  }

  @Test
  void reading_a_database_that_is_missing_fails_and_makes_none() throws Exception {
    databases.write("acme", Rows::one);
    assertThatThrownBy(() -> databases.read("other", TenantReader::state))
        .isInstanceOfSatisfying(
            ViewException.class,
            failed -> assertThat(failed.kind()).isEqualTo(ViewException.Kind.DAMAGED));
    assertThat(databases.exists("other")).isFalse();

    for (String name : List.of("canonical.db", "canonical.db-wal", "canonical.db-shm")) {
      Files.delete(file(name));
    }
    assertThatThrownBy(() -> databases.read("acme", TenantReader::state))
        .hasMessageContaining("is missing");
    assertThat(databases.exists("acme")).isFalse();
    databases.write("acme", Rows::one);
    assertThat(databases.<Long>read("acme", reader -> reader.state().seq())).isEqualTo(1);
  }

  @Test
  void files_are_for_the_hubs_user_alone() throws Exception {
    databases.write("acme", Rows::one);
    databases.writeMailbox("acme", Rows::oneItem);

    for (String name :
        List.of("canonical.db", "canonical.db-wal", "mailbox.db", "mailbox.db-shm")) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file(name))))
          .as(name)
          .isEqualTo("rw-------");
    }
    for (String parent :
        List.of("tenants", "tenants/" + prefix("acme"), "tenants/" + prefix("acme") + "/acme")) {
      Path path = directory.resolve(parent);
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
          .isEqualTo("rwx------");
    }
  }

  @Test
  void what_is_committed_is_there_after_closing() throws Exception {
    databases.write(
        "acme",
        writer -> {
          append(writer, 3);
          return "";
        });
    databases.close();
    open();

    databases.read(
        "acme",
        reader -> {
          assertThat(reader.state().seq()).isEqualTo(3);
          assertThat(all(reader))
              .usingRecursiveComparison()
              .isEqualTo(List.of(event(1), event(2), event(3)));
          assertThat(reader.applied(List.of(key(2), "unknown", key(3))))
              .containsOnlyKeys(key(2), key(3))
              .containsEntry(key(2), applied(key(2), 2, 2_000));
          assertThat(reader.sources(null))
              .containsExactly(new SourceState(SOURCE, List.of(new Interval(1, 3)), 3_000));
          return "";
        });
    assertThat(file("canonical.db-wal")).exists();
    databases.close();
    assertThat(file("canonical.db-wal")).as("a clean end").doesNotExist();
  }

  @Test
  void a_rollback_leaves_nothing() throws Exception {
    databases.write("acme", Rows::one);
    assertThatThrownBy(() ->
            databases.write(
                "acme",
                writer -> {
                  append(writer, 5);
                  assertThat(writer.hasNumber(SOURCE, 6)).isTrue();
                  throw new IllegalStateException("no");
                }))
        .isInstanceOf(IllegalStateException.class);

    databases.write(
        "acme",
        writer -> {
          assertThat(writer.state().seq()).isEqualTo(1);
          assertThat(writer.hasNumber(SOURCE, 1)).isTrue();
          assertThat(writer.hasNumber(SOURCE, 2)).isFalse();
          assertThat(writer.appliedRow(key(2))).isNull();
          assertThat(writer.intervals(SOURCE)).containsExactly(new Interval(1, 1));
          assertThat(all(writer)).hasSize(1);
          return "";
        });
  }

  @Test
  void a_failure_that_the_work_swallows_rolls_back_all_the_same() throws Exception {
    databases.write("acme", Rows::one);
    assertThatThrownBy(() ->
            databases.write(
                "acme",
                writer -> {
                  append(writer, 1);
                  try {
                    writer.insertEvent(event(2));
                  } catch (RuntimeException twice) {
                    return "done";
                  }
                  return "";
                }))
        .isInstanceOfSatisfying(
            ViewException.class, e -> assertThat(e.kind()).isEqualTo(ViewException.Kind.DAMAGED));
    assertThat(databases.<Long>read("acme", reader -> reader.state().seq())).isEqualTo(1);
  }

  @Test
  void a_reader_sees_one_snapshot_and_does_not_block_the_writer() throws Exception {
    databases.write("acme", Rows::one);
    databases.read(
        "acme",
        reader -> {
          assertThat(reader.state().seq()).isEqualTo(1);
          try {
            databases.write("acme", Rows::one); // documented not to be done; safe for a reader
          } catch (ViewException unexpected) {
            throw new AssertionError(unexpected);
          }
          assertThat(reader.state().seq()).isEqualTo(1);
          assertThat(all(reader)).hasSize(1);
          return "";
        });
    assertThat(databases.<Long>read("acme", reader -> reader.state().seq())).isEqualTo(2);
  }

  @Test
  void events_are_filtered_by_seq_time_and_pipeline() throws Exception {
    databases.write(
        "acme",
        writer -> {
          ViewState state = writer.state();
          for (int seq = 1; seq <= 100; seq++) {
            String pipelines = seq % 10 == 0 ? "[\"a\\\"b\",\"p\"]" : "[\"q\"]";
            writer.insertEvent(event(seq, seq / 2 * 1_000L, pipelines, ("" + seq).getBytes(UTF_8)));
            state = Rows.next(state);
          }
          writer.saveState(state);
          return "";
        });
    assertThat(seqs(new EventFilter(95, 3, null, null, null))).containsExactly(95L, 96L, 97L);
    assertThat(seqs(new EventFilter(1, 3, "p", null, null))).containsExactly(10L, 20L, 30L);
    assertThat(seqs(new EventFilter(1, 100, "a\"b", 40_000L, null)))
        .containsExactly(80L, 90L, 100L);
    assertThat(seqs(new EventFilter(1, 100, null, 5_000L, 6_000L)))
        .containsExactly(10L, 11L, 12L, 13L);
    assertThat(seqs(new EventFilter(12, 100, null, 5_000L, 6_000L))).containsExactly(12L, 13L);
    assertThat(seqs(new EventFilter(1, 100, null, 50_001L, null))).isEmpty();
    assertThat(seqs(new EventFilter(1, 100, null, null, -1L))).isEmpty();
    assertThat(seqs(new EventFilter(101, 100, null, null, null))).isEmpty();
  }

  private List<Long> seqs(EventFilter filter) throws Exception {
    return databases.read(
        "acme",
        reader -> {
          List<Long> seqs = new ArrayList<>();
          reader.events(filter, event -> seqs.add(event.seq()));
          return seqs;
        });
  }

  @Test
  void forgotten_keys_are_not_known_and_are_deleted_in_portions() throws Exception {
    databases.write(
        "acme",
        writer -> {
          append(writer, 10);
          writer.saveState(forgetting(writer.state(), 6_000));
          return "";
        });
    List<String> keys = List.of(key(5), key(6));
    Map<String, AppliedTransaction> known = databases.read("acme", reader -> reader.applied(keys));
    assertThat(known).containsOnlyKeys(key(6));
    databases.write(
        "acme",
        writer -> {
          assertThat(writer.appliedRow(key(5))).isNotNull();
          writer.putApplied(applied(key(1), 11, 11_000)); // came again after it was forgotten
          assertThat(writer.deleteForgottenKeys(3)).isEqualTo(3);
          assertThat(writer.deleteForgottenKeys(100)).isEqualTo(1);
          assertThat(writer.deleteForgottenKeys(100)).isZero();
          assertThat(writer.appliedRow(key(5))).isNull();
          assertThat(writer.appliedRow(key(1))).isEqualTo(applied(key(1), 11, 11_000));
          assertThat(writer.appliedRow(key(6))).isNotNull();
          return "";
        });
  }

  @Test
  void events_leave_from_the_start() throws Exception {
    databases.write(
        "acme",
        writer -> {
          append(writer, 10);
          writer.deleteEventsBefore(4, "c3", Map.of("p", 3L));
          writer.deleteEventsBefore(2, "c1", Map.of("p", 1L));
          return "";
        });
    databases.read(
        "acme",
        reader -> {
          assertThat(reader.state().firstSeq()).isEqualTo(4);
          assertThat(reader.state().chainBeforeFirst()).isEqualTo("c3");
          assertThat(reader.state().seq()).isEqualTo(10);
          assertThat(all(reader)).hasSize(7);
          return "";
        });
    assertThat(seqs(new EventFilter(1, 100, null, 5_000L, 5_000L))).containsExactly(5L);
  }

  @Test
  void a_conflict_is_kept_once_per_key_and_content() throws Exception {
    Content other = new Content("ef".repeat(32), Rows.PIPELINES_DIGEST);
    databases.write(
        "acme",
        writer -> {
          byte[] body = {0, 1, 2};
          assertThat(writer.putConflict("k", CONTENT, other, "x/y:1", 1, body, false)).isTrue();
          assertThat(writer.putConflict("k", null, other, "x/y:2", 2, body, true)).isFalse();
          assertThat(writer.putConflict("l", null, other, "x/y:3", 3, body, true)).isTrue();
          writer.putQuarantined("x/y:4", 4, 5, "poison", body);
          writer.putQuarantined("x/y:4", 4, 5, "poison", body);
          return "";
        });
    databases.read(
        "acme",
        reader -> {
          assertThat(reader.hasConflict("k", other)).isTrue();
          assertThat(reader.hasConflict("k", CONTENT)).isFalse();
          assertThat(reader.hasConflict("m", other)).isFalse();
          return "";
        });
  }

  @Test
  void items_are_numbered_by_pipeline_and_the_last_number_outlives_them() throws Exception {
    databases.writeMailbox(
        "acme",
        writer -> {
          for (int seq = 1; seq <= 10; seq++) {
            writer.addItems(seq, seq % 2 == 0 ? List.of("a", "b", "a") : List.of("a"));
          }
          writer.setAppliedSeq(10);
          writer.moveCursor("a", "c", 4, 77, 12);
          return "";
        });
    databases.writeMailbox(
        "acme",
        writer -> {
          writer.addItems(11, List.of("b\u0000é"));
          writer.deleteItemsBefore(7);
          writer.addItems(12, List.of("b"));
          return "";
        });
    databases.readMailbox(
        "acme",
        reader -> {
          List<PipelineItem> items = new ArrayList<>();
          reader.items("b", 3, 2, items::add);
          assertThat(items).containsExactly(new PipelineItem(4, 8), new PipelineItem(5, 10));
          assertThat(reader.firstItem("a")).isEqualTo(7);
          assertThat(reader.lastItem("a")).isEqualTo(10);
          assertThat(reader.firstItem("b")).isEqualTo(4);
          assertThat(reader.lastItem("b")).isEqualTo(6);
          assertThat(reader.lastItem("b\u0000é")).isEqualTo(1);
          assertThat(reader.firstItem("none")).isEqualTo(1);
          assertThat(reader.lastItem("none")).isZero();
          assertThat(reader.cursor("a", "c")).isEqualTo(4);
          assertThat(reader.cursor("a", "d")).isZero();
          assertThat(reader.appliedSeq()).isEqualTo(10);
          assertThat(reader.controlOffset()).isEqualTo(12);
          return "";
        });
    databases.writeMailbox(
        "acme",
        writer -> {
          writer.deleteItemsBefore(100);
          assertThat(writer.firstItem("a")).isEqualTo(11);
          return "";
        });
  }

  @Test
  void control_has_its_further_tables() throws Exception {
    ApiKeyRow key = new ApiKeyRow("id", "acme", null, "ff", 5, null);
    CursorRow cursor = new CursorRow("acme", "p", "c", 7, 8, 9);
    databases.write(
        "_control",
        writer -> {
          ControlWriter control = writer.control();
          control.putApiKey(key);
          control.putApiKey(new ApiKeyRow("older", "acme", "n", "fe", 4, 6L));
          control.putApiKey(new ApiKeyRow("valid", "acme", "n", "fd", 6, null));
          control.putSkip(new SkipRow("events-0", 3, "first", 4));
          control.putSkip(new SkipRow("events-0", 3, "second", 5));
          control.putLoss(new LossRow("events-0", 5, 6, "bits"));
          control.putCursor(new CursorRow("acme", "p", "c", 1, 2, 3));
          control.putCursor(cursor);
          control.putCursor(new CursorRow("other", "p", "c", 1, 2, 4));
          return "";
        });
    databases.write(
        "_control",
        writer -> {
          ControlWriter control = writer.control();
          assertThat(control.revokeApiKey("id", 10)).isTrue();
          assertThat(control.revokeApiKey("id", 11)).isTrue();
          assertThat(control.revokeApiKey("none", 11)).isFalse();
          return "";
        });
    databases.read(
        "_control",
        reader -> {
          assertThat(reader.state().stream()).isEqualTo("control");
          ControlReader control = reader.control();
          assertThat(control.apiKeys())
              .containsExactly(
                  new ApiKeyRow("older", "acme", "n", "fe", 4, 6L),
                  new ApiKeyRow("id", "acme", null, "ff", 5, 10L),
                  new ApiKeyRow("valid", "acme", "n", "fd", 6, null));
          assertThat(control.skips()).containsExactly(new SkipRow("events-0", 3, "first", 4));
          assertThat(control.losses()).containsExactly(new LossRow("events-0", 5, 6, "bits"));
          assertThat(control.cursor("acme", "p", "c")).isEqualTo(cursor);
          assertThat(control.cursor("acme", "p", "d")).isNull();
          assertThat(control.cursors("acme")).containsExactly(cursor);
          assertThat(control.cursorsAfter("acme", 8)).containsExactly(cursor);
          assertThat(control.cursorsAfter("acme", 9)).isEmpty();
          assertThat(control.tenantsWithCursorsAfter(3)).containsExactly("acme", "other");
          assertThat(control.tenantsWithCursorsAfter(4)).containsExactly("acme");
          return "";
        });
    assertThatThrownBy(() -> databases.write("acme", TenantReader::control))
        .isInstanceOf(IllegalStateException.class);
    assertThat(databases.tenants()).containsExactlyInAnyOrder("_control", "acme");
  }

  @Test
  void a_name_that_leads_out_of_the_directory_is_refused() {
    assertThatThrownBy(() -> databases.read("../x", TenantReader::state))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> databases.exists("a/b")).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void unfinished_databases_are_one_file_each_that_a_hub_can_open() throws Exception {
    try (TenantDatabases unfinished =
        TenantDatabases.unfinished(directory.resolve("tenants"), 12)) {
      unfinished.write("acme", Rows::one);
      assertThat(unfinished.<Long>read("acme", reader -> reader.state().seq())).isEqualTo(1);
      assertThatThrownBy(() ->
              unfinished.write(
                  "acme",
                  writer -> {
                    Rows.one(writer);
                    throw new IllegalStateException("rolled back");
                  }))
          .hasMessage("rolled back");
      unfinished.writeMailbox("acme", Rows::oneItem);
      unfinished.checkpoint("acme");

      assertThat(file("").toFile().list()).containsExactlyInAnyOrder("canonical.db", "mailbox.db");
    }
    assertThat(databases.<Long>read("acme", reader -> reader.state().seq())).isEqualTo(1);
    databases.check("acme");
    assertThat(databases.<Long>write("acme", writer -> writer.state().seq())).isEqualTo(1);
    assertThat(file("canonical.db-wal")).exists();
  }
}
