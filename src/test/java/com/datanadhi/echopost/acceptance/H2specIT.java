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

  /// Some cases send a request and then more of its stream. On a busy machine the agent can answer
  /// and reset the stream in between, as it may, and the case then reads another error than the one
  /// that it provokes.
  private static final int ATTEMPTS = 3;

  @Test
  void the_agent_passes_every_case_of_h2spec() throws Exception {
    Tool h2spec = Tool.named("h2spec");
    AgentProcess agent = agent();
    TcpRelay relay = use(new TcpRelay(agent.socket()));

    Tool.Result result = run(h2spec, relay);
    for (int attempt = 2; attempt <= ATTEMPTS && result.exitStatus() != 0; attempt++) {
      result = run(h2spec, relay);
    }

    assertThat(result.output()).contains(ALL);
    assertThat(result.exitStatus()).isZero();
    // The suite's noise has not harmed other clients, or the agent.
    send(agent, load(10, 1));
    assertThat(agent.output()).doesNotContain("\"level\":\"SEVERE\"", "\"level\":\"ERROR\"");
  }

  private static Tool.Result run(Tool h2spec, TcpRelay relay) throws Exception {
    // The timeout is for a busy machine: a case that passes does not wait for it.
    return h2spec.run("", "--strict", "--timeout", "10", "--port", Integer.toString(relay.port()));
  }
}
