package com.datanadhi.echopost.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.echopost.buffer.Sqlite;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.LoadClient;
import com.datanadhi.echopost.testkit.Tool;
import com.datanadhi.testkit.StubServer;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// The health of the packaged agent, as gRPC probes and scripts read it.
class HealthIT extends AcceptanceTest {
  private static final String MAIN_SERVER = "echopost.MainServer";

  /// Exit statuses of grpc_health_probe.
  private static final int RPC_FAILED = 3;

  private static final int UNHEALTHY = 4;

  private static int probe(AgentProcess agent, String service)
      throws IOException, InterruptedException {
    return Tool.named("grpc_health_probe")
        .run("", "-addr", "unix://" + agent.socket(), "-service", service)
        .exitStatus();
  }

  /// Sets the server up, with a slow response to the one record: otherwise the agent would drain
  /// soon.
  private void comeUpSlowly(AgentProcess agent) throws Exception {
    send(agent, load(1, 1));
    server.onDelivery(StubServer.Behaviour.slow(8_000, StubServer.OK));
    server.comeUp();
  }

  @Test
  void grpc_health_probe_sees_the_agent_and_the_main_server() throws Exception {
    AgentProcess agent = agent();
    assertThat(probe(agent, "")).isZero();
    assertThat(probe(agent, "logagent.LogAgent")).isZero();
    await().atMost(SOON).until(() -> agent.hasLogged(EventNames.SERVER_DOWN));
    assertThat(probe(agent, MAIN_SERVER)).isEqualTo(UNHEALTHY);
    assertThat(probe(agent, "no.such.Service")).isEqualTo(RPC_FAILED);

    comeUpSlowly(agent);
    await().atMost(SOON).until(() -> probe(agent, MAIN_SERVER) == 0);

    server.goDown();
    await().atMost(SOON).until(() -> probe(agent, MAIN_SERVER) == UNHEALTHY);
  }

  private static HealthCheckRequest request(String service) {
    return HealthCheckRequest.newBuilder().setService(service).build();
  }

  /// The responses of one watch, and how it ended.
  private static final class Watcher implements StreamObserver<HealthCheckResponse> {
    final List<ServingStatus> statuses = new CopyOnWriteArrayList<>();
    final CompletableFuture<Status> ended = new CompletableFuture<>();

    @Override
    public void onNext(HealthCheckResponse response) {
      statuses.add(response.getStatus());
    }

    @Override
    public void onError(Throwable failed) {
      ended.complete(Status.fromThrowable(failed));
    }

    @Override
    public void onCompleted() {
      ended.complete(Status.OK);
    }
  }

  private static Watcher watch(ManagedChannel channel, String service) {
    Watcher watcher = new Watcher();
    HealthGrpc.newStub(channel).watch(request(service), watcher);
    return watcher;
  }

