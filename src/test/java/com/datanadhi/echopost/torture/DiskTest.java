package com.datanadhi.echopost.torture;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.torture.DiskJournal.Change;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DiskTest {
  private static final int CUTS = 400;

  @TempDir Path home;
  private Disk disk = new Disk(Disk.Syncs.HONOURED, new Random(1));
  private long end;

  private void happens(Change... changes) {
    for (Change change : changes) {
      disk.take(new DiskJournal.Entry(++end, change));
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

  private Change notSynced(String path, long inode) {
    return new Change.Synced(path, inode, end, true);
  }

  /// Every state that so many cuts bring up, each as its files' names and contents.
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

  /// A file whose name is on the disk.
  private void file(String path, long inode) {
    happens(created(path, inode));
    happens(synced("", 0));
  }

  @Test
  void what_was_synced_is_there_whatever_chance_says() throws IOException {
    file("f", 7);
    happens(written(7, 0, "abc"));
    happens(synced("f", 7));
    assertThat(states()).containsExactly("f=abc");
  }

  @Test
  void what_was_not_synced_may_be_there_or_not_in_any_order() throws IOException {
    file("f", 7);
    happens(written(7, 0, "old"));
    happens(synced("f", 7));
    happens(written(7, 0, "new"), written(7, 0, "NEW"));
    assertThat(states()).containsExactlyInAnyOrder("f=old", "f=new", "f=NEW");
  }

  @Test
  void a_sync_does_not_cover_what_was_written_while_it_went_on() throws IOException {
    file("f", 7);
    happens(written(7, 0, "a"));
    Change sync = synced("f", 7);
    happens(written(7, 1, "b"), sync);
    assertThat(states()).containsExactlyInAnyOrder("f=a", "f=ab");
  }

  @Test
  void a_write_is_torn_at_borders_of_sectors_alone() throws IOException {
    file("f", 7);
    happens(written(7, 0, "-".repeat(1024)));
    happens(synced("f", 7));
    happens(written(7, 256, "+".repeat(512)));
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
  void a_name_lasts_once_its_directory_is_synced_and_not_with_its_file() throws IOException {
    happens(created("f", 7), written(7, 0, "a"));
    happens(synced("f", 7));
    assertThat(states()).containsExactlyInAnyOrder("", "f=a");
    happens(synced("", 0));
    assertThat(states()).containsExactly("f=a");
  }

  @Test
  void a_removed_or_renamed_file_may_be_there_under_its_old_name() throws IOException {
    file("f", 7);
    happens(new Change.Renamed("f", "g"));
    assertThat(states()).containsExactlyInAnyOrder("f=", "g=");
    happens(synced("", 0));
    assertThat(states()).containsExactly("g=");
    happens(new Change.Removed("g"));
    assertThat(states()).containsExactlyInAnyOrder("g=", "");
    happens(synced("", 0));
    assertThat(states()).containsExactly("");
  }

  @Test
  void a_new_file_under_an_old_inode_is_another_file() throws IOException {
    file("f", 7);
    happens(written(7, 0, "old"));
    happens(synced("f", 7));
    happens(new Change.Removed("f"), created("f", 7), written(7, 0, "n"));
    assertThat(states()).containsExactlyInAnyOrder("f=old", "", "f=", "f=n");
  }

  @Test
  void a_directory_that_did_not_last_takes_its_files_with_it() throws IOException {
    happens(new Change.MadeDirectory("d"), created("d/f", 7));
    happens(synced("d", 6));
    assertThat(states()).containsExactlyInAnyOrder("", "d/f=");
  }

  @Test
  void no_later_sync_makes_up_for_one_that_failed() throws IOException {
    Set<String> states = new HashSet<>();
    for (int seed = 0; seed < 20; seed++) {
      disk = new Disk(Disk.Syncs.HONOURED, new Random(seed));
      file("f", 7);
      happens(written(7, 0, "a"));
      happens(notSynced("f", 7));
      happens(written(7, 1, "b"));
      happens(synced("f", 7));
      Set<String> now = states();
      assertThat(now).hasSize(1);
      states.addAll(now);
    }
    assertThat(states).containsExactlyInAnyOrder("f=ab", "f=\0b");
  }

  @Test
  void without_its_syncs_nothing_is_sure() throws IOException {
    disk = new Disk(Disk.Syncs.NEVER_HAPPENED, new Random(1));
    file("f", 7);
    happens(written(7, 0, "a"));
    happens(synced("f", 7));
    assertThat(states()).containsExactlyInAnyOrder("", "f=", "f=a");
  }
}
