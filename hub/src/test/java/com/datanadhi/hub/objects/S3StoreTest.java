package com.datanadhi.hub.objects;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.hub.objects.ObjectStoreException.Kind;
import com.datanadhi.testkit.S3Server;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// On a real server.
class S3StoreTest extends ObjectStoreContract {
  @TempDir private static Path home;
  private static S3Server server;

  @BeforeAll
  static void startServer() throws Exception {
    server = S3Server.start(home.resolve("s3"));
  }

  @AfterAll
  static void stopServer() {
    server.close();
  }

  private static String url() {
    return "s3://" + S3Server.BUCKET + "/tests/" + UUID.randomUUID();
  }

  @Override
  protected ObjectStore open() {
    return ObjectStores.open(url(), server.environment());
  }

  private static ObjectStore with(String name, String value) {
    Map<String, String> environment = new HashMap<>(server.environment());
    environment.put(name, value);
    return ObjectStores.open(url(), environment);
  }

  /// More than one part, and the file is sparse.
  private Path large() throws Exception {
    Path file = home.resolve("large");
    try (RandomAccessFile content = new RandomAccessFile(file.toFile(), "rw")) {
      content.setLength((64L << 20) + 100_000);
      for (long place = 0; place < content.length(); place += 1 << 20) {
        content.seek(place);
        content.writeLong(place);
      }
    }
    return file;
  }

  private static List<Path> filesWithUploads() throws Exception {
    try (Stream<Path> files = Files.walk(server.files(S3Server.BUCKET))) {
      return files
          .filter(file -> file.toString().contains("multipart") && Files.isRegularFile(file))
          .toList();
    }
  }

  @Test
  void a_file_of_several_parts_is_created_once() throws Exception {
    Path file = large();
    try (ObjectStore store = open()) {
      assertThat(store.create("snapshot", file)).isTrue();
      assertThat(store.create("snapshot", file)).isFalse();
      try (var in = store.open("snapshot");
          var expected = Files.newInputStream(file)) {
        byte[] a = new byte[1 << 20];
        byte[] b = new byte[1 << 20];
        long total = 0;
        for (int n = in.readNBytes(a, 0, a.length); n > 0; n = in.readNBytes(a, 0, a.length)) {
          assertThat(expected.readNBytes(b, 0, n)).isEqualTo(n);
          assertThat(java.util.Arrays.equals(a, 0, n, b, 0, n)).isTrue();
          total += n;
        }
        assertThat(total).isEqualTo(Files.size(file));
      }
    }
    assertThat(filesWithUploads()).isEmpty();
  }

  /// Both send all parts before one of them learns that it is late.
  @Test
  void of_two_files_of_several_parts_at_once_exactly_one_is_created() throws Exception {
    Path file = large();
    try (ObjectStore store = open();
        ExecutorService threads = Executors.newFixedThreadPool(2)) {
      Callable<Boolean> create = () -> store.create("both", file);
      List<Boolean> created = new ArrayList<>();
      for (Future<Boolean> one : threads.invokeAll(List.of(create, create))) {
        created.add(one.get());
      }
      assertThat(created).containsExactlyInAnyOrder(true, false);
    }
    assertThat(filesWithUploads()).isEmpty();
  }

