package com.datanadhi.hub.objects;

import static com.datanadhi.testkit.FaultyNetwork.Direction.FROM_SERVER;
import static com.datanadhi.testkit.FaultyNetwork.Direction.TO_SERVER;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.datanadhi.hub.objects.ObjectStoreException.Kind;
import com.datanadhi.testkit.FaultyNetwork;
import com.datanadhi.testkit.S3Server;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A real server behind a network with faults. After each fault the store works again.
class S3FaultsTest {
  private static final S3Settings.Timeouts SHORT =
      new S3Settings.Timeouts(
          Duration.ofSeconds(1), Duration.ofMillis(400), Duration.ofSeconds(2), 64 << 20);

  @TempDir private static Path home;
  private static S3Server server;
  private static FaultyNetwork network;

  private ObjectStore store = new FolderStore(Path.of("/nonexistent"));

  /// To look at the truth.
  private ObjectStore direct = store;

  @BeforeAll
  static void startServers() throws Exception {
    server = S3Server.start(home.resolve("s3"));
    network = FaultyNetwork.start(home, server.port());
  }

  @AfterAll
  static void stopServers() {
    network.close();
    server.close();
  }

  @BeforeEach
  void openStores() {
    String url = "s3://" + S3Server.BUCKET + "/" + UUID.randomUUID();
    S3Settings settings =
        S3Settings.of(
            url,
            S3Server.environment(network.endpoint(), S3Server.ACCESS_KEY, S3Server.SECRET_KEY));
    store = new S3Store(settings.withTimeouts(SHORT));
    direct = ObjectStores.open(url, server.environment());
  }

  @AfterEach
  void theStoreWorksAgain() throws Exception {
    network.heal();
    byte[] content = ObjectStoreContract.random(100_000, 9);
    assertThat(store.create("afterwards", content)).isTrue();
    assertThat(Arrays.equals(store.read("afterwards", 100_000), content)).isTrue();
    store.close();
    direct.close();
  }

  private static void isUnavailable(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    assertThat(ObjectStoreContract.kindOf(call)).isEqualTo(Kind.UNAVAILABLE);
  }

  @Test
  void a_slow_network_only_takes_longer() throws Exception {
    network.delay(FROM_SERVER, 150);
    network.delay(TO_SERVER, 100);
    byte[] content = ObjectStoreContract.random(300_000, 1);
    assertThat(store.create("a", content)).isTrue();
    assertThat(store.create("a", content)).isFalse();
    assertThat(Arrays.equals(store.read("a", 300_000), content)).isTrue();
  }

