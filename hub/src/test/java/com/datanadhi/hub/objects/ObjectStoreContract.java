package com.datanadhi.hub.objects;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import com.datanadhi.hub.objects.ObjectStoreException.Kind;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What each engine of [ObjectStore] promises.
abstract class ObjectStoreContract {
  @TempDir private Path files;
  private ObjectStore store = new FolderStore(Path.of("/nonexistent"));

  /// Opens a store without objects.
  protected abstract ObjectStore open() throws Exception;

  @BeforeEach
  void openStore() throws Exception {
    store = open();
  }

  @AfterEach
  void closeStore() {
    store.close();
  }

  static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }

  static byte[] random(int length, int seed) {
    byte[] content = new byte[length];
    new Random(seed).nextBytes(content);
    return content;
  }

  static Kind kindOf(ThrowingCallable call) {
    List<Kind> kinds = new ArrayList<>();
    assertThatThrownBy(call)
        .asInstanceOf(type(ObjectStoreException.class))
        .satisfies(failure -> kinds.add(failure.kind()));
    return kinds.getFirst();
  }

  private Path file(byte[] content) throws Exception {
    return Files.write(files.resolve("content"), content);
  }

  private byte[] content(String key) throws Exception {
    try (InputStream in = store.open(key)) {
      return in.readAllBytes();
    }
  }

  private List<String> keys(String prefix) throws Exception {
    List<String> keys = new ArrayList<>();
    store.list(prefix, object -> keys.add(object.key()));
    return keys;
  }

  @Test
  void an_object_is_created_once_and_keeps_its_first_content() throws Exception {
    assertThat(store.create("a/b.txt", bytes("first"))).isTrue();
    assertThat(store.create("a/b.txt", bytes("second, which is longer"))).isFalse();
    assertThat(store.create("a/b.txt", file(bytes("third")))).isFalse();
    assertThat(content("a/b.txt")).isEqualTo(bytes("first"));
  }

  @Test
  void a_file_is_stored_as_its_content() throws Exception {
    byte[] content = random(100_000, 1);
    assertThat(store.create("f", file(content))).isTrue();
    assertThat(content("f")).isEqualTo(content);
  }

  @Test
  void an_object_of_no_bytes_is_an_object() throws Exception {
    assertThat(store.create("memory", new byte[0])).isTrue();
    assertThat(store.create("file", file(new byte[0]))).isTrue();
    assertThat(store.create("memory", bytes("x"))).isFalse();
    assertThat(content("memory")).isEmpty();
    assertThat(store.read("file", 0)).isEmpty();
    assertThat(keys("")).containsExactly("file", "memory");
  }

  @Test
  void a_large_object_comes_back_as_it_was() throws Exception {
    byte[] content = random(20 << 20, 2);
    assertThat(store.create("large/file", file(content))).isTrue();
    assertThat(store.create("large/memory", content)).isTrue();
    assertThat(Arrays.equals(content("large/file"), content)).isTrue();
    assertThat(Arrays.equals(store.read("large/memory", 20 << 20), content)).isTrue();
  }

  /// A server can refuse it before all of the content is sent.
  @ParameterizedTest
  @ValueSource(ints = {300_000, 3 << 20, 20 << 20})
  void large_content_for_an_object_that_exists_is_not_taken(int length) throws Exception {
    assertThat(store.create("taken", bytes("first"))).isTrue();
    for (int i = 0; i < 3; i++) {
      assertThat(store.create("taken", random(length, 2))).isFalse();
      assertThat(store.create("taken", file(random(length, 3)))).isFalse();
    }
    assertThat(content("taken")).isEqualTo(bytes("first"));
  }

  /// Contents of different lengths, so that a mixture of two of them would show.
  @Test
  void of_several_that_create_an_object_at_once_exactly_one_does() throws Exception {
    int creators = 4;
    for (int round = 0; round < 10; round++) {
      String key = "race/" + round;
      CyclicBarrier begin = new CyclicBarrier(creators);
      List<Callable<Boolean>> calls = new ArrayList<>();
      for (int i = 0; i < creators; i++) {
        byte[] content = random(200_000 + i, i);
        calls.add(() -> {
          begin.await();
          return store.create(key, content);
        });
      }
      List<Integer> winners = new ArrayList<>();
      try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
        List<Future<Boolean>> created = threads.invokeAll(calls);
        for (int i = 0; i < creators; i++) {
          if (created.get(i).get()) {
            winners.add(i);
          }
        }
      }
      assertThat(winners).hasSize(1);
      int winner = winners.getFirst();
      assertThat(Arrays.equals(content(key), random(200_000 + winner, winner))).isTrue();
    }
  }

  @Test
  void head_tells_size_and_time_or_that_there_is_none() throws Exception {
    long before = System.currentTimeMillis();
    boolean _ = store.create("a/b", bytes("12345"));
    ObjectInfo info = Objects.requireNonNull(store.head("a/b"));
    assertThat(info.key()).isEqualTo("a/b");
    assertThat(info.bytes()).isEqualTo(5);
    // A store may keep whole seconds only.
    assertThat(info.createdAt()).isBetween(before - 2_000, System.currentTimeMillis() + 2_000);
    assertThat(store.head("a/c")).isNull();
    assertThat(store.head("a")).isNull();
    assertThat(store.head("a/b/c")).isNull();
  }

  @Test
  void what_does_not_exist_is_missing() {
    assertThat(kindOf(() -> store.open("none"))).isEqualTo(Kind.MISSING);
    assertThat(kindOf(() -> store.read("a/none", 10))).isEqualTo(Kind.MISSING);
  }

  @Test
  void a_read_is_bounded() throws Exception {
    boolean _ = store.create("ten", bytes("0123456789"));
    assertThat(store.read("ten", 10)).isEqualTo(bytes("0123456789"));
    assertThat(store.read("ten", Integer.MAX_VALUE)).isEqualTo(bytes("0123456789"));
    assertThatThrownBy(() -> store.read("ten", 9)).hasMessageContaining("larger than 9 bytes");
    assertThat(kindOf(() -> store.read("ten", 9))).isEqualTo(Kind.REFUSED);
  }

  @Test
  void a_listing_of_thousands_is_whole_and_in_order_of_bytes() throws Exception {
    List<String> expected =
        IntStream.range(0, 2_500).mapToObj(i -> "many/" + i % 7 + "/n" + i).sorted().toList();
    try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
      List<Callable<Boolean>> calls = new ArrayList<>();
      for (String key : expected) {
        calls.add(() -> store.create(key, bytes(key)));
      }
      for (Future<Boolean> created : threads.invokeAll(calls)) {
        assertThat(created.get()).isTrue();
      }
    }
    assertThat(keys("")).isEqualTo(expected);
    assertThat(keys("many/3/"))
        .isEqualTo(expected.stream().filter(key -> key.startsWith("many/3/")).toList());
    assertThat(store.folders("many/")).containsExactly("0", "1", "2", "3", "4", "5", "6");
    List<ObjectInfo> some = new ArrayList<>();
    store.list(
        "many/",
        object -> {
          some.add(object);
          return some.size() < 3;
        });
    assertThat(some).extracting(ObjectInfo::key).isEqualTo(expected.subList(0, 3));
    assertThat(some).allSatisfy(o -> assertThat(o.bytes()).isEqualTo(o.key().length()));
  }

  @Test
  void keys_are_ordered_as_bytes_also_across_folders() throws Exception {
    List<String> keys = List.of("a-b/x", "a.b", "a.b-", "a/B", "a/a", "a/a.x", "a0", "aa/x");
    for (String key : keys.reversed()) {
      boolean _ = store.create(key, bytes(key));
    }
    assertThat(keys("")).isEqualTo(keys);
    assertThat(keys("a/")).containsExactly("a/B", "a/a", "a/a.x");
    assertThat(store.folders("")).containsExactly("a", "a-b", "aa");
    assertThat(store.folders("a/")).isEmpty();
  }

  @Test
  void nothing_is_below_a_prefix_without_objects() throws Exception {
    boolean _ = store.create("a/b", bytes("x"));
    assertThat(keys("b/")).isEmpty();
    assertThat(keys("a/b/")).isEmpty();
    assertThat(store.folders("b/")).isEmpty();
  }

  @Test
  void a_deleted_object_is_gone_with_its_folders_and_can_be_created_again() throws Exception {
    boolean _ = store.create("d/e/f", bytes("x"));
    boolean _ = store.create("d/g", bytes("y"));
    store.delete("d/e/f");
    store.delete("d/e/f");
    store.delete("never/was");
    assertThat(store.head("d/e/f")).isNull();
    assertThat(keys("")).containsExactly("d/g");
    assertThat(store.folders("d/")).isEmpty();
    assertThat(store.create("d/e/f", bytes("again"))).isTrue();
    assertThat(content("d/e/f")).isEqualTo(bytes("again"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", ".hidden", "a/.b", "a b", "ä",
        "a\\b", "a\nb", "a%2fb", "a?b", "a\0b",
      })
  void a_key_that_is_no_path_of_names_is_refused(String key) {
    for (ThrowingCallable call :
        List.<ThrowingCallable>of(
            () -> store.create(key, bytes("x")),
            () -> store.create(key, files),
            () -> store.head(key),
            () -> store.open(key),
            () -> store.read(key, 1),
            () -> store.delete(key))) {
      assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void too_long_names_and_keys_and_prefixes_without_slash_are_refused() throws Exception {
    String name = "n".repeat(200);
    String key = String.join("/", name, name, name, "n".repeat(197));
    assertThat(store.create(key, bytes("x"))).isTrue();
    assertThat(content(key)).isEqualTo(bytes("x"));
    assertThatThrownBy(() -> store.head(key + "n")).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> store.head(name + "n")).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> keys("a")).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> keys("../")).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> store.folders("/")).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void a_reader_that_is_closed_early_harms_nothing() throws Exception {
    byte[] content = random(5 << 20, 3);
    boolean _ = store.create("large", content);
    for (int i = 0; i < 20; i++) {
      try (InputStream in = store.open("large")) {
        assertThat(in.readNBytes(100)).isEqualTo(Arrays.copyOf(content, 100));
      }
    }
    assertThat(Arrays.equals(content("large"), content)).isTrue();
  }

  @Test
  void an_interrupted_thread_gets_that_and_leaves_the_object_whole_or_absent() throws Exception {
    byte[] content = random(300_000, 4);
    List<ThrowingCallable> calls =
        List.of(
            () -> store.create("i", content),
            () -> store.head("i"),
            () -> store.open("i"),
            () -> store.read("i", 1 << 20),
            () -> keys(""),
            () -> store.folders(""),
            () -> store.delete("i"));
    for (ThrowingCallable call : calls) {
      Thread.currentThread().interrupt();
      assertThatThrownBy(call).isInstanceOf(InterruptedException.class);
      assertThat(Thread.interrupted()).isFalse();
    }
    // At moments within the call.
    for (int i = 0; i < 20; i++) {
      String key = "interrupted/" + i;
      Thread creator = Thread.ofVirtual().unstarted(() -> createQuietly(key, content));
      creator.start();
      creator.join(java.time.Duration.ofMillis(i / 4));
      creator.interrupt();
      creator.join();
      ObjectInfo info = store.head(key);
      if (info != null) {
        assertThat(Arrays.equals(content(key), content)).isTrue();
      }
      boolean _ = store.create(key, content);
      assertThat(Arrays.equals(content(key), content)).isTrue();
    }
    assertThat(keys("interrupted/")).hasSize(20);
  }

  private void createQuietly(String key, byte[] content) {
    try {
      boolean _ = store.create(key, content);
    } catch (InterruptedException expected) {
      assertThat(Thread.currentThread().isInterrupted()).isFalse();
    } catch (ObjectStoreException failed) {
      throw new IllegalStateException(failed);
    }
  }

  @Test
  void a_file_that_cannot_be_read_is_refused() {
    assertThatThrownBy(() -> store.create("k", files.resolve("missing")))
        .hasMessageContaining("missing");
    assertThat(kindOf(() -> store.create("k", files.resolve("missing")))).isEqualTo(Kind.REFUSED);
  }

  @Test
  void the_address_is_without_secrets() {
    assertThat(store.url()).matches("(file|s3):[^@?]+");
  }
}
