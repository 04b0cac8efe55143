package com.datanadhi.echopost.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.testkit.StubServer.Behaviour;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What a person sees when the packaged program cannot reach the main server.
class ServerReasonIT extends AcceptanceTest {
  @Test
  void the_status_and_the_log_say_what_failed_and_what_to_do() throws Exception {
    AgentProcess agent = agent();
    String reason =
        "probe: cannot connect to the main server 127.0.0.1:"
            + server.port()
            + ": connection refused: nothing listens there; check -health-url";
    await().atMost(SOON).until(() -> agent.hasLogged(EventNames.SERVER_DOWN));

    assertThat(agent.output()).contains("\"reason\":\"" + reason + "\"");
    assertThat(runCommand("status").out()).contains("\n          " + reason + "\n");
    assertThat(runCommand("status", "-json").out()).contains("\"reason\":\"" + reason + "\"");
  }

  @Test
  void a_proxy_that_wants_credentials_is_named() throws Exception {
    server.onProbe(Behaviour.status(407, ""));
    server.comeUp();
    AgentProcess agent =
        use(
            AgentProcess.spawn(
                directory, "http://main.example:5000", Map.of("HTTP_PROXY", server.url())));
    await().atMost(SOON).until(() -> agent.hasLogged(EventNames.SERVER_DOWN));

    assertThat(agent.output())
        .contains("the proxy 127.0.0.1:" + server.port() + " requires a user and password");
  }

  @Test
  void in_a_cgi_program_http_proxy_is_not_used_and_the_log_says_so() throws Exception {
    server.comeUp();
    AgentProcess agent =
        use(
            AgentProcess.spawn(
                directory,
                "http://main.invalid:5000",
                Map.of("HTTP_PROXY", server.url(), "REQUEST_METHOD", "GET")));
    await().atMost(SOON).until(() -> agent.hasLogged(EventNames.SERVER_DOWN));

    assertThat(agent.hasLogged(EventNames.PROXY_IGNORED)).isTrue();
    assertThat(server.connections()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"http://me:s3/cret@h:5000", "http://me:s3%cret@h:5000"})
  void a_password_that_must_be_escaped_is_a_usage_error(String url) throws Exception {
    for (ProgramResult result :
        new ProgramResult[] {
          run(UNPACKED, "-datanadhi", "d", "-health-url", url),
          run(
              Map.of(
                  "ECHOPOST_RUNTIME_DIR", UNPACKED.get("ECHOPOST_RUNTIME_DIR"), "HTTP_PROXY", url),
              "-datanadhi",
              "d")
        }) {
      assertThat(result.exit()).isEqualTo(2);
      assertThat(result.err()).hasLineCount(1).contains("%2").doesNotContain("cret");
    }
  }
}
