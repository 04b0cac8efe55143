package com.datanadhi.echopost.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.testkit.ClockShim;
import com.datanadhi.testkit.Processes;
import com.datanadhi.testkit.Shims;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The order of sessions after the clock was set back.
class SessionOrderIT extends AcceptanceTest {
  private static final Duration YEARS = Duration.ofDays(10_000);

  @TempDir Path elsewhere;

  private AgentProcess agent(ClockShim clock, Duration offset) throws Exception {
    clock.setOffset(offset);
    AgentProcess agent = use(AgentProcess.spawn(directory, server.url(), clock.environment()));
    agent.awaitReady();
    return agent;
  }

  private static void stop(AgentProcess agent) throws Exception {
    agent.terminate();
    assertThat(agent.awaitExit(SOON)).isEqualTo(4);
  }

  private String pidIn(String log) {
    return log.replaceAll("(?s).* pid=(\\d+) .*", "$1");
  }

  @Test
  void logs_status_and_crash_reports_belong_to_the_latest_run_after_the_clock_was_set_back()
      throws Exception {
    assumeThat(Shims.skipReason()).isEmpty();
    ClockShim clock = use(ClockShim.at(elsewhere.resolve("clock")));
    AgentProcess first = agent(clock, YEARS);
    send(first, load(1, 1));
    Process follower = startCommand(directory, "logs", "-f");
    List<String> followed = Collections.synchronizedList(new ArrayList<>());
    Thread.ofVirtual().start(() -> follower.inputReader().lines().forEach(followed::add));
    await()
        .atMost(SOON)
        .until(() -> followed.stream().anyMatch(line -> line.contains(EventNames.AGENT_READY)));
    stop(first);

    AgentProcess second = agent(clock, Duration.ZERO);
    String pid = Long.toString(second.agent().pid());
    assertThat(pidIn(runCommand("logs").out())).isEqualTo(pid);
    await()
        .atMost(SOON)
        .until(() -> followed.stream().anyMatch(line -> line.contains(" pid=" + pid + " ")));
    stop(second);
    assertThat(runCommand("status").out())
        .contains("the last run ended at 20")
        .doesNotContain("the last run ended at 205");

    AgentProcess third = agent(clock, Duration.ofHours(-1));
    ProcessHandle crashing = third.jvm().orElseThrow();
    Processes.signal(crashing, "SEGV");
    await().atMost(SOON).until(() -> !crashing.isAlive() && third.jvm().isPresent());
    await()
        .atMost(SOON)
        .untilAsserted(() ->
            assertThat(third.jvm().map(jvm -> Long.toString(jvm.pid())))
                .contains(pidIn(runCommand("logs").out())));
    List<Path> reports;
    try (Stream<Path> files = Files.walk(directory, 2)) {
      reports = files.filter(file -> file.endsWith("crash.log")).toList();
    }
    assertThat(reports).hasSize(1);
    assertThat(Files.readString(reports.getFirst().resolveSibling("agent.log")))
        .contains("\"pid\":" + crashing.pid() + ",");
  }
}
