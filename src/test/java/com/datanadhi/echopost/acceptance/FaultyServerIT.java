package com.datanadhi.echopost.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.testkit.StubServer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// A main server that returns errors and malformed, truncated or endless responses.
class FaultyServerIT extends AcceptanceTest {
  static List<StubServer.Behaviour> faultyResponses() {
    return List.of(
        StubServer.Behaviour.hangUp(),
        StubServer.Behaviour.raw("HTTP/1.1 2"),
        StubServer.Behaviour.raw("garbage\r\n\r\n"),
        StubServer.Behaviour.raw("HTTP/1.1 200 OK\r\nX: " + "y".repeat(100_000)),
        StubServer.Behaviour.status(503, "", "Retry-After: 1"),
        StubServer.Behaviour.status(429, ""),
        StubServer.Behaviour.status(500, ""),
        StubServer.Behaviour.status(302, "", "Location: http://127.0.0.1:1/"));
  }

  @ParameterizedTest
  @MethodSource("faultyResponses")
  void a_server_with_faulty_responses_for_a_while_still_gets_every_record(
      StubServer.Behaviour faulty) throws Exception {
    AgentProcess agent = agent();
    send(agent, load(50, 1));
    server.onDelivery((request, out) ->
        (server.count() > 10 && server.count() <= 13 ? faulty : StubServer.OK)
            .respond(request, out));

    server.comeUp();

    assertThat(agent.awaitExit(SOON)).isZero();
    assertInOrder(0, 50);
    assertThat(order().inversions()).isZero();
  }

  @Test
  void an_endless_response_is_judged_by_its_status() throws Exception {
    AgentProcess agent = agent();
    send(agent, load(5, 1));
    byte[] chunk = new byte[8_192];
    server.onDelivery((request, out) -> {
      out.write(
          "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"
              .getBytes(StandardCharsets.US_ASCII));
      for (int i = 0; i < 100_000; i++) {
        out.write(chunk);
      }
      return false;
    });

    server.comeUp();

    assertThat(agent.awaitExit(SOON)).isZero();
    assertThat(server.count()).isEqualTo(5);
  }
}
