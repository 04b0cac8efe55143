package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.datanadhi.sdk.testkit.Agents;
import com.datanadhi.sdk.testkit.FileServer;
import com.datanadhi.testkit.Polling;
import com.datanadhi.testkit.SmallDisk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Disks that are full or read-only. */
class DiskFailureTest extends AbstractSdkTest {
  @Test
  void a_full_disk_truncates_no_record_and_loses_none() throws Exception {
    closeAfterTest(SmallDisk.mountOrSkip(directory.resolve("dropped"), "256k"));
    main.goDown();
    fallback.goDown();
    DataNadhi client = open(configuration().echoPostDisabled(true));
    String filling = "x".repeat(1000);
    int accepted = 0;
    for (int i = 0; i < 1500; i++) {
      if (client.submit(PIPELINES, Map.of("seq", accepted, "x", filling)).isAccepted()) {
        accepted++;
      } else {
        // A full disk may never make space in the queue: there is no condition to wait for.
        LockSupport.parkNanos(1_000_000);
      }
    }
    assertThat(client.flush(Duration.ofMillis(300))).isFalse();
    long inFiles = client.counters().droppedTotal();
    assertThat(inFiles).isBetween(50L, 260L);
    main.comeUp();
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    await()
        .atMost(TIME_LIMIT)
        .until(() ->
            client.redeliver().kept() == 0
                && main.keys().size() == inFiles + client.counters().deliveredToMainServer());
    Counters end = client.counters();
    assertThat(end.deliveredToMainServer() + inFiles).isEqualTo(end.submitted());
    assertThat(main.keys()).hasSize(accepted);
  }

  /** Submits large records, no faster than they are delivered. */
  private static void submitLarge(DataNadhi client, int count) {
    String filling = "x".repeat(8_000);
    for (int i = 0; i < count; i++) {
      long seq = client.counters().submitted();
      assertThat(client.submit(PIPELINES, Map.of("seq", seq, "x", filling)))
          .isEqualTo(SubmitResult.ACCEPTED);
      Polling.until(
          () -> client.counters().queueDepth() <= 100,
          Duration.ofMillis(1),
          TIME_LIMIT,
          () -> "the queue stays long: " + client.counters());
    }
  }

  private static void awaitDeliveryToEchoPost(DataNadhi client) {
    long before = client.counters().deliveredToEchoPost();
    await()
        .atMost(TIME_LIMIT)
        .untilAsserted(() -> {
          int next = (int) client.counters().submitted();
          submit(client, next, next + 1);
          assertThat(client.flush(TIME_LIMIT)).isTrue();
          assertThat(client.counters().deliveredToEchoPost()).isGreaterThan(before);
        });
  }

  @Test
  void records_go_to_the_next_destination_while_the_disk_of_the_agent_is_full() throws Exception {
    closeAfterTest(SmallDisk.mountOrSkip(directory.resolve("echopost"), "8m"));
    main.goDown();
    DataNadhi client = openWithEchoPost(configuration());
    await()
        .atMost(TIME_LIMIT)
        .untilAsserted(() -> {
          submitLarge(client, 50);
          assertThat(client.counters().echoPost().detail()).contains("RESOURCE_EXHAUSTED");
        });
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(client.counters().deliveredToEchoPost()).isPositive();
    assertThat(client.counters().deliveredToFallback()).isPositive();

    fallback.goDown();
    submitLarge(client, 100);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(client.counters().dropped()).containsOnlyKeys("undeliverable");

    main.comeUp();
    await()
        .atMost(TIME_LIMIT)
        .until(() -> main.keys().size() >= client.counters().deliveredToEchoPost());
    main.goDown();
    awaitDeliveryToEchoPost(client);
    assertNoRecordIsLost(client, (int) client.counters().submitted());
  }

  @Test
  void files_leave_the_space_that_the_agent_needs_on_the_same_disk() throws Exception {
    SmallDisk disk = closeAfterTest(SmallDisk.mountOrSkip(directory, "16m"));
    main.goDown();
    fallback.goDown();
    DataNadhi client = openWithEchoPost(configuration());
    submit(client, 0, 1);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    DataNadhi writesFiles =
        open(configuration().echoPostDisabled(true).queueBytes(1 << 20).exitTimeout(Duration.ZERO));
    String filling = "x".repeat(8_000);
    int accepted = 1;
    while (writesFiles
        .submit(PIPELINES, Map.of("seq", accepted, "x", filling), Duration.ofSeconds(2))
        .isAccepted()) {
      accepted++;
    }
    long inFiles = writesFiles.counters().droppedTotal();
    assertThat(inFiles).isPositive();
    long held = Files.size(directory.resolve("echopost/reserve"));
    // The agent itself writes meanwhile, such as its log and its metrics.
    assertThat(disk.free() + held).isGreaterThanOrEqualTo((2 << 20) - (128 << 10));

    // The agent still accepts records, and those that no file could take are lost at the end.
    submit(client, accepted, accepted + 1);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(client.counters().deliveredToEchoPost()).isEqualTo(2);
    writesFiles.close();
    Counters end = writesFiles.counters();
    assertThat(end.droppedTotal() + end.lost()).isEqualTo(end.submitted()).isEqualTo(accepted - 1);
    assertThat(end.droppedTotal()).isEqualTo(inFiles);
    assertThat(end.lost()).isPositive();

    main.comeUp();
    Agents.drain(directory, main.url());
    assertThat(seqs(main.deliveries())).containsExactly(0, accepted);
    assertThat(dropped()).hasSize((int) inFiles);
  }