  @Test
  void files_are_closed_once_they_are_stored() throws Exception {
    Path file = Files.write(home.resolve("closed"), bytes("content"));
    try (ObjectStore store = open()) {
      for (int i = 0; i < 10; i++) {
        assertThat(store.create("a/" + i, file)).isTrue();
        assertThat(store.create("a/" + i, file)).isFalse();
      }
    }
    try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
      assertThat(descriptors.filter(descriptor -> leadsTo(descriptor, file))).isEmpty();
    }
  }

  private static boolean leadsTo(Path descriptor, Path file) {
    try {
      return Files.readSymbolicLink(descriptor).equals(file);
    } catch (IOException closed) {
      return false;
    }
  }

  @Test
  void keys_of_the_bucket_outside_of_the_prefix_are_not_seen() throws Exception {
    try (ObjectStore store = open();
        ObjectStore other = ObjectStores.open(store.url() + "2", server.environment())) {
      assertThat(store.create("a", bytes("x"))).isTrue();
      assertThat(other.create("b", bytes("y"))).isTrue();
      List<String> keys = new ArrayList<>();
      store.list("", object -> keys.add(object.key()));
      assertThat(keys).containsExactly("a");
      assertThat(store.head("b")).isNull();
    }
  }

  @Test
  void a_bucket_without_prefix_is_a_store() throws Exception {
    try (ObjectStore store = ObjectStores.open("s3://" + S3Server.BUCKET, server.environment())) {
      assertThat(store.create("bare", bytes("x"))).isTrue();
      assertThat(store.read("bare", 1)).isEqualTo(bytes("x"));
      assertThat(store.folders("")).doesNotContain("bare");
      store.delete("bare");
    }
  }

  @Test
  void a_missing_bucket_is_refused_with_what_to_do() {
    try (ObjectStore store = ObjectStores.open("s3://no-such-bucket", server.environment())) {
      assertThat(kindOf(() -> store.create("a", bytes("x")))).isEqualTo(Kind.REFUSED);
      assertThatThrownBy(() -> store.list("", _ -> true))
          .hasMessageContaining("there is no bucket no-such-bucket: create it")
          .hasMessageStartingWith("s3://no-such-bucket: ");
    }
  }

  @Test
  void wrong_credentials_are_refused_without_showing_them() {
    try (ObjectStore store = with("AWS_SECRET_ACCESS_KEY", "wrong-secret")) {
      assertThat(kindOf(() -> store.create("a", bytes("x")))).isEqualTo(Kind.REFUSED);
      assertThatThrownBy(() -> store.read("a", 1))
          .hasMessageContaining("credentials are wrong")
          .hasMessageNotContaining("wrong-secret");
    }
    try (ObjectStore store = with("AWS_ACCESS_KEY_ID", "nobody-known")) {
      assertThatThrownBy(() -> store.create("a", bytes("x")))
          .hasMessageContaining("credentials are wrong")
          .hasMessageNotContaining("nobody-known");
    }
  }

  @Test
  void a_user_without_permission_is_told_which_ones_are_needed() throws Exception {
    server.createUser("stranger", "stranger-secret");
    try (ObjectStore store =
        ObjectStores.open(
            url(), S3Server.environment(server.endpoint(), "stranger", "stranger-secret"))) {
      assertThat(kindOf(() -> store.create("a", bytes("x")))).isEqualTo(Kind.REFUSED);
      assertThatThrownBy(() -> store.create("a", bytes("x")))
          .hasMessageContaining("permission denied")
          .hasMessageContaining("s3:PutObject");
      assertThat(kindOf(() -> store.head("a"))).isEqualTo(Kind.REFUSED);
    }
  }

  @Test
  void another_region_is_refused_with_what_to_do() {
    try (ObjectStore store = with("AWS_REGION", "eu-central-1")) {
      assertThat(kindOf(() -> store.create("a", bytes("x")))).isEqualTo(Kind.REFUSED);
      assertThatThrownBy(() -> store.create("a", bytes("x"))).hasMessageContaining("AWS_REGION");
    }
  }

  @Test
  void checksums_can_be_limited_to_those_that_are_required() throws Exception {
    try (ObjectStore store = with("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")) {
      assertThat(store.create("a", bytes("x"))).isTrue();
      assertThat(store.read("a", 1)).isEqualTo(bytes("x"));
      assertThat(store.create("large", large())).isTrue();
      assertThat(store.create("large", large())).isFalse();
    }
    try (ObjectStore store = with("AWS_RESPONSE_CHECKSUM_VALIDATION", "when_required")) {
      assertThat(store.create("a", bytes("x"))).isTrue();
      assertThat(store.read("a", 1)).isEqualTo(bytes("x"));
    }
  }

  /// The checksum that the server keeps shows it, whatever was done to the file.
  @Test
  void damaged_content_is_not_given_back() throws Exception {
    try (ObjectStore store = open()) {
      byte[] content = random(100_000, 5);
      assertThat(store.create("a", content)).isTrue();
      Path file;
      try (Stream<Path> files = Files.walk(server.files(S3Server.BUCKET))) {
        String folder = store.url().substring(store.url().lastIndexOf('/') + 1);
        file = files.filter(path -> path.endsWith(folder + "/a")).findFirst().orElseThrow();
      }
      try (RandomAccessFile damaged = new RandomAccessFile(file.toFile(), "rw")) {
        damaged.seek(50_000);
        damaged.write(content[50_000] ^ 1);
      }
      assertThat(kindOf(() -> store.read("a", 100_000))).isEqualTo(Kind.UNAVAILABLE);
      try (var in = store.open("a")) {
        assertThatThrownBy(in::readAllBytes).hasMessageContaining("checksum");
      }
    }
  }

  @Test
  void a_server_that_is_started_again_is_used_again() throws Exception {
    try (ObjectStore store = open()) {
      assertThat(store.create("a", bytes("x"))).isTrue();
      server.stop();
      assertThat(kindOf(() -> store.create("b", bytes("y")))).isEqualTo(Kind.UNAVAILABLE);
      assertThatThrownBy(() -> store.head("a"))
          .hasMessageContaining("cannot be reached")
          .hasMessageContaining("HUB_S3_ENDPOINT");
      server.restart();
      assertThat(store.read("a", 1)).isEqualTo(bytes("x"));
      assertThat(store.create("b", bytes("y"))).isTrue();
    }
  }
}
