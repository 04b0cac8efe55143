package com.datanadhi.hub.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.datanadhi.hub.intake.Outcome;
import com.datanadhi.hub.query.Tenants;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PythonClientTest {
  @TempDir Path directory;

  @Test
  void a_python_client_sends_and_reads() throws Exception {
    Path python = Path.of("../target/venv/bin/python").toAbsolutePath().normalize();
    assumeTrue(
        Files.isExecutable(python),
        "skipped: no Python with grpcio in target/venv: run scripts/test");
    Path stubs = Files.createDirectory(directory.resolve("stubs"));
    Path proto = Path.of("../proto").toAbsolutePath().normalize();
    // The package googleapis-common-protos has google/rpc/*.proto beside its modules.
    String packages =
        run(python.toString(), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
            .strip();
    assertThat(
            run(
                python.toString(),
                "-m",
                "grpc_tools.protoc",
                "-I" + proto,
                "-I" + packages,
                "--python_out=" + stubs,
                "--grpc_python_out=" + stubs,
                proto.resolve("hub.proto").toString()))
        .isEmpty();

    try (Tenants tenants = new Tenants(directory.resolve("tenants"));
        Door door = new Door(tenants.queries())) {
      door.appends.fault(
          "later", new Outcome.Unavailable("log", "the log is full", Duration.ofSeconds(7)));
      tenants.store("acme", "stored-1", List.of("p"), "1");
      tenants.store("acme", "stored-2", List.of("p"), "{\"msg\":\r\n \"grüße\"}");
      tenants.store("acme", "stored-3", List.of(), "3");
      String output =
          run(
              python.toString(),
              "src/test/python/hub_client.py",
              stubs.toString(),
              "127.0.0.1:" + door.server.address().getPort(),
              Door.KEY,
              "800");
      assertThat(output).isEqualTo("ok\n");
      assertThat(door.appends.order()).hasSize(800);
    }
  }

  private static String run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
  }
}
