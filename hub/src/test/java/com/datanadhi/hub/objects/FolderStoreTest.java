package com.datanadhi.hub.objects;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.hub.objects.ObjectStoreException.Kind;
import com.datanadhi.testkit.Directories;
import com.datanadhi.testkit.SmallDisk;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderStoreTest extends ObjectStoreContract {
  @TempDir private Path home;

  private Path root() {
    return home.resolve("above").resolve("objects");
  }

  @Override
  protected ObjectStore open() {
    return new FolderStore(root());
  }

  private static List<String> names(Path directory) throws Exception {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> String.valueOf(file.getFileName())).sorted().toList();
    }
  }

  @Test
  void files_and_directories_are_for_their_owner_alone_and_nothing_unfinished_stays()
      throws Exception {
    assertThat(open().create("a/b", bytes("x"))).isTrue();
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(root().resolve("a/b"))))
        .isEqualTo("r--------");
    for (Path directory : List.of(root(), root().resolve("a"), root().resolve(".unfinished"))) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory)))
          .isEqualTo("rwx------");
    }
    assertThat(names(root().resolve(".unfinished"))).isEmpty();
  }

  @Test
  void the_first_create_removes_what_a_killed_process_left_a_day_ago() throws Exception {
    assertThat(open().create("a", bytes("x"))).isTrue();
    Path unfinished = root().resolve(".unfinished");
    for (String name : List.of("old", "young")) {
      Files.write(unfinished.resolve(name), bytes("half"));
    }
    Instant now = Instant.now();
    Files.setLastModifiedTime(
        unfinished.resolve("old"), FileTime.from(now.minus(Duration.ofHours(25))));
    Files.setLastModifiedTime(
        unfinished.resolve("young"), FileTime.from(now.minus(Duration.ofHours(23))));
    assertThat(open().create("b", bytes("y"))).isTrue();
    assertThat(names(unfinished)).containsExactly("young");
  }

  @Test
  void a_full_disk_is_a_matter_of_time_and_leaves_nothing_behind() throws Exception {
    try (SmallDisk disk = SmallDisk.mountOrSkip(root(), "1m")) {
      ObjectStore store = open();
      assertThat(store.create("small", bytes("x"))).isTrue();
      long free = disk.free();
      assertThat(kindOf(() -> store.create("large", new byte[2 << 20])))
          .isEqualTo(Kind.UNAVAILABLE);
      assertThatThrownBy(() -> store.create("large", new byte[2 << 20]))
          .hasMessageContaining("No space left on device")
          .hasMessageContaining(root() + "/large");
      assertThat(store.head("large")).isNull();
      assertThat(disk.free()).isEqualTo(free);
      assertThat(store.create("large", new byte[1000])).isTrue();
    }
  }

  @Test
  void a_read_only_file_system_refuses_and_can_be_read() throws Exception {
    try (SmallDisk disk = SmallDisk.mountOrSkip(root(), "1m")) {
      ObjectStore store = open();
      assertThat(store.create("a", bytes("x"))).isTrue();
      disk.remountReadOnly();
      assertThat(kindOf(() -> store.create("b", bytes("y")))).isEqualTo(Kind.REFUSED);
      assertThat(kindOf(() -> store.delete("a"))).isEqualTo(Kind.REFUSED);
      assertThatThrownBy(() -> store.delete("a")).hasMessageContaining("Read-only file system");
      assertThat(store.read("a", 1)).isEqualTo(bytes("x"));
    }
  }

  @Test
  void a_folder_of_two_file_systems_is_told_that_links_are_needed() throws Exception {
    ObjectStore store = open();
    assertThat(store.create("a", bytes("x"))).isTrue();
    try (SmallDisk disk = SmallDisk.mountOrSkip(root().resolve("archive"), "1m")) {
      assertThat(kindOf(() -> store.create("archive/b", bytes("y")))).isEqualTo(Kind.UNSUPPORTED);
      assertThatThrownBy(() -> store.create("archive/b", bytes("y")))
          .hasMessageContaining("hard link")
          .hasMessageContaining("one file system");
      assertThat(disk.free()).isEqualTo(1 << 20);
    }
    assertThat(names(root().resolve(".unfinished"))).isEmpty();
  }

  @Test
  void a_folder_that_is_deleted_underneath_is_made_again() throws Exception {
    ObjectStore store = open();
    assertThat(store.create("a/b", bytes("x"))).isTrue();
    Directories.delete(root());
    assertThat(store.head("a/b")).isNull();
    assertThat(kindOf(() -> store.open("a/b"))).isEqualTo(Kind.MISSING);
    assertThat(store.folders("")).isEmpty();
    store.delete("a/b");
    assertThat(store.create("a/b", bytes("y"))).isTrue();
  }

  @Test
  void an_object_and_a_folder_of_one_name_are_refused() throws Exception {
    ObjectStore store = open();
    assertThat(store.create("a", bytes("x"))).isTrue();
    assertThat(store.create("b/c", bytes("x"))).isTrue();
    assertThat(kindOf(() -> store.create("a/b", bytes("y")))).isEqualTo(Kind.REFUSED);
    assertThat(kindOf(() -> store.create("b", bytes("y")))).isEqualTo(Kind.REFUSED);
    assertThatThrownBy(() -> store.create("a/b", bytes("y"))).hasMessageContaining("is a file");
    store.delete("b");
    assertThat(store.read("b/c", 1)).isEqualTo(bytes("x"));
  }

  @Test
  void a_root_that_is_a_file_is_refused() throws Exception {
    Path file = Files.createFile(home.resolve("file"));
    try (ObjectStore store = new FolderStore(file)) {
      assertThat(kindOf(() -> store.create("a", bytes("x")))).isEqualTo(Kind.REFUSED);
      assertThat(store.folders("")).isEmpty();
    }
  }

  @Test
  void directories_are_removed_with_their_last_object_while_others_create_in_them()
      throws Exception {
    ObjectStore store = open();
    List<Callable<Void>> calls = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      String key = "x/y/z/" + i;
      calls.add(() -> {
        for (int round = 0; round < 50; round++) {
          assertThat(store.create(key, bytes(key))).isTrue();
          assertThat(store.read(key, 100)).isEqualTo(bytes(key));
          store.delete(key);
        }
        return null;
      });
    }
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      for (Future<Void> done : threads.invokeAll(calls)) {
        assertThat(done.get()).isNull();
      }
    }
    assertThat(names(root())).containsExactly(".unfinished");
  }
}
