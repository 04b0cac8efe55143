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
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A wall clock that jumps beyond the key horizon makes no key unknown until an operator accepts
/// it.
class ClockStepTest {
  private static final List<String> PROGRAM =
      List.of(
          Path.of(System.getProperty("java.home"), "bin/java").toString(),
          "--enable-preview",
          "--enable-native-access=ALL-UNNAMED",
          "-XX:+UseSerialGC",
          "-XX:TieredStopAtLevel=1",
          "-cp",
          System.getProperty("java.class.path"),
          Main.class.getName());

  @TempDir private Path home;

  private static boolean isRepeat(HubProcess hub, String apiKey, String key) throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      HttpResponse<String> answer =
          client.send(
              HttpRequest.newBuilder(URI.create(hub.url() + "/log"))
                  .header("DATANADHI-API-KEY", apiKey)
                  .header("Content-Type", "application/json")
                  .header("Idempotency-Key", key)
                  .header("Prefer", "wait=20")
                  .POST(
                      HttpRequest.BodyPublishers.ofString("{\"pipelines\":[\"p\"],\"log_data\":1}"))
                  .build(),
              HttpResponse.BodyHandlers.ofString());
      assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
      return answer.headers().firstValue("Idempotent-Replayed").isPresent();
    }
  }

  private static String run(String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    new Cli((_, _) -> 0, OfflineDirectory::open, Map.of(), out, out).run(arguments);
    return out.toString(UTF_8);
  }

  @Test
  void keys_are_known_after_a_jump_of_40_days_until_it_is_accepted() throws Exception {
    assumeTrue(Shims.skipReason().isEmpty(), Shims.skipReason());
    String data = home.resolve("data").toString();
    String apiKey;
    try (ClockShim clock = ClockShim.at(home.resolve("clock"))) {
      try (HubProcess hub = HubProcess.spawn(PROGRAM, Path.of(data), clock.environment())) {
        hub.awaitReady();
        apiKey = HubProcess.createKey(PROGRAM, Path.of(data), "acme");
        assertThat(isRepeat(hub, apiKey, "k-1")).isFalse();
        clock.setOffset(Duration.ofDays(40));
        assertThat(isRepeat(hub, apiKey, "k-1")).isTrue();
        assertThat(isRepeat(hub, apiKey, "k-2")).isFalse();
        assertThat(isRepeat(hub, apiKey, "k-2")).isTrue();
        hub.kill();
      }
      try (HubProcess hub = HubProcess.spawn(PROGRAM, Path.of(data), clock.environment())) {
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
