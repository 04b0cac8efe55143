package com.datanadhi.echopost.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.LoadClient;
import com.datanadhi.testkit.SmallDisk;
import io.grpc.Status;
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
}
