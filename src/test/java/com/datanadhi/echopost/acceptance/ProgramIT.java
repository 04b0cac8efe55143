package com.datanadhi.echopost.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.datanadhi.echopost.buffer.Sqlite;
import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.LoadClient;
import com.datanadhi.echopost.testkit.StubServer;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.MetadataUtils;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The packaged program as its callers meet it: command line, exit codes, other clients, hostile
/// servers.
class ProgramIT extends AcceptanceTest {
  @Test
  void it_runs_from_any_directory_with_an_empty_environment() throws Exception {
    ProgramResult version = run(Map.of(), "-version");

    assertThat(version)
        .isEqualTo(
            new ProgramResult(
                0, "echopost " + Files.readString(Path.of("VERSION")).strip() + "\n", ""));
    assertThat(run(Map.of(), "-h").out()).contains("usage: echopost");
  }

  static List<List<String>> misuses() {
    return List.of(
        List.of("-nonsense"),
        List.of("frobnicate"),
        List.of("-health-url", "ftp://x"),
        List.of("-health-url", "http://h:99999"),
        List.of("-api-key", "a\nb"),
        List.of("-datanadhi", "VERSION/below-a-file"),
        List.of("-datanadhi", "x".repeat(120)),
        List.of("-datanadhi"));
  }

  @ParameterizedTest
  @MethodSource("misuses")
  void misuse_is_one_line_and_exit_2(List<String> args) throws Exception {
    Files.createFile(directory.resolve("VERSION"));

    ProgramResult ran = run(UNPACKED, args.toArray(String[]::new));

    assertThat(ran.exit()).isEqualTo(2);
    assertThat(ran.err()).startsWith("echopost: ").hasLineCount(1);
    assertThat(ran.out()).isEmpty();
  }

  @Test
  void an_agent_whose_standard_output_is_closed_does_its_work() throws Exception {
    Process process =
        new ProcessBuilder(
                "sh",
                "-c",
                "exec \"$0\" -datanadhi \"$1\" -health-url \"$2\" >&- 2>&-",
                AgentProcess.program().toString(),
                directory.toString(),
                server.url())
            .start();
    use(() -> AgentProcess.kill(process));
    await().atMost(SOON).until(() -> Files.exists(directory.resolve("data-nadhi-agent.sock")));
    LoadClient client = use(new LoadClient(directory.resolve("data-nadhi-agent.sock")));
    assertThat(client.run(load(100, 1), _ -> {}).acknowledged()).isEqualTo(100);

    server.comeUp();

    assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isZero();
    assertThat(server.distinct()).isEqualTo(100);
  }

  @Test
  void a_python_client_is_acknowledged_and_delivered() throws Exception {
    Path python = Path.of("target/venv/bin/python").toAbsolutePath();
    assumeTrue(
        Files.isExecutable(python),
        "skipped: no Python with grpcio in target/venv; scripts/test makes it where it can be had");
    AgentProcess agent = agent();
    Path stubs = Files.createDirectory(directory.resolve("stubs"));
    Path proto = Path.of("proto").toAbsolutePath();
    assertThat(
            new ProcessBuilder(
                    python.toString(),
                    "-m",
                    "grpc_tools.protoc",
                    "-I" + proto,
                    "--python_out=" + stubs,
                    "--grpc_python_out=" + stubs,
                    proto.resolve("logagent.proto").toString())
                .inheritIO()
                .start()
                .waitFor())
        .isZero();

    Process client =
        new ProcessBuilder(
                python.toString(),
                "src/test/python/client.py",
                stubs.toString(),
                agent.socket().toString(),
                "800")
            .redirectErrorStream(true)
            .start();
    String said = new String(client.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertThat(said).isEqualTo("acknowledged 810\n");
    server.comeUp();
    assertThat(agent.awaitExit(SOON)).isZero();
    assertInOrder(0, 810);
    assertThat(server.deliveries().getFirst().headers())
        .containsEntry("datanadhi-api-key", "python-key");
  }

  @Test
  void the_standard_health_service_answers_on_the_socket() throws Exception {
    AgentProcess agent = agent();
    ManagedChannel channel = client(agent).newChannel();
    use(channel::shutdownNow);
    var health = HealthGrpc.newBlockingStub(channel);

    for (String service : List.of("", "logagent.LogAgent")) {
      assertThat(
              health.check(HealthCheckRequest.newBuilder().setService(service).build()).getStatus())
          .isEqualTo(HealthCheckResponse.ServingStatus.SERVING);
    }
  }

  @Test
  void an_idempotency_key_from_the_client_goes_all_the_way() throws Exception {
    AgentProcess agent = agent();
    ManagedChannel channel = client(agent).newChannel();
    use(channel::shutdownNow);
    io.grpc.Metadata metadata = new io.grpc.Metadata();
    metadata.put(
        io.grpc.Metadata.Key.of("idempotency-key", io.grpc.Metadata.ASCII_STRING_MARSHALLER),
        "mine-\"1\"\\");
    var _ =
        com.datanadhi.echopost.proto.LogAgentGrpc.newBlockingStub(channel)
            .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(metadata))
            .sendLog(LoadClient.request(0, 0, 100));

    assertThat(query("SELECT origin FROM records")).isEqualTo("mine-\"1\"\\");
    server.comeUp();

    assertThat(agent.awaitExit(SOON)).isZero();
    assertThat(server.deliveries().getFirst().headers())
        .containsEntry("idempotency-key", "\"mine-\\\"1\\\"\\\\\"");
  }

  static List<StubServer.Behaviour> hostilities() {
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
  @MethodSource("hostilities")
  void a_server_that_misbehaves_for_a_while_still_gets_everything(StubServer.Behaviour hostile)
      throws Exception {
    AgentProcess agent = agent();
    send(agent, load(50, 1));
    server.onDelivery((request, out) ->
        (server.count() > 10 && server.count() <= 13 ? hostile : StubServer.OK)
            .answer(request, out));

    server.comeUp();

    assertThat(agent.awaitExit(SOON)).isZero();
    assertInOrder(0, 50);
    assertThat(order().inversions()).isZero();
  }

  @Test
  void an_endless_answer_counts_by_its_status() throws Exception {
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

  @Test
  void a_disk_that_takes_nothing_slows_clients_down_and_only_then_refuses_them() throws Exception {
    AgentProcess agent = agent();
    LoadClient client = client(agent);
    // 512 calls of 64 KiB at once: twice what may wait in memory.
    LoadClient.Load flood = new LoadClient.Load(800, 65_536, 4, 128, 0, 0);
    LoadClient.Result held;
    try (Sqlite buffer = new Sqlite(directory)) {
      buffer.execute("BEGIN IMMEDIATE");
      AtomicBoolean locked = new AtomicBoolean(true);
      // While the lock is held nothing can be stored: the first answer is a refusal.
      held =
          client.run(
              flood,
              answers -> {
                if (answers > 0 && locked.compareAndSet(true, false)) {
                  unlock(buffer);
                }
              });
    }

    assertThat(held.firstFailure())
        .isNotNull()
        .extracting(Status::getCode)
        .isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(held.acknowledged()).isGreaterThan(200);
    assertThat(Long.parseLong(query("SELECT count(*) FROM records")))
        .isEqualTo(held.acknowledged());
    send(agent, load(100, 1));
  }

  private static void unlock(Sqlite buffer) {
    try {
      buffer.execute("COMMIT");
    } catch (SQLException failed) {
      throw new IllegalStateException(failed);
    }
  }
}
