package com.datanadhi.hub;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.datanadhi.hub.cli.Cli;
import com.datanadhi.hub.hub.OfflineDirectory;
import com.datanadhi.testkit.ClockShim;
import com.datanadhi.testkit.HubProcess;
import com.datanadhi.testkit.Shims;
import java.io.ByteArrayOutputStream;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A wall clock that jumps beyond the key horizon makes no key unknown until an operator accepts
/// it.
class ClockStepTest {
  @TempDir private Path home;

  private static boolean isRepeat(HubProcess hub, String apiKey, String key) throws Exception {
    HttpResponse<String> answer = HubOfClassPath.post(hub, apiKey, "Idempotency-Key", key);
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    return answer.headers().firstValue("Idempotent-Replayed").isPresent();
  }

  private static String run(String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    new Cli((_, _, _) -> 0, OfflineDirectory::open, Map.of(), out, out).run(arguments);
    return out.toString(UTF_8);
  }

  @Test
  void keys_are_known_after_a_jump_of_40_days_until_it_is_accepted() throws Exception {
    assumeTrue(Shims.skipReason().isEmpty(), Shims.skipReason());
    String data = home.resolve("data").toString();
    String apiKey;
    try (ClockShim clock = ClockShim.at(home.resolve("clock"))) {
      try (HubProcess hub =
          HubProcess.spawn(HubOfClassPath.PROGRAM, Path.of(data), clock.environment())) {
        hub.awaitReady();
        apiKey = HubProcess.createKey(HubOfClassPath.PROGRAM, Path.of(data), "acme");
        assertThat(isRepeat(hub, apiKey, "k-1")).isFalse();
        clock.setOffset(Duration.ofDays(40));
        assertThat(isRepeat(hub, apiKey, "k-1")).isTrue();
        assertThat(isRepeat(hub, apiKey, "k-2")).isFalse();
        assertThat(isRepeat(hub, apiKey, "k-2")).isTrue();
        hub.kill();
      }
      try (HubProcess hub =
          HubProcess.spawn(HubOfClassPath.PROGRAM, Path.of(data), clock.environment())) {
        hub.awaitReady();
        assertThat(isRepeat(hub, apiKey, "k-1")).isTrue();
        assertThat(isRepeat(hub, apiKey, "k-2")).isTrue();
        assertThat(run("status", "--data", data)).contains("goes on from before");

        assertThat(run("status", "--accept-clock", "--data", data)).contains("accepted");

        assertThat(isRepeat(hub, apiKey, "k-1")).isFalse();
        assertThat(isRepeat(hub, apiKey, "k-1")).isTrue();
        assertThat(run("read", "--tenant-id", "acme", "--data", data).lines()).hasSize(3);
        hub.kill();
      }
    }
  }
}
