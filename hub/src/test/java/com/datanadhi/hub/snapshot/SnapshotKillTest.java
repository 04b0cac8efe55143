package com.datanadhi.hub.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.hub.objects.FolderStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SnapshotKillTest {
  private static final int KILLED = 137;

  @TempDir Path directory;

  /// Each process continues on what the killed ones before it left. Files are created first, then
  /// the manifest; an older snapshot loses its manifest first.
  @Test
  void a_process_that_is_killed_at_any_point_leaves_finished_snapshots_and_the_next_one_goes_on()
      throws Exception {
    List<String> points =
        List.of(
            "list 1 after",
            "create 0 before",
            "create 0 after",
            "create 1 after",
            "create 2 before",
            "create 2 after",
            "delete 0 before",
            "delete 0 after",
            "delete 1 after",
            "delete 2 after");
    SnapshotStore store = new SnapshotStore(new FolderStore(directory.resolve("objects")));
    long seq = 0;
    for (String point : points) {
      assertThat(child(point)).as(point).isEqualTo(KILLED);
      SnapshotList list = store.list("acme");
      assertThat(list.faults()).isEmpty();
      assertThat(list.others()).isEmpty();
      for (Snapshot snapshot : list.finished()) {
        Path target = Files.createTempDirectory(directory, "download");
        store.download(snapshot, target);
        assertThat(Tenants.chainOfRows(target.resolve("canonical.db"), "acme"))
            .isEqualTo(snapshot.manifest().chain());
      }
      if (!list.finished().isEmpty()) {
        assertThat(list.finished().getLast().manifest().seq()).isGreaterThanOrEqualTo(seq);
        seq = list.finished().getLast().manifest().seq();
      }
    }
    assertThat(child("none 0 before")).isZero();
    assertThat(store.list("acme").finished())
        .singleElement()
        .satisfies(last -> assertThat(last.manifest().seq()).isEqualTo(110));
    try (var left = Files.list(directory.resolve("snapshot-scratch"))) {
      assertThat(left).isEmpty();
    }
  }

  private int child(String point) throws Exception {
    Process child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-preview",
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                SnapshotChild.class.getName(),
                directory.toString(),
                point)
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("child.txt").toFile())
            .start();
    assertThat(child.waitFor(60, TimeUnit.SECONDS)).isTrue();
    int exit = child.exitValue();
    assertThat(exit).as(Files.readString(directory.resolve("child.txt"))).isIn(0, KILLED);
    return exit;
  }
}
