package com.datanadhi.hub.archive;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.hub.cli.Cli;
import com.datanadhi.hub.hub.OfflineDirectory;
import com.datanadhi.hub.restore.Cut;
import com.datanadhi.hub.restore.Restorer;
import com.datanadhi.hub.restore.Target;
import com.datanadhi.hub.snapshot.Snapshot;
import com.datanadhi.hub.snapshot.SnapshotStore;
import com.datanadhi.hub.snapshot.Snapshotter;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.view.TenantDatabases;
import java.io.ByteArrayOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What `restore` and `verify` say about an archive of 100 records, received 20 ms apart.
class RestoreCommandTest {
  @TempDir private Path directory;
  private ArchivedHub hub;

  @BeforeEach
  void archive() throws Exception {
    hub = new ArchivedHub(directory);
    fill(hub, "");
  }

  private static void fill(ArchivedHub of, String more) throws Exception {
    for (int i = 1; i <= 100; i++) {
      of.at(ArchivedHub.START + i * 20L);
      of.store("acme", "k-" + i, "{\"n\":" + i + more + "}");
    }
    of.archive();
  }

  @AfterEach
  void close() {
    hub.close();
  }

  private record Result(int status, String out) {}

  private Result run(Object... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    String[] words =
        Stream.concat(Stream.of(arguments), Stream.of("--objects", "file:" + hub.objects))
            .map(Object::toString)
            .toArray(String[]::new);
    int status = new Cli((_, _, _) -> 0, OfflineDirectory::open, Map.of(), out, out).run(words);
    return new Result(status, out.toString(UTF_8));
  }

  private Result dryRun(Object... more) {
    return run(
        Stream.concat(
                Stream.of("restore", "--tenant-id", "acme", "--dry-run", "--without-keys"),
                Stream.of(more))
            .toArray());
  }

  @Test
  void a_dry_run_says_how_many_records_are_near_and_how_to_see_all() {
    Result few = dryRun("--target-seq", 60);
    assertThat(few.status()).isZero();
    assertThat(few.out())
        .contains(
            "within 5 s of the cut are 60 records before it and 40 records behind it; these are the"
                + " nearest, --around 60 prints all",
            "restored  seq 41 ",
            "left out  seq 80 ")
        .doesNotContain("seq 40 ", "seq 81 ");

    Result all = dryRun("--target-seq", 60, "--around", 60);
    assertThat(all.out())
        .contains("restored  seq 1 ", "left out  seq 100 ")
        .doesNotContain("--around");
    assertThat(dryRun("--target-seq", 60, "--json").out())
        .contains("\"near_before\":60,\"near_after\":40");
  }

  @Test
  void records_that_are_not_near_are_not_counted() throws Exception {
    hub.at(ArchivedHub.START + 20_000);
    hub.store("acme", "late", "1");
    hub.archive();
    assertThat(dryRun("--target-seq", 101).out())
        .contains("restored  seq 101 ")
        .doesNotContain("--around", "seq 100 ");
    assertThat(dryRun("--target-seq", 100).out()).contains("100 records before it and 0 records");
  }

  @Test
  void records_near_a_snapshot_are_those_of_all_segments_before_it() throws Exception {
    hub.store("acme", "next", "1");
    hub.archive();
    take(hub);
    assertThat(dryRun("--target-seq", 101).out()).contains("101 records before it");
  }

  /// A snapshot of this history in the store of the first one.
  ///
  /// @param sql changes of it
  private void take(ArchivedHub history, String... sql) throws Exception {
    try (TenantDatabases databases =
        new TenantDatabases(Files.createTempDirectory(directory, "from"), 8)) {
      Cut _ =
          new Restorer(history.store, Clock.system(), (_, _, _) -> {})
              .into(databases, "acme", new Target.End());
      for (String change : sql) {
        try (Connection connection =
                DriverManager.getConnection(
                    "jdbc:sqlite:" + databases.directory("acme").resolve("canonical.db"));
            Statement statement = connection.createStatement()) {
          assertThat(statement.executeUpdate(change)).isEqualTo(1);
        }
      }
      Snapshot _ =
          new Snapshotter(
                  databases,
                  new SnapshotStore(hub.store),
                  directory.resolve("snapshot-scratch"),
                  "1",
                  _ -> -1,
                  Clock.system())
              .take("acme");
    }
  }

  @Test
  void a_snapshot_of_another_history_is_refused_where_nothing_is_read_behind_it() throws Exception {
    try (ArchivedHub forged = new ArchivedHub(directory.resolve("forged"))) {
      fill(forged, ",\"forged\":true");
      take(forged);
    }
    assertThat(run("verify", "snapshots").status()).isZero();
    for (Object[] target :
        new Object[][] {{"--target-time", "2099-01-01 00:00"}, {"--target-seq", 100}}) {
      Result refused = dryRun(target);
      assertThat(refused.status()).isEqualTo(1);
      assertThat(refused.out()).contains("has another chain at seq 100");
    }
  }

  @Test
  void other_positions_in_a_snapshot_than_in_the_archive_are_found() throws Exception {
    take(hub);
    assertThat(run("verify", "all").status()).isZero();
    take(
        hub,
        "UPDATE events SET position = '0123abcd/events-0:7000' WHERE seq = 3",
        "UPDATE applied_events SET result_json = json_set(result_json, '$.position',"
            + " '0123abcd/events-0:7000') WHERE idempotency_key = 'k-3'");
    assertThat(run("verify", "snapshots").status()).isZero();
    Result all = run("verify", "all");
    assertThat(all.status()).isEqualTo(1);
    assertThat(all.out())
        .containsPattern(
            "snapshots/acme/snap_[^/]*/canonical.db: position or durability of a record up to seq"
                + " 100 is not what the archive has\n")
        .contains("1 fault");
  }

  @Test
  void verifying_one_tenant_says_nothing_of_folders_beside_it() throws Exception {
    for (String folder : new String[] {"archive/No.Tenant", "snapshots/No.Tenant"}) {
      Files.writeString(Files.createDirectories(hub.objects.resolve(folder)).resolve("x"), "x");
    }
    Result one = run("verify", "all", "--tenant-id", "acme");
    assertThat(one.status()).as(one.out()).isZero();
    Result all = run("verify", "all");
    assertThat(all.status()).isEqualTo(1);
    assertThat(all.out()).contains("archive/No.Tenant/: is no", "snapshots/No.Tenant/: no tenant");
    assertThat(run("verify", "archive").out()).contains("1 fault").doesNotContain("snapshots/");
  }
}