  @Test
  void a_server_that_never_answers_is_unavailable_in_time() throws Exception {
    assertThat(store.create("before", ObjectStoreContract.bytes("x"))).isTrue();
    network.silence(FROM_SERVER);
    long begin = System.nanoTime();
    isUnavailable(() -> store.head("before"));
    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(8));
    assertThatThrownBy(() -> store.list("", _ -> true)).hasMessageContaining("no answer in time");
  }

  /// The first attempt creates the object, but its answer is lost.
  @Test
  void an_object_whose_answer_is_lost_is_there_and_exists_for_the_next_try() throws Exception {
    network.silence(FROM_SERVER);
    byte[] content = ObjectStoreContract.random(1_000, 2);
    isUnavailable(() -> store.create("a", content));
    await().untilAsserted(() -> assertThat(direct.head("a")).isNotNull());
    network.heal();
    assertThat(store.create("a", content)).isFalse();
    assertThat(store.read("a", 1_000)).isEqualTo(content);
  }

  @Test
  void content_that_is_cut_on_its_way_to_the_server_makes_no_object() throws Exception {
    network.cutAfter(TO_SERVER, 50_000);
    byte[] content = ObjectStoreContract.random(1 << 20, 3);
    isUnavailable(() -> store.create("a", content));
    assertThat(direct.head("a")).isNull();
    network.heal();
    assertThat(store.create("a", content)).isTrue();
    assertThat(Arrays.equals(direct.read("a", 1 << 20), content)).isTrue();
  }

  @Test
  void a_connection_that_is_reset_in_the_middle_of_content_makes_no_object() throws Exception {
    network.limitRate(TO_SERVER, 500);
    network.reset(TO_SERVER, 300);
    byte[] content = ObjectStoreContract.random(1 << 20, 4);
    isUnavailable(() -> store.create("a", content));
    assertThat(direct.head("a")).isNull();
  }

  @Test
  void content_that_is_cut_on_its_way_back_is_a_failure_and_never_short() throws Exception {
    byte[] content = ObjectStoreContract.random(1 << 20, 5);
    assertThat(direct.create("a", content)).isTrue();
    network.cutAfter(FROM_SERVER, 200_000);
    isUnavailable(() -> store.read("a", 1 << 20));
    try (InputStream in = store.open("a")) {
      assertThatThrownBy(in::readAllBytes).isInstanceOf(IOException.class);
    }
  }

  @Test
  void a_reader_gets_a_failure_when_its_connection_is_reset_or_silent() throws Exception {
    byte[] content = ObjectStoreContract.random(20 << 20, 6);
    assertThat(direct.create("a", content)).isTrue();
    try (InputStream in = store.open("a")) {
      assertThat(in.readNBytes(1_000)).isEqualTo(Arrays.copyOf(content, 1_000));
      network.refuse();
      assertThatThrownBy(in::readAllBytes).isInstanceOf(IOException.class);
    }
    network.heal();
    // toxiproxy takes no further fault while it waits for a reader.
    network.limitRate(FROM_SERVER, 1_000);
    try (InputStream in = store.open("a")) {
      assertThat(in.read()).isEqualTo(content[0] & 0xff);
      network.silence(FROM_SERVER);
      assertThatThrownBy(in::readAllBytes).isInstanceOf(IOException.class);
    }
  }

  @Test
  void refused_connections_are_unavailable_with_the_address() throws Exception {
    network.refuse();
    isUnavailable(() -> store.create("a", ObjectStoreContract.bytes("x")));
    assertThatThrownBy(() -> store.delete("a"))
        .hasMessageContaining(network.endpoint() + " cannot be reached")
        .hasMessageContaining("refused");
  }

  /// The tests run on a platform thread, on which nothing ends a write of the JDK's client.
  @Test
  @Timeout(60)
  void parts_that_are_cut_on_their_way_are_unavailable_in_time_and_removed() throws Exception {
    Path file = home.resolve("large");
    try (RandomAccessFile content = new RandomAccessFile(file.toFile(), "rw")) {
      content.setLength((64L << 20) + 1);
    }
    network.cutAfter(TO_SERVER, 5 << 20);
    long begin = System.nanoTime();
    isUnavailable(() -> store.create("a", file));
    // Three attempts of 2 s and 1 s for 64 MiB, and the other requests.
    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(15));
    assertThat(direct.head("a")).isNull();
    assertThat(uploads()).isEmpty();
    network.heal();
    assertThat(store.create("a", file)).isTrue();
    Files.delete(file);
  }

  private static List<Path> uploads() throws IOException {
    try (Stream<Path> files = Files.walk(server.files(S3Server.BUCKET))) {
      return files
          .filter(file -> file.toString().contains("multipart") && Files.isRegularFile(file))
          .toList();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void an_interrupt_ends_a_call_that_waits_for_an_answer(boolean virtual) throws Exception {
    try (ObjectStore patient = patient()) {
      assertThat(patient.create("before", ObjectStoreContract.bytes("x"))).isTrue();
      network.silence(FROM_SERVER);
      endsByInterrupt(virtual, () -> patient.head("before"));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void an_interrupt_ends_a_call_that_writes(boolean virtual) throws Exception {
    byte[] content = new byte[32 << 20];
    try (ObjectStore patient = patient()) {
      network.silence(TO_SERVER);
      endsByInterrupt(virtual, () -> patient.create("a", content));
    }
  }

  /// A store with the default limits.
  private ObjectStore patient() {
    return ObjectStores.open(
        store.url(),
        S3Server.environment(network.endpoint(), S3Server.ACCESS_KEY, S3Server.SECRET_KEY));
  }

  private static void endsByInterrupt(boolean virtual, Callable<?> call) throws Exception {
    FutureTask<Object> task = new FutureTask<>(call::call);
    Thread caller = virtual ? Thread.ofVirtual().start(task) : Thread.ofPlatform().start(task);
    await()
        .pollDelay(Duration.ofMillis(500))
        .until(() -> caller.getState() == Thread.State.TIMED_WAITING);
    long begin = System.nanoTime();
    caller.interrupt();
    assertThatThrownBy(task::get).hasCauseInstanceOf(InterruptedException.class);
    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(3));
  }
}
