package com.datanadhi.echopost.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.testkit.Processes;
import java.io.IOException;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

/// Commands on a directory whose socket accepts a connection, or not even that, and does not
/// answer.
class UnresponsiveAgentIT extends AcceptanceTest {
  private static final String RECORD = "{\"log_data\":{\"a\":1},\"pipelines\":[]}\n";

  private Path file() throws IOException {
    return Files.writeString(directory.resolve("records"), RECORD);
  }

  private AgentProcess suspendedAgent(int pending) throws Exception {
    AgentProcess agent = agent();
    if (pending > 0) {
      send(agent, load(pending, 1));
    }
    ProcessHandle jvm = agent.jvm().orElseThrow();
    Processes.signal(jvm, "STOP");
    use(() -> Processes.signal(jvm, "CONT"));
    return agent;
  }

  @Test
  void a_suspended_agent_is_reported_and_no_command_hangs() throws Exception {
    AgentProcess agent = suspendedAgent(20);
    String reason =
        "process "
            + agent.agent().pid()
            + " owns the directory but did not answer within 1.5 s: it is suspended";

    ProgramResult status = runCommand("status");
    assertThat(status.exit()).isEqualTo(1);
    assertThat(status.out())
        .contains("agent     not answering: " + reason, "pending   20 records", "accepted 20 =");
    ProgramResult json = runCommand("status", "-json");
    assertThat(new JsonMapper().readTree(json.out()).get("agent").get("state").asString())
        .isEqualTo("unresponsive");
    ProgramResult health = runCommand("health");
    assertThat(health.exit()).isEqualTo(1);
    assertThat(health.out()).startsWith("{\"status\":\"failing\"");
    assertThat(health.err()).contains(reason);
    ProgramResult metrics = runCommand("metrics");
    assertThat(metrics.exit()).isZero();
    assertThat(metrics.err()).contains(reason);
    assertThat(metrics.out())
        .containsPattern("\nechopost_up\\{.*} 0\n")
        .containsPattern("\nechopost_pending_records\\{.*} 20\n");
    ProgramResult imported = runCommand("import", file().toString());
    assertThat(imported.exit()).isEqualTo(1);
    assertThat(imported.err()).contains("agent.lock and does not answer: 'echopost status' names");

    Processes.signal(agent.agent(), "CONT");
    assertThat(runCommand("health").exit()).isZero();
    assertThat(runCommand("import", file().toString()).out()).startsWith("1 record imported");
  }

  @Test
  void an_agent_with_nothing_pending_is_not_healthy_if_its_queue_of_connections_is_full()
      throws Exception {
    AgentProcess agent = suspendedAgent(0);
    UnixDomainSocketAddress socket = UnixDomainSocketAddress.of(agent.socket());
    boolean isQueued = true;
    while (isQueued) {
      SocketChannel waiting = use(SocketChannel.open(StandardProtocolFamily.UNIX));
      waiting.configureBlocking(false);
      try {
        isQueued = waiting.connect(socket);
      } catch (SocketException full) {
        // Linux has no pending connect of a UNIX socket: EAGAIN.
        isQueued = false;
      }
    }

    ProgramResult health = runCommand("health");

    assertThat(health.exit()).isEqualTo(1);
    assertThat(health.err()).contains("accepts no connection, and too many wait for it");
    assertThat(runCommand("status").exit()).isEqualTo(1);
  }

  @Test
  void a_socket_without_an_agent_behind_it_delays_commands_but_does_not_stop_them()
      throws Exception {
    AgentProcess agent = agent();
    send(agent, load(3, 1));
    agent.terminate();
    assertThat(agent.awaitExit(SOON)).isEqualTo(4);
    ServerSocketChannel stranger = use(ServerSocketChannel.open(StandardProtocolFamily.UNIX));
    var _ = stranger.bind(UnixDomainSocketAddress.of(agent.socket()));

    ProgramResult status = runCommand("status");
    assertThat(status.exit()).isEqualTo(4);
    assertThat(status.out()).contains("agent     not running; the last run ended");
    assertThat(runCommand("health").err()).contains("no agent is running: start one");
    for (String command : List.of("redrive", "metrics")) {
      ProgramResult ran =
          command.equals("redrive") ? runCommand(command, "-all") : runCommand(command);
      assertThat(ran.exit()).as(ran.err()).isZero();
    }
    assertThat(runCommand("import", file().toString()).out())
        .isEqualTo("1 record imported; no agent is running, the next one delivers them\n");
  }
}