  /** As in a chroot and in some containers: {@code Files.getFileStore} fails there. */
  @Test
  void files_are_written_where_the_file_systems_are_not_known() throws Exception {
    String skipped = SmallDisk.skipReason();
    assumeTrue(skipped.isEmpty(), skipped);
    Files.createFile(Files.createDirectories(directory.resolve("echopost")).resolve("buffer.db"));
    main.goDown();
    fallback.goDown();
    Path java = Path.of(System.getProperty("java.home"));
    Process process =
        new ProcessBuilder(
                "unshare",
                "-m",
                "sh",
                "-c",
                "mount -t tmpfs none /proc && LD_LIBRARY_PATH=\"$0/lib\" exec \"$0/bin/java\" \"$@\"",
                java.toString(),
                "-cp",
                System.getProperty("java.class.path"),
                WithoutMountTable.class.getName(),
                directory.toString(),
                main.url(),
                fallback.url())
            .inheritIO()
            .start();
    closeAfterTest(process::destroyForcibly);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isZero();
    assertThat(droppedSeqs()).isEqualTo(range(0, 5));
  }

  static final class WithoutMountTable {
    public static void main(String[] args) throws Exception {
      assertThatThrownBy(() -> Files.getFileStore(Path.of(args[0])))
          .isInstanceOf(IOException.class);
      try (DataNadhi client =
          DataNadhi.open(
              DataNadhiConfiguration.builder(Path.of(args[0]))
                  .apiKey("test-key")
                  .serverHost(args[1])
                  .fallbackHost(args[2])
                  .echoPostDisabled(true)
                  .exitTimeout(Duration.ofSeconds(10))
                  .build())) {
        submit(client, 0, 5);
      }
    }
  }

  @Test
  void records_go_to_the_next_destination_while_there_is_no_space_for_a_buffer() throws Exception {
    SmallDisk disk = closeAfterTest(SmallDisk.mountOrSkip(directory.resolve("echopost"), "8m"));
    main.goDown();
    Agents.install(directory);
    Path filling = disk.fill();
    DataNadhi client = open(configuration());
    submit(client, 0, 10);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(client.counters().deliveredToEchoPost()).isZero();
    assertThat(client.counters().echoPost().status()).isEqualTo(EchoPostState.Status.COOLING_DOWN);
    Files.delete(filling);
    awaitDeliveryToEchoPost(client);
    assertNoRecordIsLost(client, (int) client.counters().submitted());
  }

  @Test
  void a_download_that_does_not_fit_on_the_disk_leaves_no_file() throws Exception {
    Path home = directory.resolve("echopost");
    closeAfterTest(SmallDisk.mountOrSkip(home, "1m"));
    main.goDown();
    FileServer files = closeAfterTest(FileServer.withProgram());
    DataNadhi client = open(configuration().downloadUrl(files.url()));
    await()
        .atMost(TIME_LIMIT)
        .untilAsserted(
            () -> assertThat(client.counters().echoPost().detail()).contains("cannot be written"));
    submit(client, 0, 10);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    client.close();
    assertThat(seqs(fallback.deliveries())).isEqualTo(range(0, 10));
    // Another download may have begun, which ends when the client is closed.
    await()
        .atMost(TIME_LIMIT)
        .untilAsserted(() -> {
          try (Stream<Path> left = Files.list(home)) {
            assertThat(left).containsExactly(home.resolve(".sdk-download.lock"));
          }
        });
  }

  @Test
  void a_read_only_directory_disables_only_echopost_and_files() throws Exception {
    SmallDisk disk = closeAfterTest(SmallDisk.mountOrSkip(directory, "1m"));
    disk.remountReadOnly();
    DataNadhi client = open(configuration());
    submit(client, 0, 10);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(seqs(main.deliveries())).isEqualTo(range(0, 10));
    await()
        .untilAsserted(
            () -> assertThat(client.counters().echoPost().detail()).contains("cannot be written"));

    main.goDown();
    submit(client, 10, 20);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(seqs(fallback.deliveries())).isEqualTo(range(10, 20));

    fallback.goDown();
    submit(client, 20, 30);
    assertThat(client.flush(Duration.ofMillis(500))).isFalse();
    fallback.comeUp();
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(seqs(fallback.deliveries())).isEqualTo(range(10, 30));
    assertThat(client.counters().lost()).isZero();
  }
}
