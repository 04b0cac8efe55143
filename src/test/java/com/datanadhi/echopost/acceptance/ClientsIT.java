package com.datanadhi.echopost.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.LoadClient;
import io.grpc.ManagedChannel;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.MetadataUtils;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Clients of the gRPC services other than an SDK for Java.
class ClientsIT extends AcceptanceTest {
  @Test
  void records_of_a_python_client_are_acknowledged_and_delivered() throws Exception {
    Path python = Path.of("target/venv/bin/python").toAbsolutePath();
    assumeTrue(
        Files.isExecutable(python),
        "skipped: no Python with grpcio in target/venv: run scripts/test");
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
    String output = new String(client.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertThat(output).isEqualTo("acknowledged 810\n");
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
  void an_idempotency_key_of_a_client_is_stored_and_sent_to_the_server() throws Exception {
    AgentProcess agent = agent();
    ManagedChannel channel = client(agent).newChannel();
    use(channel::shutdownNow);
    io.grpc.Metadata metadata = new io.grpc.Metadata();
    metadata.put(
        io.grpc.Metadata.Key.of("idempotency-key", io.grpc.Metadata.ASCII_STRING_MARSHALLER),
        "key-\"1\"\\");
    var _ =
        com.datanadhi.echopost.proto.LogAgentGrpc.newBlockingStub(channel)
            .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(metadata))
            .sendLog(LoadClient.request(0, 0, 100));

    assertThat(query("SELECT origin FROM records")).isEqualTo("key-\"1\"\\");
    server.comeUp();

    assertThat(agent.awaitExit(SOON)).isZero();
    assertThat(server.deliveries().getFirst().headers())
        .containsEntry("idempotency-key", "\"key-\\\"1\\\"\\\\\"");
  }
}
