package com.datanadhi.echopost.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.LoadClient;
import com.datanadhi.testkit.SmallDisk;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/// How the program reports a full disk.
class FullDiskIT extends AcceptanceTest {
  private static final String SIZE = "24m";

  @Test
  void status_health_and_metrics_report_a_full_disk_until_space_is_free() throws Exception {
    use(SmallDisk.mountOrSkip(directory, SIZE));
    AgentProcess agent = agent();
    assertThat(runCommand("health").out())
        .contains("\"status\":\"ok\"", "\"storage\":\"ok\"", "\"disk\":\"ok\"");

    LoadClient.Result result = client(agent).run(load(100_000, 4), _ -> {});

    assertThat(result.acknowledged()).isPositive();
    assertThat(Objects.requireNonNull(result.firstFailure()).getCode())
        .isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    ProgramResult status = runCommand("status");
    assertThat(status.out())
        .containsPattern("disk +full: .* free, records are refused until .* more are free");
    assertThat(status.exit()).isEqualTo(1);
    ProgramResult health = runCommand("health");
    assertThat(health.out())
        .contains("\"status\":\"failing\"", "\"storage\":\"full\"", "\"disk\":\"full\"");
    assertThat(health.exit()).isEqualTo(1);
    assertThat(runCommand("metrics").out())
        .containsPattern(
            "echopost_refused_records_total\\{[^}]*reason=\"disk_full\"} "
                + (100_000 - result.acknowledged()))
        .containsPattern("echopost_storage_state\\{[^}]*state=\"full\"} 1")
        .containsPattern("echopost_disk_shortage_bytes\\{[^}]*} [1-9]");

    server.comeUp();
    assertThat(agent.awaitExit(Duration.ofSeconds(60))).isZero();
    assertThat(server.distinct()).isEqualTo(result.acknowledged());
    assertThat(runCommand("health").out()).contains("\"storage\":\"ok\"", "\"disk\":\"ok\"");
    assertThat(runCommand("status").exit()).isZero();
  }

  /// Fills the disk to its last byte again and again, as a program does that writes whatever fits.
  private static Thread filler(SmallDisk disk) {
    return Thread.ofPlatform()
        .daemon()
        .start(() -> {
          while (!Thread.currentThread().isInterrupted()) {
            try {
              disk.fill();
            } catch (IOException unmounted) {
              return;
            }
          }
        });
  }

  private void assertDeliversOnceAndDrains(AgentProcess agent, SmallDisk disk, long acknowledged)
      throws Exception {
    assertThat(disk.free()).isZero();
    server.comeUp();
    assertThat(agent.awaitExit(Duration.ofSeconds(60))).as(agent.output()).isZero();
    assertThat(server.count()).isEqualTo(acknowledged);
    assertThat(server.distinct()).isEqualTo(acknowledged);
  }

  private void assertNothingPending() throws Exception {
    assertThat(query("SELECT count(*) FROM records")).isEqualTo("0");
    assertThat(runCommand("verify").exit()).isZero();
  }

  @Test
  void the_agent_delivers_each_record_once_while_another_program_takes_every_free_byte()
      throws Exception {
    SmallDisk disk = use(SmallDisk.mountOrSkip(directory, SIZE));
    AgentProcess agent = agent();
    long acknowledged = client(agent).run(load(100_000, 4), _ -> {}).acknowledged();
    Path file = disk.fill();
    Thread filler = filler(disk);

    assertDeliversOnceAndDrains(agent, disk, acknowledged);

    filler.interrupt();
    filler.join();
    Files.delete(file);
    assertNothingPending();
  }

  @Test
  void an_agent_that_starts_without_a_free_byte_delivers_what_was_pending() throws Exception {
    SmallDisk disk = use(SmallDisk.mountOrSkip(directory, SIZE));
    AgentProcess before = agent();
    long acknowledged = client(before).run(load(100_000, 4), _ -> {}).acknowledged();
    before.terminate();
    assertThat(before.awaitExit(SOON)).isEqualTo(4);
    Path file = disk.fill();

    AgentProcess agent = agent();

    // What the log does not need of the reserve is free until somebody takes it.
    Path _ = disk.fill();
    assertDeliversOnceAndDrains(agent, disk, acknowledged);
    Files.delete(file);
    assertNothingPending();
  }
}
