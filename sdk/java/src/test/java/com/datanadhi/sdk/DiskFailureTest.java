package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.sdk.testkit.Agents;
import com.datanadhi.sdk.testkit.FileServer;
import com.datanadhi.sdk.testkit.SmallDisk;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Disks that are full, or may not be written to. */
class DiskFailureTest extends AbstractSdkTest {
  @Test
  void a_full_disk_leaves_no_half_record_and_nothing_is_lost() throws Exception {
    use(SmallDisk.mount(directory.resolve("dropped"), "256k"));
    main.goDown();
    fallback.goDown();
    DataNadhi client = open(configuration().echoPostDisabled(true));
    String filling = "x".repeat(1000);
    int taken = 0;
    for (int i = 0; i < 1500; i++) {
      if (client.submit(PIPELINES, Map.of("seq", taken, "x", filling))) {
        taken++;
      } else {
        LockSupport.parkNanos(1_000_000);
      }
    }
    assertThat(client.flush(Duration.ofMillis(300))).isFalse();
    long inFiles = client.counters().droppedTotal();
    assertThat(inFiles).isBetween(50L, 260L);
    main.comeUp();
    assertThat(client.flush(SOON)).isTrue();
    await()
        .atMost(SOON)
        .until(() ->
            client.redeliver().kept() == 0
                && main.keys().size() == inFiles + client.counters().deliveredToMainServer());
    Counters end = client.counters();
    assertThat(end.deliveredToMainServer() + inFiles).isEqualTo(end.submitted());
    assertThat(main.keys()).hasSize(taken);
  }

  /** Large ones, no faster than they go on. */
  private static void submitLarge(DataNadhi client, int count) throws InterruptedException {
    String filling = "x".repeat(8_000);
    for (int i = 0; i < count; i++) {
      long seq = client.counters().submitted();
      assertThat(client.submit(PIPELINES, Map.of("seq", seq, "x", filling))).isTrue();
      while (client.counters().queueDepth() > 100) {
        Thread.sleep(1);
      }
    }
  }

  private static void awaitEchoPost(DataNadhi client) {
    long before = client.counters().deliveredToEchoPost();
    await()
        .atMost(SOON)
        .untilAsserted(() -> {
          int next = (int) client.counters().submitted();
          submit(client, next, next + 1);
          assertThat(client.flush(SOON)).isTrue();
          assertThat(client.counters().deliveredToEchoPost()).isGreaterThan(before);
        });
  }

  @Test
  void a_full_disk_under_the_agent_sends_records_on_until_there_is_room_again() throws Exception {
    use(SmallDisk.mount(directory.resolve("echopost"), "8m"));
    main.goDown();
    DataNadhi client = openWithEchoPost(configuration());
    await()
        .atMost(SOON)
        .untilAsserted(() -> {
          submitLarge(client, 50);
          assertThat(client.counters().echoPost().detail()).contains("RESOURCE_EXHAUSTED");
        });
    assertThat(client.flush(SOON)).isTrue();
    assertThat(client.counters().deliveredToEchoPost()).isPositive();
    assertThat(client.counters().deliveredToFallback()).isPositive();

    fallback.goDown();
    submitLarge(client, 100);
    assertThat(client.flush(SOON)).isTrue();
    assertThat(client.counters().dropped()).containsOnlyKeys("undeliverable");

    main.comeUp();
    await().atMost(SOON).until(() -> main.keys().size() >= client.counters().deliveredToEchoPost());
    main.goDown();
    awaitEchoPost(client);
    assertNothingIsLost(client, (int) client.counters().submitted());
  }

  @Test
  void no_room_for_a_buffer_sends_records_on_until_there_is() throws Exception {
    SmallDisk disk = use(SmallDisk.mount(directory.resolve("echopost"), "8m"));
    main.goDown();
    Agents.install(directory);
    Path filling = disk.fill();
    DataNadhi client = open(configuration());
    submit(client, 0, 10);
    assertThat(client.flush(SOON)).isTrue();
    assertThat(client.counters().deliveredToEchoPost()).isZero();
    assertThat(client.counters().echoPost().status()).isEqualTo(EchoPostState.Status.COOLING_DOWN);
    Files.delete(filling);
    awaitEchoPost(client);
    assertNothingIsLost(client, (int) client.counters().submitted());
  }

  @Test
  void a_download_that_the_disk_has_no_room_for_leaves_nothing_of_it() throws Exception {
    Path home = directory.resolve("echopost");
    use(SmallDisk.mount(home, "1m"));
    main.goDown();
    FileServer files = use(FileServer.withProgram());
    DataNadhi client = open(configuration().downloadUrl(files.url()));
    await()
        .atMost(SOON)
        .untilAsserted(
            () -> assertThat(client.counters().echoPost().detail()).contains("cannot be written"));
    submit(client, 0, 10);
    assertThat(client.flush(SOON)).isTrue();
    client.close();
    assertThat(seqs(fallback.deliveries())).isEqualTo(range(0, 10));
    try (Stream<Path> left = Files.list(home)) {
      assertThat(left).containsExactly(home.resolve(".sdk-download.lock"));
    }
  }

  @Test
  void a_directory_that_may_not_be_written_to_costs_echopost_and_files_alone() throws Exception {
    SmallDisk disk = use(SmallDisk.mount(directory, "1m"));
    disk.becomeReadOnly();
    DataNadhi client = open(configuration());
    submit(client, 0, 10);
    assertThat(client.flush(SOON)).isTrue();
    assertThat(seqs(main.deliveries())).isEqualTo(range(0, 10));
    await()
        .untilAsserted(
            () -> assertThat(client.counters().echoPost().detail()).contains("cannot be written"));

    main.goDown();
    submit(client, 10, 20);
    assertThat(client.flush(SOON)).isTrue();
    assertThat(seqs(fallback.deliveries())).isEqualTo(range(10, 20));

    fallback.goDown();
    submit(client, 20, 30);
    assertThat(client.flush(Duration.ofMillis(500))).isFalse();
    fallback.comeUp();
    assertThat(client.flush(SOON)).isTrue();
    assertThat(seqs(fallback.deliveries())).isEqualTo(range(10, 30));
    assertThat(client.counters().lost()).isZero();
  }
}
