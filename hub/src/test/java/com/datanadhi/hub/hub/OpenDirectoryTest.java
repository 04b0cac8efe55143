package com.datanadhi.hub.hub;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.hub.admin.HubSettings;
import com.datanadhi.hub.apply.ApplyLoop;
import com.datanadhi.hub.control.ControlStore;
import com.datanadhi.hub.health.AppendHealth;
import com.datanadhi.hub.intake.Intake;
import com.datanadhi.hub.intake.Outcome;
import com.datanadhi.hub.intake.Submission;
import com.datanadhi.hub.log.Durability;
import com.datanadhi.hub.record.RecordData;
import com.datanadhi.hub.time.Clock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OpenDirectoryTest {
  @TempDir Path data;

  @Test
  void nothing_in_the_directory_can_be_read_by_others_whatever_the_umask() throws Exception {
    try (OpenDirectory directory = open()) {
      store(directory, "acme", "k-1");
      new AppendProbe(data, new AppendHealth(directory.clock)).turn();
      directory.log.rotate(Intake.STREAM);
      store(directory, "acme", "k-2");
      directory.apply.turn();
      directory.mailboxes.turn();
      assertThat(directory.checkpointer.checkpoint()).isTrue();

      List<String> open = new ArrayList<>();
      try (Stream<Path> files = Files.walk(data)) {
        for (Path file : files.filter(f -> !f.equals(data)).toList()) {
          if (isForOthers(file)) {
            open.add(data.relativize(file).toString());
          }
        }
      }
      assertThat(open).isEmpty();
    }
  }

  @Test
  void a_lock_of_another_process_on_one_database_does_not_hold_up_the_other_tenants()
      throws Exception {
    try (OpenDirectory directory = open()) {
      store(directory, "locked", "k-1");
      applyAll(directory);
      try (Connection foreign = DriverManager.getConnection("jdbc:sqlite:" + database("locked"));
          Statement statement = foreign.createStatement()) {
        statement.execute("BEGIN IMMEDIATE");
        store(directory, "locked", "k-2");
        store(directory, "free", "k-1");
        long began = System.nanoTime();
        applyAll(directory);
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(3));
        assertThat(seq(directory, "free")).isEqualTo(1);
        assertThat(directory.apply.parked().isParked("locked")).isTrue();
        statement.execute("ROLLBACK");
      }
      long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
      while (directory.apply.parked().isParked("locked") && System.nanoTime() < deadline) {
        directory.recovery.turn();
        applyAll(directory);
      }
      assertThat(seq(directory, "locked")).isEqualTo(2);
    }
  }

  @Test
  void a_sealed_segment_is_proven_without_a_further_record() throws Exception {
    try (OpenDirectory directory = open()) {
      store(directory, "acme", "k-1");
      applyAll(directory);
      directory.checkpointer.turn();
      directory.log.rotate(Intake.STREAM);
      directory.checkpointer.turn();

      assertThat(directory.segmentRetention.blocker()).isNull();
    }
  }

  @Test
  void a_control_database_that_was_locked_is_shown_as_behind_and_follows_by_itself()
      throws Exception {
    try (OpenDirectory directory = open()) {
      HubAdministration administration = new HubAdministration(directory, null, null, "v1");
      Upkeep upkeep =
          new Upkeep(
              directory,
              new DiskRoom(data, 1 << 20, directory::unappliedBytes),
              new AppendProbe(data, new AppendHealth(directory.clock)));
      upkeep.turn();
      administration.createKey("first", null);
      try (Connection foreign = DriverManager.getConnection("jdbc:sqlite:" + database("_control"));
          Statement statement = foreign.createStatement()) {
        statement.execute("BEGIN IMMEDIATE");
        administration.createKey("second", null);
        assertThat(waiting(administration, ControlStore.STREAM)).isEqualTo(1);
        statement.execute("ROLLBACK");
      }
      upkeep.turn();
      assertThat(waiting(administration, ControlStore.STREAM)).isZero();
      assertThat(directory.control.problem()).isNull();
    }
  }

  private static long waiting(HubAdministration administration, String stream) {
    return administration.status().streams().stream()
        .filter(each -> each.name().equals(stream))
        .findFirst()
        .orElseThrow()
        .waiting();
  }

  private static boolean isForOthers(Path file) throws IOException {
    Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(file);
    return permissions.stream().anyMatch(permission -> !permission.name().startsWith("OWNER"));
  }

  private static void applyAll(OpenDirectory directory) throws InterruptedException {
    boolean worked = true;
    while (worked) {
      worked = directory.apply.turn() != ApplyLoop.Turn.IDLE;
      worked |= directory.recovery.turn();
    }
  }

  private static long seq(OpenDirectory directory, String tenant) throws Exception {
    return directory.databases.read(tenant, reader -> reader.state()).seq();
  }

  private Path database(String tenant) throws IOException {
    try (Stream<Path> files = Files.walk(data.resolve("tenants"))) {
      return files
          .filter(file -> file.endsWith(Path.of(tenant, "canonical.db")))
          .findFirst()
          .orElseThrow();
    }
  }

  private static void store(OpenDirectory directory, String tenant, String key)
      throws InterruptedException {
    RecordData record = new RecordData(List.of("p"), "{\"a\":1}".getBytes(UTF_8));
    Outcome outcome = directory.intake.submit(tenant, new Submission(key, List.of(record)));
    assertThat(outcome).isInstanceOf(Outcome.Stored.class);
  }

  private OpenDirectory open() throws IOException, InterruptedException {
    HubSettings settings =
        new HubSettings(
            data,
            new HubSettings.Address("127.0.0.1", 0),
            null,
            Durability.FSYNC,
            1 << 20,
            Duration.ofMinutes(10),
            Duration.ofHours(24),
            null,
            16 << 20,
            Duration.ofDays(30),
            null,
            new HubSettings.Objects(
                "file:" + data.resolve("objects"),
                false,
                Duration.ofSeconds(60),
                Duration.ofDays(90),
                false,
                Duration.ofHours(12),
                7,
                Duration.ofHours(24)),
            null,
            null,
            List.of());
    OpenDirectory directory =
        OpenDirectory.open(settings, (records, bytes, nanos) -> {}, _ -> {}, Clock.system(), true);
    directory.loadTail();
    return directory;
  }
}
