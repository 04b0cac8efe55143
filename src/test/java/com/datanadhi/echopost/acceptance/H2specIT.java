package com.datanadhi.echopost.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.TcpRelay;
import com.datanadhi.echopost.testkit.Tool;
import org.junit.jupiter.api.Test;

/// The public conformance suite for HTTP/2 servers, https://github.com/summerwind/h2spec, on the
/// packaged agent.
class H2specIT extends AcceptanceTest {
  /// Including the strict ones. A case is skipped if the server's responses are too short for it.
  private static final String ALL = "146 tests, 146 passed, 0 skipped, 0 failed";

  @Test
  void the_agent_passes_every_case_of_h2spec() throws Exception {
    Tool h2spec = Tool.named("h2spec");
    AgentProcess agent = agent();
    TcpRelay relay = use(new TcpRelay(agent.socket()));

    // The timeout is for a busy machine: a case that passes does not wait for it.
    Tool.Result result =
        h2spec.run("", "--strict", "--timeout", "10", "--port", Integer.toString(relay.port()));

    assertThat(result.output()).contains(ALL);
    assertThat(result.exitStatus()).isZero();
    // The suite's noise has not harmed other clients, or the agent.
    send(agent, load(10, 1));
    assertThat(agent.output()).doesNotContain("\"level\":\"SEVERE\"", "\"level\":\"ERROR\"");
  }
}
