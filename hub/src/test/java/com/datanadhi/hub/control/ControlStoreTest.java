package com.datanadhi.hub.control;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.hub.apply.ApplyDecisions;
import com.datanadhi.hub.log.Append;
import com.datanadhi.hub.log.Durability;
import com.datanadhi.hub.log.LogEntry;
import com.datanadhi.hub.log.NewEntry;
import com.datanadhi.hub.log.segments.SegmentLog;
import com.datanadhi.hub.log.segments.SegmentSettings;
import com.datanadhi.hub.record.Digests;
import com.datanadhi.hub.record.Position;
import com.datanadhi.hub.record.TenantName;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.view.MailboxReader;
import com.datanadhi.hub.view.TenantDatabases;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ControlStoreTest {
  private static final long HORIZON = Duration.ofDays(30).toMillis();

  @TempDir private Path directory;
  private SegmentLog log;
  private TenantDatabases databases;
  private ControlStore store;

  @BeforeEach
  void start() throws Exception {
    open();
    store.start();
  }

  private void open() throws Exception {
    log = SegmentLog.open(directory.resolve("log"), SegmentSettings.defaults(), Clock.system());
    databases = new TenantDatabases(directory.resolve("tenants"), 64);
    store = new ControlStore(log, databases, Clock.system(), HORIZON);
  }

  @AfterEach
  void close() throws IOException {
    databases.close();
    log.close();
  }

  private void restart() throws Exception {
    close();
    start();
  }

  private Path controlDatabase() {
    String hash = Digests.hex(Digests.sha256().digest(TenantName.CONTROL.getBytes(UTF_8)));
    return directory.resolve("tenants/" + hash.substring(0, 2) + "/_control/canonical.db");
  }

  private static String tenantOf(ApiKeys.Identity identity) {
    return identity instanceof ApiKeys.Known(String tenant) ? tenant : identity.toString();
  }

  @Test
  void nothing_is_known_before_the_stream_was_read() throws Exception {
    NewApiKey key = store.createKey("acme", null);
    close();
    open();
    assertThat(store.identify(key.key())).isInstanceOf(ApiKeys.NotReady.class);
    assertThat(store.identify(null)).isInstanceOf(ApiKeys.NotReady.class);
    assertThatThrownBy(() -> store.createKey("acme", null))
        .isInstanceOf(ControlUnavailableException.class);
    store.start();
    assertThat(tenantOf(store.identify(key.key()))).isEqualTo("acme");
  }

  @Test
  void a_key_is_valid_when_its_creation_returns_and_after_a_restart() throws Exception {
    NewApiKey key = store.createKey("acme", "agents in Oslo");
    assertThat(key.key()).matches("dnhub_[A-Za-z0-9_-]{43}");
    assertThat(tenantOf(store.identify(key.key()))).isEqualTo("acme");
    restart();
    assertThat(tenantOf(store.identify(key.key()))).isEqualTo("acme");
    assertThat(store.keys("acme"))
        .singleElement()
        .satisfies(known -> assertThat(known.name()).isEqualTo("agents in Oslo"))
        .satisfies(known -> assertThat(known.id()).isEqualTo(key.id()));
    assertThat(store.keys("other")).isEmpty();
    assertThat(store.tenants()).containsExactly("acme");
  }

  @Test
  void a_revoked_key_is_unknown_when_the_revocation_returns_and_after_a_restart() throws Exception {
    NewApiKey key = store.createKey("acme", null);
    NewApiKey other = store.createKey("acme", null);
    ApiKey revoked = Objects.requireNonNull(store.revokeKey(key.id()));
    assertThat(revoked.isValid()).isFalse();
    assertThat(store.identify(key.key())).isInstanceOf(ApiKeys.Unknown.class);
    long end = log.end(ControlStore.STREAM);
    assertThat(store.revokeKey(key.id())).isEqualTo(revoked);
    assertThat(log.end(ControlStore.STREAM)).isEqualTo(end);
    assertThat(store.revokeKey("unknown")).isNull();
    restart();
    assertThat(store.identify(key.key())).isInstanceOf(ApiKeys.Unknown.class);
    assertThat(tenantOf(store.identify(other.key()))).isEqualTo("acme");
    assertThat(store.keys(null)).contains(revoked);
  }

  @Test
  void what_is_no_key_is_unknown() throws Exception {
    NewApiKey key = store.createKey("acme", null);
    for (String wrong :
        new String[] {
          "", "dnhub_", key.key() + "A", key.key().substring(1), key.id(), "x".repeat(100_000)
        }) {
      assertThat(store.identify(wrong)).isInstanceOf(ApiKeys.Unknown.class);
    }
    assertThat(store.identify(null)).isInstanceOf(ApiKeys.Unknown.class);
  }

  @Test
  void the_text_of_a_key_is_nowhere_on_disk() throws Exception {
    NewApiKey key = store.createKey("acme", null);
    restart();
    close();
    String hash = Digests.hex(Digests.sha256().digest(key.key().getBytes(UTF_8)));
    boolean hashFound = false;
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String bytes = Files.readString(file, ISO_8859_1);
        assertThat(bytes).as(file.toString()).doesNotContain(key.key().substring(6));
        hashFound |= bytes.contains(hash);
      }
    }
    assertThat(hashFound).isTrue();
    open();
  }

  @Test
  void a_bad_tenant_or_name_is_refused() {
    for (String tenant : new String[] {"", "Acme", "../x", "_control", "a".repeat(65)}) {
      assertThatThrownBy(() -> store.createKey(tenant, null))
          .isInstanceOf(IllegalArgumentException.class);
    }
    assertThatThrownBy(() -> store.createKey("acme", "n".repeat(256)))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(log.end(ControlStore.STREAM)).isZero();
  }

  @Test
  void keys_created_at_the_same_time_are_all_valid_and_share_transactions() throws Exception {
    List<Future<NewApiKey>> calls = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 64; i++) {
        String tenant = "tenant-" + i % 8;
        calls.add(threads.submit(() -> store.createKey(tenant, null)));
      }
    }
    Set<String> ids = new HashSet<>();
    for (Future<NewApiKey> call : calls) {
      NewApiKey key = call.get();
      ids.add(key.id());
      assertThat(tenantOf(store.identify(key.key()))).isEqualTo(key.tenant());
    }
    assertThat(ids).hasSize(64);
    assertThat(log.stats().commits()).isLessThan(64);
    restart();
    for (Future<NewApiKey> call : calls) {
      assertThat(tenantOf(store.identify(call.get().key()))).isEqualTo(call.get().tenant());
    }
  }

  @Test
  void a_missing_database_is_rebuilt_from_the_stream() throws Exception {
    NewApiKey valid = store.createKey("acme", null);
    NewApiKey revoked = store.createKey("acme", null);
    store.revokeKey(revoked.id());
    store.move("acme", "orders", "billing", 7);
    close();
    Files.delete(controlDatabase());
    start();
    assertThat(tenantOf(store.identify(valid.key()))).isEqualTo("acme");
    assertThat(store.identify(revoked.key())).isInstanceOf(ApiKeys.Unknown.class);
    assertThat(store.through("acme", "orders", "billing")).isEqualTo(7);
  }

  @Test
  void a_damaged_database_is_set_aside_and_rebuilt_from_the_stream() throws Exception {
    NewApiKey key = store.createKey("acme", null);
    store.move("acme", "orders", "billing", 3);
    close();
    Files.write(controlDatabase(), "this is no database ".repeat(1_000).getBytes(UTF_8));
    start();
    assertThat(tenantOf(store.identify(key.key()))).isEqualTo("acme");
    assertThat(store.through("acme", "orders", "billing")).isEqualTo(3);
    try (Stream<Path> files = Files.list(controlDatabase().getParent())) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .anyMatch(name -> name.startsWith("canonical.db.") && !name.endsWith("-wal"));
    }
  }

  @Test
  void a_database_whose_log_is_missing_is_refused() throws Exception {
    NewApiKey key = store.createKey("acme", null);
    close();
    deleteAll(directory.resolve("log"));
    open();
    assertThatThrownBy(store::start)
        .isInstanceOf(ControlDamagedException.class)
        .hasMessageContaining("Put back the log");
    assertThat(store.identify(key.key())).isInstanceOf(ApiKeys.NotReady.class);
  }

  @Test
  void the_database_of_another_log_is_refused() throws Exception {
    NewApiKey first = store.createKey("acme", null);
    close();
    deleteAll(directory.resolve("log"));
    Path tenants = directory.resolve("tenants");
    Path kept = directory.resolve("kept");
    Files.move(tenants, kept);
    start();
    NewApiKey _ = store.createKey("acme", null);
    close();
    deleteAll(tenants);
    Files.move(kept, tenants);
    open();
    assertThatThrownBy(store::start)
        .isInstanceOf(ControlDamagedException.class)
        .hasMessageContaining("another log");
    assertThat(store.identify(first.key())).isInstanceOf(ApiKeys.NotReady.class);
  }

  private static void deleteAll(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  @Test
  void a_record_of_a_newer_version_is_refused_at_start() throws Exception {
    byte[] unknown = "{\"type\":\"tenant_frozen\"}".getBytes(UTF_8);
    assertThatThrownBy(() -> ControlRecord.ofJson(unknown)).hasMessageContaining("tenant_frozen");
    appendToControl("not a record".getBytes(UTF_8));
    close();
    open();
    assertThatThrownBy(store::start).isInstanceOf(ControlDamagedException.class);
    assertThat(store.isReady()).isFalse();
  }

  private void appendToControl(byte[] payload) throws InterruptedException {
    Append append =
        log.append(ControlStore.STREAM, List.of(new NewEntry(1, 1, payload)), Durability.FSYNC);
    assertThat(((Append.Accepted) append).await()).isInstanceOf(Append.Stored.class);
  }

  @Test
  void cursors_are_where_they_were_moved_to_also_back_and_after_a_restart() throws Exception {
    assertThat(store.through("acme", "orders", "billing")).isZero();
    store.move("acme", "orders", "billing", 10);
    store.move("acme", "orders", "audit", 4);
    store.move("acme", "orders", "billing", 6);
    assertThat(store.through("acme", "orders", "billing")).isEqualTo(6);
    restart();
    assertThat(store.through("acme", "orders", "billing")).isEqualTo(6);
    assertThat(store.through("acme", "orders", "audit")).isEqualTo(4);
    assertThat(store.through("other", "orders", "audit")).isZero();
  }

  @Test
  void a_cursor_is_known_when_the_database_was_deleted_while_the_hub_runs() throws Exception {
    store.move("acme", "orders", "billing", 12);
    Files.delete(controlDatabase());
    assertThat(store.through("acme", "orders", "billing")).isEqualTo(12);

    Files.delete(controlDatabase());
    databases.setAsideMailbox("acme");
    store.catchUp("acme");
    assertThat(mailboxCursor()).isEqualTo(12);
  }

  @Test
  void cursor_moves_at_the_same_time_do_not_wait_for_a_sync_each() throws Exception {
    long before = log.stats().commits();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 200; i++) {
        String consumer = "c-" + i;
        Future<?> _ =
            threads.submit(() -> {
              store.move("acme", "orders", consumer, 1);
              return null;
            });
      }
    }
    for (int i = 0; i < 200; i++) {
      assertThat(store.through("acme", "orders", "c-" + i)).isEqualTo(1);
    }
    assertThat(log.stats().commits() - before).isLessThan(150);
  }

  @Test
  void a_mailbox_that_was_deleted_gets_its_cursors_back() throws Exception {
    store.move("acme", "orders", "billing", 10);
    store.move("acme", "orders", "billing", 12);
    assertThat(mailboxCursor()).isEqualTo(12);
    databases.setAsideMailbox("acme");
    assertThat(mailboxCursor()).isZero();
    store.catchUp("acme");
    assertThat(mailboxCursor()).isEqualTo(12);
    assertThat(databases.readMailbox("acme", MailboxReader::controlOffset)).isEqualTo(1);
  }

  private long mailboxCursor() throws Exception {
    return databases.readMailbox("acme", mailbox -> mailbox.cursor("orders", "billing"));
  }

  @Test
  void a_skip_is_decided_once_and_for_ever() throws Exception {
    Append append =
        log.append(
            "events-0", List.of(new NewEntry(1, 1, "poison".getBytes(UTF_8))), Durability.FSYNC);
    assertThat(((Append.Accepted) append).await()).isEqualTo(new Append.Stored(0));
    Position position =
        Objects.requireNonNull(Position.parse(LogEntry.position(log.epoch(), "events-0", 0)));
    assertThat(store.skipReason("events-0", 0)).isNull();
    store.skip(position, "a bug of version 1");
    store.skip(position, "again");
    assertThat(store.skipReason("events-0", 0)).isEqualTo("a bug of version 1");
    restart();
    assertThat(store.skipReason("events-0", 0)).isEqualTo("a bug of version 1");
    assertThat(store.skipReason("events-0", 1)).isNull();
    assertThatThrownBy(() -> store.skip(new Position(position.epoch(), "events-0", 1), "no"))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> store.skip(new Position("00000000", "events-0", 0), "no"))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> store.skip(position, " "))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void losses_are_in_order_and_kept() throws Exception {
    store.recordLoss("events-0", new ApplyDecisions.Loss(10, 12, "b"));
    store.recordLoss("events-0", new ApplyDecisions.Loss(3, 4, "a"));
    store.recordLoss("events-0", new ApplyDecisions.Loss(3, 4, "a"));
    restart();
    assertThat(store.losses("events-0"))
        .extracting(ApplyDecisions.Loss::first)
        .containsExactly(3L, 10L);
    assertThat(store.losses("control")).isEmpty();
  }

  @Test
  void a_database_that_is_deleted_while_the_hub_runs_is_written_again() throws Exception {
    NewApiKey before = store.createKey("acme", null);
    Files.delete(controlDatabase());
    NewApiKey after = store.createKey("acme", null);
    store.move("acme", "orders", "billing", 9);
    assertThat(store.through("acme", "orders", "billing")).isEqualTo(9);
    restart();
    assertThat(tenantOf(store.identify(before.key()))).isEqualTo("acme");
    assertThat(tenantOf(store.identify(after.key()))).isEqualTo("acme");
  }

  @Test
  void damage_of_the_stream_keeps_the_hub_from_answering_until_it_is_accepted() throws Exception {
    NewApiKey lost = store.createKey("acme", null);
    log.rotate(ControlStore.STREAM);
    NewApiKey kept = store.createKey("acme", null);
    close();
    damageFirstSegment();
    Files.delete(controlDatabase());
    open();
    assertThatThrownBy(store::start)
        .isInstanceOf(ControlDamagedException.class)
        .hasMessageContaining("echopost-hub skip --position");
    assertThat(store.identify(kept.key())).isInstanceOf(ApiKeys.NotReady.class);
    store.skip(
        new Position(log.epoch().toString().substring(0, 8), ControlStore.STREAM, 0), "accepted");
    assertThat(tenantOf(store.identify(kept.key()))).isEqualTo("acme");
    assertThat(store.identify(lost.key())).isInstanceOf(ApiKeys.Unknown.class);
    NewApiKey later = store.createKey("acme", null);
    restart();
    assertThat(tenantOf(store.identify(kept.key()))).isEqualTo("acme");
    assertThat(tenantOf(store.identify(later.key()))).isEqualTo("acme");
  }

  private void damageFirstSegment() throws IOException {
    Path stream = directory.resolve("log").resolve(ControlStore.STREAM);
    Path first;
    try (Stream<Path> files = Files.list(stream)) {
      first =
          files
              .filter(f -> f.toString().endsWith("-00000000000000000000.log"))
              .findFirst()
              .orElseThrow();
    }
    byte[] bytes = Files.readAllBytes(first);
    int at = new String(bytes, ISO_8859_1).indexOf("sha256");
    assertThat(at).isPositive();
    bytes[at] ^= 1;
    assertThat(first.toFile().setWritable(true)).isTrue();
    Files.write(first, bytes, StandardOpenOption.WRITE);
  }
}
