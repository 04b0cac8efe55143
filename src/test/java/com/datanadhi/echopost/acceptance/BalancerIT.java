package com.datanadhi.echopost.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.Payloads;
import com.datanadhi.echopost.testkit.RoundRobin;
import com.datanadhi.testkit.PackagedProgram;
import com.datanadhi.testkit.StubServer;
import com.datanadhi.testkit.StubServer.Behaviour;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Main servers behind a load balancer, of which one is sick: it answers probes, and no delivery.
class BalancerIT extends AcceptanceTest {
  private static final int RECORDS = 100;
  private static final int RECORDS_PER_CONNECTION = 10;

  // Nothing listens there: an agent whose server is up exits when it has nothing to deliver.
  private static final String NOWHERE = "127.0.0.4 main.test\n";
  private static final Behaviour LAST =
      Behaviour.raw("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");

  @ParameterizedTest
  @CsvSource({
    "503, true",
    "503, false",
    "429, true",
    "500, true",
    "500, false",
    "404, true",
    "404, false"
  })
  void records_reach_the_healthy_server_in_order_and_none_is_rejected(
      int status, boolean healthyFirst) throws Exception {
    StubServer sick = use(StubServer.down());
    sick.onDelivery(Behaviour.status(status, "sick"));
    AtomicInteger responses = new AtomicInteger();
    server.onDelivery((request, out) ->
        (responses.incrementAndGet() % RECORDS_PER_CONNECTION == 0 ? LAST : StubServer.OK)
            .respond(request, out));
    RoundRobin balancer =
        use(
            new RoundRobin(
                healthyFirst
                    ? List.of(server.port(), sick.port())
                    : List.of(sick.port(), server.port())));
    AgentProcess agent = use(AgentProcess.spawn(directory, balancer.url()));
    agent.awaitReady();

    send(agent, load(RECORDS, 1));
    sick.comeUp();
    server.comeUp();

    assertAllDelivered(agent, RECORDS);
    assertThat(order().repeats()).isZero();
    assertThat(sick.count()).isPositive();
  }

  private void assertAllDelivered(AgentProcess agent, int count) throws Exception {
    awaitDelivered(count);
    assertThat(agent.awaitExit(SOON)).isZero();
    assertInOrder(0, count);
    assertThat(query("SELECT count(*) FROM rejected")).isEqualTo("0");
  }

  /// A balancer of HTTP requests: of its two servers, which take turns, one is sick.
  @ParameterizedTest
  @ValueSource(ints = {200, 503})
  void records_reach_the_healthy_server_if_each_request_goes_to_the_next(int sickProbe)
      throws Exception {
    AtomicInteger turn = new AtomicInteger();
    List<String> delivered = Collections.synchronizedList(new ArrayList<>());
    server.onProbe((request, out) -> {
      boolean healthy = turn.getAndIncrement() % 2 == 0;
      return Behaviour.status(healthy ? 200 : sickProbe, "").respond(request, out);
    });
    server.onDelivery((request, out) -> {
      boolean healthy = turn.getAndIncrement() % 2 == 0;
      if (healthy) {
        delivered.add(request.text());
      }
      return (healthy ? StubServer.OK : Behaviour.status(503, "sick")).respond(request, out);
    });
    AgentProcess agent = agent();
    send(agent, load(5, 1));

    server.comeUp();

    await().atMost(Duration.ofMinutes(1)).until(() -> delivered.size() == 5);
    assertThat(Payloads.check(delivered).seqsByClient().get(0)).isEqualTo(Payloads.sequence(5));
    assertThat(agent.awaitExit(SOON)).isZero();
  }

  /// Spawns an agent whose main server has the name `main.test`, by a `/etc/hosts` of its own.
  private AgentProcess spawnWithHosts(Path hosts, int port) throws Exception {
    List<String> command =
        List.of(
            "unshare",
            "--mount",
            "sh",
            "-c",
            "mount --bind \"$0\" /etc/hosts && exec \"$@\"",
            hosts.toString());
    List<String> check = new ArrayList<>(command);
    check.add("true");
    assumeTrue(new ProcessBuilder(check).start().waitFor() == 0, "needs a mount namespace");
    List<String> program = new ArrayList<>(command);
    program.add(PackagedProgram.path().toString());
    AgentProcess agent = use(AgentProcess.spawn(program, directory, "http://main.test:" + port));
    agent.awaitReady();
    return agent;
  }

  @Test
  void when_the_name_of_the_server_moves_the_records_go_to_its_new_address() throws Exception {
    StubServer sick = use(StubServer.up());
    sick.onDelivery(Behaviour.status(503, "moved"));
    server.comeUp();
    RoundRobin before = use(new RoundRobin("127.0.0.2", 0, List.of(sick.port())));
    use(new RoundRobin("127.0.0.3", before.port(), List.of(server.port())));
    Path hosts = Files.writeString(directory.resolve("hosts"), NOWHERE);
    AgentProcess agent = spawnWithHosts(hosts, before.port());
    send(agent, load(10, 1));
    Files.writeString(hosts, "127.0.0.2 main.test\n");
    await().atMost(SOON).until(() -> sick.count() > 0);

    Files.writeString(hosts, "127.0.0.3 main.test\n");

    assertAllDelivered(agent, 10);
  }

  @ParameterizedTest
  @ValueSource(strings = {"refuses", "answers 503", "accepts only", "drops packets"})
  void of_the_addresses_of_the_server_one_that_works_is_found(String first) throws Exception {
    server.comeUp();
    RoundRobin working = use(new RoundRobin("127.0.0.3", 0, List.of(server.port())));
    switch (first) {
      case "answers 503" -> {
        StubServer sick = use(StubServer.up());
        sick.onProbe(Behaviour.status(503, ""));
        use(new RoundRobin("127.0.0.2", working.port(), List.of(sick.port())));
      }
      case "accepts only" ->
          use(new ServerSocket(working.port(), 50, InetAddress.getByName("127.0.0.2")));
      case "drops packets" -> {
        // The kernel drops connections that exceed the backlog.
        ServerSocket full =
            use(new ServerSocket(working.port(), 1, InetAddress.getByName("127.0.0.2")));
        for (int i = 0; i < 4; i++) {
          SocketChannel filler = use(SocketChannel.open());
          filler.configureBlocking(false);
          boolean _ = filler.connect(full.getLocalSocketAddress());
        }
      }
      default -> assertThat(first).isEqualTo("refuses");
    }
    Path hosts = Files.writeString(directory.resolve("hosts"), NOWHERE);
    AgentProcess agent = spawnWithHosts(hosts, working.port());
    send(agent, load(10, 1));

    Files.writeString(hosts, "127.0.0.2 main.test\n127.0.0.3 main.test\n");

    assertAllDelivered(agent, 10);
  }
}
