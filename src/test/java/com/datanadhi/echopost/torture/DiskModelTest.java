package com.datanadhi.echopost.torture;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.testkit.DiskJournal;
import com.datanadhi.testkit.DiskJournal.Change;
import com.datanadhi.testkit.DiskModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DiskModelTest {
  private static final int CUTS = 400;

  @TempDir Path home;
  private DiskModel disk = new DiskModel(DiskModel.Syncs.HONOURED, new Random(1));
  private long end;

  private void apply(Change... changes) {
    for (Change change : changes) {
      disk.apply(new DiskJournal.JournaledChange(++end, change));
    }
  }

  private static Change created(String path, long inode) {
    return new Change.Created(path, inode);
  }

  private static Change written(long inode, long offset, String data) {
    return new Change.Written("f", inode, offset, data.getBytes(US_ASCII));
  }

  private Change synced(String path, long inode) {
    return new Change.Synced(path, inode, end, false);
  }

  private Change failedSync(String path, long inode) {
    return new Change.Synced(path, inode, end, true);
  }

  /// The distinct states after [#CUTS] power cuts, each as the names and contents of its files.
  private Set<String> states() throws IOException {
    Set<String> states = new HashSet<>();
    for (int cut = 0; cut < CUTS; cut++) {
      Path directory = home.resolve(end + "-" + cut);
      disk.cutPower(directory, new Random(cut));
      StringBuilder state = new StringBuilder();
      try (Stream<Path> all = Files.walk(directory)) {
        for (Path file : all.sorted().filter(Files::isRegularFile).toList()) {
          state.append(directory.relativize(file)).append('=').append(Files.readString(file));
          state.append(' ');
        }
      }
      states.add(state.toString().strip());
    }
    return states;
  }

  /// Creates a file whose name is synced.
  private void createFile(String path, long inode) {
    apply(created(path, inode));
    apply(synced("", 0));
  }

  @Test
  void synced_data_survives_every_power_loss() throws IOException {
    createFile("f", 7);
    apply(written(7, 0, "abc"));
    apply(synced("f", 7));
    assertThat(states()).containsExactly("f=abc");
  }

  @Test
  void unsynced_writes_survive_or_not_in_any_order() throws IOException {
    createFile("f", 7);
    apply(written(7, 0, "old"));
    apply(synced("f", 7));
    apply(written(7, 0, "new"), written(7, 0, "NEW"));
    assertThat(states()).containsExactlyInAnyOrder("f=old", "f=new", "f=NEW");
  }

  @Test
  void a_sync_does_not_cover_writes_made_after_it_started() throws IOException {
    createFile("f", 7);
    apply(written(7, 0, "a"));
    Change sync = synced("f", 7);
    apply(written(7, 1, "b"), sync);
    assertThat(states()).containsExactlyInAnyOrder("f=a", "f=ab");
  }

  @Test
  void a_write_is_torn_only_at_sector_boundaries() throws IOException {
    createFile("f", 7);
    apply(written(7, 0, "-".repeat(1024)));
    apply(synced("f", 7));
    apply(written(7, 256, "+".repeat(512)));
    String none = "-".repeat(256);
    String part = "+".repeat(256);
    assertThat(states())
        .containsExactlyInAnyOrder(
            "f=" + none + none + none + none,
            "f=" + none + part + part + none,
            "f=" + none + part + none + none,
            "f=" + none + none + part + none);
  }

  @Test
  void a_name_is_durable_after_a_sync_of_its_directory_not_of_its_file() throws IOException {
    apply(created("f", 7), written(7, 0, "a"));
    apply(synced("f", 7));
    assertThat(states()).containsExactlyInAnyOrder("", "f=a");
    apply(synced("", 0));
    assertThat(states()).containsExactly("f=a");
  }

  @Test
  void a_removed_or_renamed_file_may_still_have_its_old_name() throws IOException {
    createFile("f", 7);
    apply(new Change.Renamed("f", "g"));
    assertThat(states()).containsExactlyInAnyOrder("f=", "g=");
    apply(synced("", 0));
    assertThat(states()).containsExactly("g=");
    apply(new Change.Removed("g"));
    assertThat(states()).containsExactlyInAnyOrder("g=", "");
    apply(synced("", 0));
    assertThat(states()).containsExactly("");
  }

  @Test
  void a_file_that_reuses_an_inode_is_a_new_file() throws IOException {
    createFile("f", 7);
    apply(written(7, 0, "old"));
    apply(synced("f", 7));
    apply(new Change.Removed("f"), created("f", 7), written(7, 0, "n"));
    assertThat(states()).containsExactlyInAnyOrder("f=old", "", "f=", "f=n");
  }

  @Test
  void a_lost_directory_loses_its_files() throws IOException {
    apply(new Change.MadeDirectory("d"), created("d/f", 7));
    apply(synced("d", 6));
    assertThat(states()).containsExactlyInAnyOrder("", "d/f=");
  }

  @Test
  void a_later_sync_does_not_repair_a_failed_one() throws IOException {
    Set<String> states = new HashSet<>();
    for (int seed = 0; seed < 20; seed++) {
      disk = new DiskModel(DiskModel.Syncs.HONOURED, new Random(seed));
      createFile("f", 7);
      apply(written(7, 0, "a"));
      apply(failedSync("f", 7));
      apply(written(7, 1, "b"));
      apply(synced("f", 7));
      Set<String> now = states();
      assertThat(now).hasSize(1);
      states.addAll(now);
    }
    assertThat(states).containsExactlyInAnyOrder("f=ab", "f=\0b");
  }

  @Test
  void nothing_is_durable_on_a_disk_that_ignores_syncs() throws IOException {
    disk = new DiskModel(DiskModel.Syncs.IGNORED, new Random(1));
    createFile("f", 7);
    apply(written(7, 0, "a"));
    apply(synced("f", 7));
    assertThat(states()).containsExactlyInAnyOrder("", "f=", "f=a");
  }
}