  @Test
  void a_watch_follows_the_main_server_and_does_not_delay_a_drained_agent() throws Exception {
    AgentProcess agent = agent();
    await().atMost(SOON).until(() -> agent.hasLogged(EventNames.SERVER_DOWN));
    ManagedChannel channel = client(agent).newChannel();
    use(channel::shutdownNow);
    Watcher server = watch(channel, MAIN_SERVER);
    Watcher agentItself = watch(channel, "");
    Watcher unknown = watch(channel, "no.such.Service");
    await().atMost(SOON).until(() -> server.statuses.equals(List.of(ServingStatus.NOT_SERVING)));
    await()
        .atMost(SOON)
        .until(() -> unknown.statuses.equals(List.of(ServingStatus.SERVICE_UNKNOWN)));

    this.server.comeUp();

    assertThat(agent.awaitExit(SOON)).isZero();
    assertThat(server.statuses).containsExactly(ServingStatus.NOT_SERVING, ServingStatus.SERVING);
    assertThat(agentItself.statuses).containsExactly(ServingStatus.SERVING);
    Status end = server.ended.get(10, TimeUnit.SECONDS);
    assertThat(end.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    // The agent ended the call itself: it did not end with its connection.
    assertThat(end.getDescription()).isEqualTo("the agent is shutting down");
  }

  @Test
  void too_many_watches_are_refused() throws Exception {
    AgentProcess agent = agent();
    ManagedChannel channel = client(agent).newChannel();
    use(channel::shutdownNow);
    for (int i = 0; i < 512; i++) {
      Watcher _ = watch(channel, "");
    }
    assertThat(watch(channel, "").ended.get(10, TimeUnit.SECONDS).getCode())
        .isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    send(agent, load(10, 1));
  }

  private ProgramResult health() throws IOException, InterruptedException {
    return runCommand("health", "-json");
  }

  private static void assertHealth(ProgramResult ran, int exit, String pattern) {
    assertThat(ran.exit()).as("%s", ran).isEqualTo(exit);
    assertThat(ran.out()).matches(pattern.replace("{", "\\{").replace("}", "\\}") + "\n");
  }

  @Test
  void the_command_health_reports_in_json_and_by_its_exit_status() throws Exception {
    AgentProcess agent = agent();
    await().atMost(SOON).until(() -> agent.hasLogged(EventNames.SERVER_DOWN));
    // Storing records while the server is down is normal operation.
    assertHealth(
        health(),
        0,
        "{\"status\":\"ok\",\"components\":{\"storage\":\"ok\",\"server\":\"down\",\"disk\":\"ok\"},\"lag_ms\":0}");
    send(agent, load(10, 1));
    assertHealth(
        health(),
        0,
        "{\"status\":\"ok\",\"components\":{\"storage\":\"ok\",\"server\":\"down\",\"disk\":\"ok\"},\"lag_ms\":[1-9]\\d*}");

    agent.terminate();
    assertThat(agent.awaitExit(SOON)).isEqualTo(4);
    ProgramResult alone = health();
    assertHealth(
        alone,
        1,
        "{\"status\":\"failing\",\"components\":{\"storage\":\"ok\",\"server\":\"unknown\",\"disk\":\"ok\"},\"lag_ms\":[1-9]\\d*}");
    assertThat(alone.err())
        .isEqualTo("echopost: records are pending and no agent is running: start one\n");

    AgentProcess next = agent();
    server.comeUp();
    assertThat(next.awaitExit(SOON)).isZero();
    assertHealth(
        health(),
        0,
        "{\"status\":\"ok\",\"components\":{\"storage\":\"ok\",\"server\":\"unknown\",\"disk\":\"ok\"},\"lag_ms\":0}");
  }

  @Test
  void a_buffer_that_cannot_be_read_is_failing_storage() throws Exception {
    Files.write(
        directory.resolve("buffer.db"),
        "no database at all, whatever it is".repeat(400).getBytes(StandardCharsets.US_ASCII),
        StandardOpenOption.CREATE_NEW);
    ProgramResult ran = health();
    assertHealth(
        ran,
        1,
        "{\"status\":\"failing\",\"components\":{\"storage\":\"failed\",\"server\":\"unknown\",\"disk\":\"unknown\"},\"lag_ms\":null}");
    assertThat(ran.err()).hasLineCount(1);
  }

  @Test
  void a_write_lock_of_another_process_is_blocked_storage_until_a_commit_works_again()
      throws Exception {
    AgentProcess agent = agent();
    send(agent, load(10, 1));
    ManagedChannel channel = client(agent).newChannel();
    use(channel::shutdownNow);
    Watcher itself = watch(channel, "");
    try (Sqlite other = new Sqlite(directory)) {
      other.execute("BEGIN IMMEDIATE");
      CompletableFuture<LoadClient.Result> call =
          CompletableFuture.supplyAsync(() -> runUnchecked(agent));
      await().atMost(SOON).until(() -> itself.statuses.contains(ServingStatus.NOT_SERVING));

      ProgramResult health = health();
      assertThat(health.exit()).isEqualTo(1);
      assertThat(health.out()).contains("\"status\":\"failing\"", "\"storage\":\"blocked\"");
      assertThat(health.err()).contains("write lock on buffer.db");
      ProgramResult status = runCommand("status");
      assertThat(status.exit()).isEqualTo(1);
      assertThat(status.out()).contains("write lock on buffer.db");
      if (Files.exists(Path.of("/proc/locks"))) {
        assertThat(status.out()).contains("process " + ProcessHandle.current().pid() + " (");
      }
      assertThat(runCommand("metrics").out())
          .containsPattern("echopost_storage_state\\{[^}]*state=\"blocked\"} 1");
      assertThat(probe(agent, "logagent.LogAgent")).isEqualTo(UNHEALTHY);
      // Also after the call has failed, while nobody calls.
      assertThat(call.get(1, TimeUnit.MINUTES).acknowledged()).isZero();
      assertThat(health().exit()).isEqualTo(1);
      other.execute("ROLLBACK");
    }

    await().atMost(SOON).until(() -> health().exit() == 0);
    await().atMost(SOON).until(() -> itself.statuses.getLast() == ServingStatus.SERVING);
  }

  private LoadClient.Result runUnchecked(AgentProcess agent) {
    try {
      return client(agent).run(load(1, 1), _ -> {});
    } catch (InterruptedException interrupted) {
      throw new IllegalStateException(interrupted);
    }
  }
}
