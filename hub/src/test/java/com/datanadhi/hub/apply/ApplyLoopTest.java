package com.datanadhi.hub.apply;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.hub.apply.ApplyDecisions.Loss;
import com.datanadhi.hub.apply.ParkedTenants.Cause;
import com.datanadhi.hub.apply.ParkedTenants.Parked;
import com.datanadhi.hub.log.DamagedException;
import com.datanadhi.hub.log.LogEntry;
import com.datanadhi.hub.view.MailboxReader;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewState;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ApplyLoopTest {
  @TempDir Path directory;

  private final MemoryLog log = new MemoryLog(new UUID(0x1234567800000000L, 1));
  private final Decided decided = new Decided();
  private final TestClock clock = new TestClock();

  private Hub hub() {
    return new Hub(directory, log, decided, clock);
  }

  private static Parked parked(Hub hub, String tenant) {
    return Objects.requireNonNull(hub.loop.parked().get(tenant), "it is not parked");
  }

  /// What applying the whole log to a new database gives.
  private List<String> reference(String tenant, String name) throws Exception {
    Path tenants = directory.resolve(name);
    ApplyFunction function = new ApplyFunction(Hub.STREAM, decided);
    List<LogEntry> entries =
        log.read(Hub.STREAM, 0, 1_000_000, Long.MAX_VALUE).stream()
            .filter(e -> tenant.equals(Incoming.of(e).tenant()))
            .filter(e ->
                decided.losses.stream()
                    .noneMatch(l -> l.first() <= e.offset() && e.offset() <= l.last()))
            .toList();
    try (TenantDatabases databases = new TenantDatabases(tenants, 8)) {
      databases.write(tenant, writer -> function.apply(writer, entries));
    }
    return Dump.all(Dump.canonical(tenants, tenant));
  }

  @RepeatedTest(4)
  void any_turns_with_restarts_and_damage_give_the_same_databases(RepetitionInfo repetition)
      throws Exception {
    long seed = 9_000L + repetition.getCurrentRepetition();
    Random random = new Random(seed);
    List<String> tenants = List.of("acme", "beta", "gamma");
    RandomRecords records = new RandomRecords(random, tenants);
    for (int i = 0; i < 400; i++) {
      if (random.nextInt(30) == 0) {
        decided.skips.put((long) i, "the test skips it");
      }
    }
    Hub hub = hub();
    try {
      for (int i = 0; i < 400; i++) {
        records.appendTo(log);
        switch (random.nextInt(60)) {
          case 0, 1, 2, 3 -> hub.loop.turn();
          case 4 -> hub.drain();
          case 5 -> hub.follow();
          case 6 -> hub.checkpointer.checkpoint();
          case 7 -> log.rotate(Hub.STREAM);
          case 8 -> {
            hub.close();
            hub = hub();
          }
          case 9 -> {
            String tenant = tenants.get(random.nextInt(3));
            hub.close();
            damage(Dump.canonical(hub.tenants, tenant));
            hub = hub();
          }
          case 10 -> {
            String tenant = tenants.get(random.nextInt(3));
            hub.close();
            delete(Dump.directory(hub.tenants, tenant));
            hub = hub();
          }
          default -> clock.pass(random.nextInt(2_000));
        }
      }
      for (int i = 0; i < 20; i++) {
        clock.pass(Duration.ofHours(2).toMillis());
        hub.drain();
      }
      assertThat(hub.loop.parked().list()).as("seed " + seed).isEmpty();
      assertThat(hub.loop.stats().unaccounted()).as("seed " + seed).isZero();
      hub.follow();
      for (String tenant : tenants) {
        assertThat(hub.dump(tenant)).as("seed " + seed).isEqualTo(reference(tenant, "reference"));
        assertThat(hub.databases.<Long>readMailbox(tenant, MailboxReader::appliedSeq))
            .isEqualTo(hub.state(tenant).seq());
      }
    } finally {
      hub.close();
    }
  }

  private static void damage(Path database) throws Exception {
    if (Files.exists(database)) {
      byte[] bytes = Files.readAllBytes(database);
      for (int i = 0; i < Math.min(bytes.length, 2_000); i++) {
        bytes[i] = (byte) (i * 31);
      }
      Files.write(database, bytes);
      Files.deleteIfExists(Path.of(database + "-wal"));
      Files.deleteIfExists(Path.of(database + "-shm"));
    }
  }

  private static void delete(Path tenant) throws Exception {
    if (Files.exists(tenant)) {
      try (var files = Files.list(tenant)) {
        for (Path file : files.toList()) {
          Files.delete(file);
        }
      }
    }
  }

  @Test
  void a_record_that_cannot_be_applied_parks_its_tenant_until_it_is_skipped() throws Exception {
    Hub.append(log, "acme", "a-1", "1");
    byte[] newer = {0x08, 0x63, 0x22, 0x06, 0x0a, 0x04, 'a', 'c', 'm', 'e'};
    long poison = log.append(1, 1_700_000_000_000L, newer);
    Hub.append(log, "acme", "a-2", "2");
    Hub.append(log, "beta", "b-1", "1");
    try (Hub hub = hub()) {
      hub.drain();

      Parked parked = parked(hub, "acme");
      assertThat(parked.cause()).isEqualTo(Cause.POISON);
      assertThat(parked.poisonOffset()).isEqualTo(poison);
      assertThat(parked.reason()).contains("version 99");
      assertThat(parked.heldBackRecords()).isEqualTo(2);
      assertThat(hub.state("acme").seq()).isEqualTo(1);
      assertThat(hub.state("beta").seq()).isEqualTo(1);
      assertThat(hub.loop.stats().unaccounted()).isZero();
      assertThat(hub.told).containsExactly("acme a-1", "beta b-1");

      decided.skips.put(poison, "written by a newer version");
      hub.drain();

      assertThat(hub.loop.parked().list()).isEmpty();
      assertThat(hub.state("acme").seq()).isEqualTo(2);
      assertThat(hub.state("acme").skipped()).isEqualTo(1);
      assertThat(hub.told).containsExactly("acme a-1", "beta b-1", "acme a-2");
      assertThat(hub.loop.stats().unaccounted()).isZero();
      assertThat(hub.dump("acme")).isEqualTo(reference("acme", "rebuilt"));
    }
  }

  @Test
  void a_record_that_tells_no_tenant_stops_nobody_and_is_kept_when_it_is_skipped()
      throws Exception {
    Hub.append(log, "acme", "a-1", "1");
    long offset = log.append(1, 1, new byte[] {(byte) 0xff, 1, 2});
    Hub.append(log, "acme", "a-2", "2");
    try (Hub hub = hub()) {
      hub.drain();

      assertThat(hub.state("acme").seq()).isEqualTo(2);
      assertThat(hub.loop.stats().unreadableRecords()).isEqualTo(1);
      assertThat(hub.loop.stats().unaccounted()).isZero();
      hub.checkpointer.checkpoint();
    }
    try (Hub hub = hub()) {
      assertThat(hub.loop.stats().unreadableRecords()).isEqualTo(1);
      decided.skips.put(offset, "not ours");
      hub.drain();

      assertThat(hub.loop.stats().unreadableRecords()).isZero();
      assertThat(hub.loop.stats().unaccounted()).isZero();
      assertThat(directory.resolve("quarantine/12345678-events-0:1.record"))
          .hasBinaryContent(new byte[] {(byte) 0xff, 1, 2});
    }
  }

  @Test
  void a_damaged_database_is_set_aside_and_rebuilt_with_the_same_chain() throws Exception {
    for (int i = 0; i < 50; i++) {
      Hub.append(log, "acme", "a-" + i, "{\"i\":" + i + "}");
      Hub.append(log, "beta", "b-" + i, "{\"i\":" + i + "}");
    }
    List<String> before;
    try (Hub hub = hub()) {
      hub.drain();
      before = hub.dump("acme");
    }
    damage(Dump.canonical(directory.resolve("tenants"), "acme"));
    Hub.append(log, "acme", "a-later", "1");
    try (Hub hub = hub()) {
      hub.loop.turn();
      assertThat(hub.loop.parked().isParked("acme")).isTrue();
      assertThat(hub.state("beta").seq()).isEqualTo(50);

      hub.drain();

      assertThat(hub.loop.parked().list()).isEmpty();
      assertThat(hub.dump("acme")).hasSize(before.size() + 2).containsAll(before.subList(0, 50));
      assertThat(hub.dump("acme")).isEqualTo(reference("acme", "reference"));
      try (var files = Files.list(Dump.directory(hub.tenants, "acme"))) {
        assertThat(
                files.filter(
                    f -> !f.getFileName().toString().matches("(canonical|mailbox).db(-wal|-shm)?")))
            .isNotEmpty();
      }
    }
  }

  @Test
  void a_database_that_cannot_be_used_now_is_tried_again_and_kept() throws Exception {
    Hub.append(log, "acme", "a-1", "1");
    Hub.append(log, "beta", "b-1", "1");
    try (Hub hub = hub()) {
      hub.drain();
      Path database = Dump.canonical(hub.tenants, "acme");
      Hub.append(log, "acme", "a-2", "2");
      Hub.append(log, "beta", "b-2", "2");
      try (Connection other = DriverManager.getConnection("jdbc:sqlite:" + database);
          Statement statement = other.createStatement()) {
        statement.execute("BEGIN IMMEDIATE");
        hub.loop.turn();

        assertThat(parked(hub, "acme").cause()).isEqualTo(Cause.UNAVAILABLE);
        assertThat(hub.state("beta").seq()).isEqualTo(2);
        statement.execute("ROLLBACK");
      }
      clock.pass(60_000);
      hub.drain();

      assertThat(hub.loop.parked().list()).isEmpty();
      assertThat(hub.state("acme").seq()).isEqualTo(2);
      assertThat(hub.told).containsExactly("acme a-1", "beta b-1", "beta b-2", "acme a-2");
      try (var files = Files.list(database.getParent())) {
        assertThat(files.map(f -> f.getFileName().toString()))
            .allMatch(f -> f.matches("(canonical|mailbox).db(-wal|-shm)?"));
      }
    }
  }

  @Test
  void a_last_checkpoint_without_time_leaves_everything_to_the_next_start() throws Exception {
    for (int i = 0; i < 20; i++) {
      Hub.append(log, "tenant-" + i, "a-1", "1");
    }
    try (Hub hub = hub()) {
      hub.drain();
      assertThat(hub.checkpointer.checkpoint(() -> true)).isFalse();
    }
    try (Hub hub = hub()) {
      assertThat(hub.loop.start()).isZero();
      hub.drain();

      assertThat(hub.state("tenant-19").seq()).isEqualTo(1);
      assertThat(hub.loop.parked().list()).isEmpty();
      assertThat(hub.checkpointer.checkpoint()).isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void a_database_that_is_deleted_while_it_is_rebuilt_is_rebuilt_from_the_start(boolean hasMore)
      throws Exception {
    for (int i = 0; i < 20; i++) {
      Hub.append(log, "acme", "a-" + i, "1");
    }
    try (Hub hub = hub()) {
      hub.drain();
      delete(Dump.directory(hub.tenants, "acme"));
      hub.loop.parkMissing();
      assertThat(hub.recovery.turn()).isTrue();
      delete(Dump.directory(hub.tenants, "acme"));
      if (hasMore) {
        Hub.append(log, "acme", "a-later", "1");
      }
      hub.drain();
      clock.pass(60_000);
      hub.drain();

      assertThat(hub.state("acme").seq()).isEqualTo(hasMore ? 21 : 20);
      assertThat(hub.loop.parked().list()).isEmpty();
      assertThat(hub.dump("acme")).isEqualTo(reference("acme", "reference"));
    }
  }

  @Test
  void a_database_that_is_gone_is_rebuilt_although_reading_begins_behind_its_records()
      throws Exception {
    for (int i = 0; i < 20; i++) {
      Hub.append(log, "acme", "a-" + i, "1");
    }
    try (Hub hub = hub()) {
      hub.drain();
      assertThat(hub.checkpointer.checkpoint()).isTrue();
    }
    delete(Dump.directory(directory.resolve("tenants"), "acme"));
    Hub.append(log, "acme", "a-later", "1");
    try (Hub hub = hub()) {
      assertThat(hub.loop.start()).isEqualTo(20);
      hub.drain();

      assertThat(hub.state("acme").seq()).isEqualTo(21);
      assertThat(hub.loop.parked().list()).isEmpty();
      assertThat(hub.dump("acme")).isEqualTo(reference("acme", "reference"));
    }
  }

  @Test
  void a_database_that_is_deleted_while_the_hub_runs_is_built_again() throws Exception {
    Hub.append(log, "acme", "a-1", "1");
    Hub.append(log, "acme", "a-2", "2");
    try (Hub hub = hub()) {
      hub.drain();
      delete(Dump.directory(hub.tenants, "acme"));
      Hub.append(log, "acme", "a-3", "3");
      hub.drain();

      assertThat(hub.loop.parked().list()).isEmpty();
      assertThat(hub.state("acme").seq()).isEqualTo(3);
      assertThat(hub.dump("acme")).isEqualTo(reference("acme", "reference"));
    }
  }

  @Test
  void a_deleted_database_is_built_again_without_a_further_record() throws Exception {
    Hub.append(log, "acme", "a-1", "1");
    Hub.append(log, "acme", "a-2", "2");
    try (Hub hub = hub()) {
      hub.drain();
      hub.loop.parkMissing();
      assertThat(hub.loop.parked().list()).isEmpty();
      delete(Dump.directory(hub.tenants, "acme"));
      hub.loop.parkMissing();
      assertThat(hub.loop.parked().list()).hasSize(1);
      hub.drain();

      assertThat(hub.loop.parked().list()).isEmpty();
      assertThat(hub.dump("acme")).isEqualTo(reference("acme", "reference"));
    }
  }

  @Test
  void a_tenant_that_came_back_is_not_built_again_by_the_next_run() throws Exception {
    Hub.append(log, "acme", "a-1", "1");
    try (Hub hub = hub()) {
      hub.drain();
      delete(Dump.directory(hub.tenants, "acme"));
      Hub.append(log, "acme", "a-2", "2");
      hub.loop.turn();
      assertThat(hub.loop.parked().isParked("acme")).isTrue();
      assertThat(hub.checkpointer.checkpoint()).isTrue();
      hub.drain();
      assertThat(hub.loop.parked().list()).isEmpty();

      assertThat(hub.checkpointer.turn()).isTrue();
      assertThat(hub.checkpointer.turn()).isFalse();
    }
    try (Hub next = hub()) {
      assertThat(next.loop.parked().list()).isEmpty();
      assertThat(next.state("acme").seq()).isEqualTo(2);
    }
  }

  @Test
  void a_deleted_database_that_somebody_reads_is_not_made_anew_but_built_again() throws Exception {
    Hub.append(log, "acme", "a-1", "1");
    Hub.append(log, "acme", "a-2", "2");
    try (Hub hub = hub()) {
      hub.drain();
      delete(Dump.directory(hub.tenants, "acme"));
      assertThatThrownBy(() -> hub.state("acme")).hasMessageContaining("is missing");
      hub.loop.parkMissing();
      hub.drain();

      assertThat(hub.state("acme").seq()).isEqualTo(2);
      assertThat(hub.dump("acme")).isEqualTo(reference("acme", "reference"));
    }
  }

  @Test
  void an_older_copy_of_a_database_catches_up_from_its_own_position() throws Exception {
    Path database = Dump.canonical(directory.resolve("tenants"), "acme");
    Hub.append(log, "acme", "a-1", "1");
    try (Hub hub = hub()) {
      hub.drain();
    }
    byte[] old = Files.readAllBytes(database);
    Hub.append(log, "acme", "a-2", "2");
    Hub.append(log, "acme", "a-3", "3");
    try (Hub hub = hub()) {
      hub.drain();
      hub.checkpointer.checkpoint();
    }
    Files.write(database, old);
    Hub.append(log, "acme", "a-4", "4");
    try (Hub hub = hub()) {
      hub.drain();

      assertThat(hub.state("acme").seq()).isEqualTo(4);
      assertThat(hub.dump("acme")).isEqualTo(reference("acme", "reference"));
    }
  }

  @Test
  void an_older_copy_of_a_database_catches_up_without_another_record() throws Exception {
    putBackAnOlderCopy();
    try (Hub hub = hub()) {
      hub.drain();

      assertThat(hub.state("acme").seq()).isEqualTo(3);
      assertThat(hub.loop.parked().list()).isEmpty();
      assertThat(hub.dump("acme")).isEqualTo(reference("acme", "reference"));
    }
  }

  @Test
  void an_older_copy_of_a_database_is_not_read_until_it_has_caught_up() throws Exception {
    putBackAnOlderCopy();
    try (Hub hub = hub()) {
      assertThat(hub.loop.isUnusable("acme")).isTrue();
      assertThat(hub.loop.isUnusable("beta")).isFalse();
      hub.drain();
      assertThat(hub.loop.isUnusable("acme")).isFalse();
    }
  }

  @Test
  void a_database_with_nothing_but_a_lost_end_of_the_log_is_not_read() throws Exception {
    Hub.append(log, "beta", "b-1", "1");
    Hub.append(log, "acme", "a-1", "1");
    try (Hub hub = hub()) {
      hub.drain();
      hub.checkpointer.checkpoint();
    }
    log.cut(1);
    try (Hub hub = hub()) {
      assertThat(hub.loop.isUnusable("acme")).isTrue();
      hub.drain();
      assertThat(hub.loop.parked().list()).isEmpty();
      assertThat(hub.loop.isUnusable("acme")).isFalse();
      assertThat(hub.state("acme").seq()).isZero();
    }
  }

  private void putBackAnOlderCopy() throws Exception {
    Path database = Dump.canonical(directory.resolve("tenants"), "acme");
    Hub.append(log, "acme", "a-1", "1");
    Hub.append(log, "beta", "b-1", "1");
    try (Hub hub = hub()) {
      hub.drain();
    }
    byte[] old = Files.readAllBytes(database);
    Hub.append(log, "acme", "a-2", "2");
    Hub.append(log, "acme", "a-3", "3");
    try (Hub hub = hub()) {
      hub.drain();
      hub.checkpointer.checkpoint();
    }
    Files.write(database, old);
  }

  @Test
  void a_database_ahead_of_the_log_is_set_aside_and_the_log_begins_an_epoch() throws Exception {
    for (int i = 0; i < 5; i++) {
      Hub.append(log, "acme", "a-" + i, "1");
    }
    try (Hub hub = hub()) {
      hub.drain();
    }
    log.cut(3);
    Hub.append(log, "acme", "other", "2");
    UUID lost = log.epoch();
    try (Hub hub = hub()) {
      hub.drain();

      assertThat(log.epoch()).isNotEqualTo(lost);
      assertThat(hub.state("acme").seq()).isEqualTo(4);
      assertThat(hub.loop.parked().list()).isEmpty();
      assertThat(hub.dump("acme")).isEqualTo(reference("acme", "reference"));
    }
  }

  @Test
  void a_database_of_another_log_is_parked_and_kept() throws Exception {
    Hub.append(log, "acme", "a-1", "1");
    try (Hub hub = hub()) {
      hub.drain();
    }
    MemoryLog other = new MemoryLog(new UUID(99, 1));
    Hub.append(other, "acme", "b-1", "1");
    Hub.append(other, "acme", "b-2", "1");
    try (Hub hub = new Hub(directory, other, decided, clock)) {
      hub.drain();

      assertThat(parked(hub, "acme").cause()).isEqualTo(Cause.FOREIGN);
      assertThat(hub.state("acme").seq()).isEqualTo(1);
    }
  }

  @Test
  void damage_stops_applying_until_a_loss_is_recorded_and_a_rebuild_decides_alike()
      throws Exception {
    for (int i = 0; i < 10; i++) {
      Hub.append(log, "acme", "a-" + i, "1");
    }
    log.damage(4, 6);
    try (Hub hub = hub()) {
      hub.drain();

      assertThat(hub.loop.next()).isEqualTo(4);
      assertThat(hub.loop.stats().isDamaged()).isTrue();
      assertThat(hub.loop.stats().blocked()).contains("4 to 5");
      assertThat(hub.loop.turn()).isEqualTo(ApplyLoop.Turn.BLOCKED);

      decided.losses.add(new Loss(4, 5, "the disk"));
      hub.drain();

      assertThat(hub.loop.stats().isDamaged()).isFalse();
      assertThat(hub.state("acme").seq()).isEqualTo(8);
      assertThat(hub.loop.stats().lostRecords()).isEqualTo(2);
      assertThat(hub.loop.stats().unaccounted()).isZero();
    }
    log.damage(Long.MAX_VALUE, Long.MAX_VALUE);
    damage(Dump.canonical(directory.resolve("tenants"), "acme"));
    try (Hub hub = hub()) {
      hub.drain();

      assertThat(hub.state("acme").seq()).isEqualTo(8);
      assertThat(hub.dump("acme")).isEqualTo(reference("acme", "reference"));
    }
  }

  @Test
  void a_rebuild_waits_before_damage_that_came_later_until_a_loss_is_recorded() throws Exception {
    for (int i = 0; i < 10; i++) {
      Hub.append(log, i == 5 ? "beta" : "acme", "k-" + i, "1");
    }
    try (Hub hub = hub()) {
      hub.drain();
      hub.checkpointer.checkpoint();
      assertThat(hub.loop.damage()).isNull();
    }
    log.damage(4, 6);
    damage(Dump.canonical(directory.resolve("tenants"), "acme"));
    Hub.append(log, "acme", "k-10", "1");
    Hub.append(log, "beta", "k-11", "1");
    try (Hub hub = hub()) {
      hub.drain();

      assertThat(parked(hub, "acme").reason()).contains("4 to 5");
      DamagedException met = Objects.requireNonNull(hub.loop.damage());
      assertThat(met.firstOffset()).isEqualTo(4);
      assertThat(met.endOffset()).isEqualTo(6);

      decided.losses.add(new Loss(4, 5, "the disk"));
      clock.pass(Duration.ofHours(2).toMillis());
      hub.drain();

      assertThat(hub.loop.damage()).isNull();
      assertThat(hub.loop.parked().list()).isEmpty();
      assertThat(hub.state("acme").seq()).isEqualTo(9);
      // Its database has what the log has lost.
      assertThat(hub.state("beta").seq()).isEqualTo(2);
      assertThat(hub.loop.stats().lostRecords()).isEqualTo(1);
      assertThat(hub.loop.stats().unaccounted()).isZero();
      log.damage(Long.MAX_VALUE, Long.MAX_VALUE);
      assertThat(hub.dump("acme")).isEqualTo(reference("acme", "reference"));
    }
  }

  @Test
  void a_rebuild_does_not_wait_for_damage_to_records_of_others() throws Exception {
    for (int i = 0; i < 10; i++) {
      Hub.append(log, i == 3 ? "beta" : "acme", "k-" + i, "1");
    }
    try (Hub hub = hub()) {
      hub.drain();
      log.damage(4, 6);
      delete(Dump.directory(hub.tenants, "beta"));
      Hub.append(log, "beta", "k-10", "1");
      hub.drain();

      assertThat(hub.loop.damage()).isNull();
      assertThat(hub.loop.parked().list()).isEmpty();
      assertThat(hub.state("beta").seq()).isEqualTo(2);
      assertThat(hub.loop.stats().lostRecords()).isZero();
      assertThat(hub.loop.stats().unaccounted()).isZero();
      log.damage(Long.MAX_VALUE, Long.MAX_VALUE);
      assertThat(hub.dump("beta")).isEqualTo(reference("beta", "reference"));
    }
  }

  @Test
  void damage_that_a_rebuild_waits_for_is_told_while_another_comes_back() throws Exception {
    for (int i = 0; i < 10; i++) {
      Hub.append(log, i == 3 ? "beta" : "acme", "k-" + i, "1");
    }
    try (Hub hub = hub()) {
      hub.drain();
      log.damage(4, 6);
      delete(Dump.directory(hub.tenants, "acme"));
      delete(Dump.directory(hub.tenants, "beta"));
      hub.loop.parkMissing();
      hub.drain();

      assertThat(hub.loop.parked().list()).extracting(Parked::tenant).containsExactly("acme");
      assertThat(Objects.requireNonNull(hub.loop.damage()).firstOffset()).isEqualTo(4);
    }
  }

  @Test
  void without_the_start_of_the_log_a_tenant_stays_parked_until_its_database_is_put_back()
      throws Exception {
    Hub.append(log, "acme", "a-1", "1");
    log.rotate(Hub.STREAM);
    Hub.append(log, "acme", "a-2", "1");
    try (Hub hub = hub()) {
      hub.drain();
      hub.checkpointer.checkpoint();
    }
    log.deleteSegment(Hub.STREAM, 0);
    Path database = Dump.canonical(directory.resolve("tenants"), "acme");
    Path copy = Files.copy(database, directory.resolve("copy"));
    damage(database);
    Hub.append(log, "acme", "a-3", "1");
    try (Hub hub = hub()) {
      hub.drain();

      assertThat(parked(hub, "acme").reason()).contains("begins with offset 1");
      hub.checkpointer.checkpoint();
    }

    Files.move(copy, database, StandardCopyOption.REPLACE_EXISTING);
    try (Hub hub = hub()) {
      hub.drain();

      assertThat(hub.loop.parked().list()).isEmpty();
      assertThat(hub.state("acme").seq()).isEqualTo(3);
    }
  }

  @Test
  void a_crash_between_the_two_commits_of_a_tenant_leaves_no_item_out() throws Exception {
    for (int i = 0; i < 30; i++) {
      Hub.append(log, "acme", "a-" + i, "1");
    }
    try (Hub hub = hub()) {
      hub.loop.turn();
    }
    try (Hub hub = hub()) {
      assertThat(hub.databases.<Long>readMailbox("acme", MailboxReader::appliedSeq)).isZero();
      hub.drain();
      hub.follow();

      assertThat(hub.databases.<Long>readMailbox("acme", MailboxReader::appliedSeq)).isEqualTo(30);
      assertThat(hub.databases.<Long>readMailbox("acme", m -> m.lastItem("p"))).isEqualTo(30);
    }
  }

  @Test
  void a_damaged_mailbox_is_made_again() throws Exception {
    for (int i = 0; i < 30; i++) {
      Hub.append(log, "acme", "a-" + i, "1");
    }
    try (Hub hub = hub()) {
      hub.drain();
      hub.follow();
    }
    damage(Dump.directory(directory.resolve("tenants"), "acme").resolve("mailbox.db"));
    Hub.append(log, "acme", "a-later", "1");
    try (Hub hub = hub()) {
      hub.drain();
      hub.follow();

      assertThat(hub.databases.<Long>readMailbox("acme", m -> m.lastItem("p"))).isEqualTo(31);
      assertThat(hub.state("acme").seq()).isEqualTo(31);
    }
  }

  @Test
  void a_segment_is_deleted_a_retention_after_it_was_proven() throws Exception {
    Hub.append(log, "acme", "a-1", "1");
    log.rotate(Hub.STREAM);
    Hub.append(log, "acme", "a-2", "1");
    try (Hub hub = hub()) {
      hub.drain();
      hub.retention.turn();
      assertThat(hub.retention.blocker()).contains("not yet applied and durable");

      hub.checkpointer.checkpoint();
      hub.retention.turn();
      assertThat(hub.retention.blocker()).isNull();
      hub.checkpointer.checkpoint();
    }
    clock.pass(Duration.ofHours(23).toMillis());
    try (Hub hub = hub()) {
      hub.drain();
      hub.checkpointer.checkpoint();
      hub.retention.turn();
      assertThat(log.start(Hub.STREAM)).isZero();

      clock.pass(Duration.ofHours(2).toMillis());
      hub.retention.turn();
      assertThat(log.start(Hub.STREAM)).isEqualTo(1);
    }
  }

  @Test
  void a_restart_does_not_begin_the_retention_again() throws Exception {
    Hub.append(log, "acme", "a-1", "1");
    log.rotate(Hub.STREAM);
    Hub.append(log, "acme", "a-2", "1");
    try (Hub hub = hub()) {
      hub.drain();
      hub.checkpointer.checkpoint();
      hub.retention.turn();
      hub.checkpointer.checkpoint();
    }
    clock.pass(Duration.ofHours(23).toMillis());
    try (Hub hub = hub()) {
      hub.drain();
      hub.checkpointer.turn();
      assertThat(hub.retention.blocker()).isNull();
      hub.checkpointer.checkpoint();
    }
    clock.pass(Duration.ofHours(2).toMillis());
    try (Hub hub = hub()) {
      hub.checkpointer.turn();
      assertThat(log.start(Hub.STREAM)).as("nobody has looked at the database").isZero();
      hub.drain();
      hub.checkpointer.turn();
      assertThat(log.start(Hub.STREAM)).isEqualTo(1);
    }
  }

  @Test
  void a_parked_tenant_keeps_the_segments_that_it_needs() throws Exception {
    Hub.append(log, "acme", "a-1", "1");
    byte[] newer = {0x08, 0x63, 0x22, 0x06, 0x0a, 0x04, 'a', 'c', 'm', 'e'};
    log.append(1, 1_700_000_000_000L, newer);
    log.rotate(Hub.STREAM);
    Hub.append(log, "beta", "b-1", "1");
    try (Hub hub = hub()) {
      hub.drain();
      hub.checkpointer.checkpoint();
      hub.retention.turn();

      assertThat(hub.retention.blocker()).contains("parked tenant acme");
      clock.pass(Duration.ofDays(2).toMillis());
      hub.retention.turn();
      assertThat(log.start(Hub.STREAM)).isZero();
    }
    try (Hub hub = hub()) {
      assertThat(hub.loop.parked().isParked("acme")).isTrue();
      hub.drain();
      assertThat(parked(hub, "acme").cause()).isEqualTo(Cause.POISON);
      assertThat(hub.loop.stats().unaccounted()).isZero();
    }
  }

  @Test
  void what_is_not_archived_is_not_deleted_and_the_reason_is_named() throws Exception {
    Hub.append(log, "acme", "a-1", "1");
    log.rotate(Hub.STREAM);
    try (Hub hub = hub()) {
      hub.drain();
      hub.archivedThrough = -1;
      hub.checkpointer.checkpoint();
      hub.retention.turn();

      assertThat(hub.retention.blocker()).isEqualTo("not archived: offsets from 0");
      assertThat(hub.retention.retained().provenBytes()).isZero();

      hub.archivedThrough = 1;
      hub.retention.turn();

      assertThat(hub.retention.blocker()).isNull();
      assertThat(hub.retention.retained().provenBytes()).isPositive();

      // The store cannot be asked now.
      hub.archivedThrough = -1;
      hub.retention.turn();

      assertThat(hub.retention.retained().provenBytes()).isPositive();
    }
  }

  @Test
  void old_rows_leave_and_neither_the_chain_nor_the_numbers_of_items_change() throws Exception {
    for (int i = 0; i < 10; i++) {
      Hub.append(log, "acme", "a-" + i, "1", clock.wallMillis() + i * 1_000L);
    }
    try (Hub hub = hub()) {
      hub.drain();
      ViewState before = hub.state("acme");
      clock.pass(Duration.ofHours(1).toMillis() + 4_500);
      boolean[] isPaused = {true};
      long[] archivedSeq = {0};
      ViewRetention retention =
          new ViewRetention(
              hub.databases,
              hub.mailboxes,
              Duration.ofHours(1),
              _ -> archivedSeq[0],
              () -> isPaused[0],
              hub.loop.parked()::isParked,
              clock);
      retention.turn();
      assertThat(hub.state("acme").firstSeq()).isEqualTo(1);

      isPaused[0] = false;
      retention.turn();
      assertThat(hub.state("acme").firstSeq()).isEqualTo(1);

      archivedSeq[0] = 3;
      retention.turn();
      assertThat(hub.state("acme").firstSeq()).isEqualTo(4);

      archivedSeq[0] = 10;
      retention.turn();

      ViewState after = hub.state("acme");
      assertThat(after.firstSeq()).isEqualTo(6);
      assertThat(after.chain()).isEqualTo(before.chain());
      Chain rest = Chain.from(after.chainBeforeFirst());
      for (int seq = 6; seq <= 10; seq++) {
        rest.add(
            seq,
            1,
            1_700_000_000_000L + (seq - 1) * 1_000L,
            "a-" + (seq - 1),
            List.of("p"),
            "1".getBytes(UTF_8));
      }
      assertThat(rest.hex()).isEqualTo(after.chain());
      assertThat(hub.databases.<Long>readMailbox("acme", m -> m.firstItem("p"))).isEqualTo(6);

      hub.databases.setAsideMailbox("acme");
      hub.follow();
      hub.loop.followMailbox("acme");
      hub.follow();
      assertThat(hub.databases.<Long>readMailbox("acme", m -> m.firstItem("p"))).isEqualTo(6);
      assertThat(hub.databases.<Long>readMailbox("acme", m -> m.lastItem("p"))).isEqualTo(10);

      clock.pass(Duration.ofHours(1).toMillis());
      retention.turn();
      assertThat(hub.state("acme").firstSeq()).isEqualTo(11);
      assertThat(hub.state("acme").chainBeforeFirst()).isEqualTo(before.chain());
    }
  }

  @Test
  void a_stranger_computes_the_same_chain_from_the_database() throws Exception {
    long seed = 5;
    RandomRecords records = new RandomRecords(new Random(seed), List.of("acme"));
    for (int i = 0; i < 300; i++) {
      records.appendTo(log);
    }
    String chain;
    long seq;
    try (Hub hub = hub()) {
      hub.drain();
      chain = hub.state("acme").chain();
      seq = hub.state("acme").seq();
    }
    Path database = Dump.canonical(directory.resolve("tenants"), "acme");

    assertThat(verify(database)).isEqualTo("seq " + seq + " chain " + chain + "\n");

    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database);
        Statement statement = connection.createStatement()) {
      assertThat(statement.executeUpdate("UPDATE events SET received_at = 1 WHERE seq = 7"))
          .isEqualTo(1);
    }
    assertThat(verify(database)).isEqualTo("the chain differs at seq " + seq + "\n");
  }

  private static String verify(Path database) throws Exception {
    Process python =
        new ProcessBuilder("python3", "src/test/python/verify_chain.py", database.toString())
            .redirectErrorStream(true)
            .start();
    String output = new String(python.getInputStream().readAllBytes(), UTF_8);
    python.waitFor();
    return output;
  }

  @Test
  void a_loop_that_does_not_turn_still_has_a_lag() throws Exception {
    Hub.append(log, "acme", "a-1", "1", clock.wallMillis());
    Hub.append(log, "acme", "a-2", "1", clock.wallMillis());
    clock.pass(7_000);
    try (Hub hub = hub()) {
      assertThat(hub.loop.stats().lagRecords()).isEqualTo(2);
      assertThat(hub.loop.stats().lagMillis()).isEqualTo(7_000);
      hub.drain();
      assertThat(hub.loop.stats().lagRecords()).isZero();
      assertThat(hub.loop.stats().lagMillis()).isZero();
    }
  }

  @Test
  void who_waits_for_a_record_is_woken_by_its_commit() throws Exception {
    try (Hub hub = hub()) {
      Thread applying =
          Thread.ofPlatform()
              .start(() -> {
                try {
                  hub.loop.run();
                } catch (InterruptedException stopped) {
                  Thread.currentThread().interrupt();
                }
              });
      List<Thread> waiting = new ArrayList<>();
      List<Boolean> seen = Collections.synchronizedList(new ArrayList<>());
      for (int i = 0; i < 20; i++) {
        waiting.add(
            Thread.ofVirtual()
                .start(() -> {
                  try {
                    seen.add(hub.loop.awaitApplied("acme", Hub.STREAM, 0, Duration.ofSeconds(20)));
                  } catch (InterruptedException stopped) {
                    Thread.currentThread().interrupt();
                  }
                }));
      }
      Hub.append(log, "acme", "a-1", "1");
      for (Thread thread : waiting) {
        thread.join();
      }
      assertThat(seen).hasSize(20).containsOnly(true);
      assertThat(hub.loop.awaitSeq("acme", 2, Duration.ofMillis(20))).isFalse();
      hub.loop.stop();
      applying.join();
    }
    try (Hub hub = hub()) {
      // Applied before this process began.
      assertThat(hub.loop.awaitApplied("acme", Hub.STREAM, 0, Duration.ofSeconds(5))).isTrue();
    }
  }
}
