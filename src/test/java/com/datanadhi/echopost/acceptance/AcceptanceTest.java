package com.datanadhi.echopost.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.LoadClient;
import com.datanadhi.echopost.testkit.Payloads;
import com.datanadhi.testkit.PackagedProgram;
import com.datanadhi.testkit.Processes;
import com.datanadhi.testkit.StubServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/// The base of acceptance tests: a directory, a main server that is down, and agents as processes.
/// Everything that a test starts with its methods is stopped after the test.
abstract class AcceptanceTest {
  static final Duration SOON = Duration.ofSeconds(20);

  /// An environment with only the directory in which the program is already unpacked.
  static final Map<String, String> UNPACKED =
      Map.of(PackagedProgram.RUNTIME_DIR, PackagedProgram.runtimeDirectory().toString());

  @TempDir Path directory;
  StubServer server;
  private final List<AutoCloseable> open = new ArrayList<>();

  @BeforeEach
  void startServerThatIsDown() throws IOException {
    server = use(StubServer.down());
  }

  @AfterEach
  void closeAll() throws Exception {
    for (AutoCloseable closeable : open.reversed()) {
      closeable.close();
    }
  }

  /// Closes `closeable` after the test.
  <T extends AutoCloseable> T use(T closeable) {
    open.add(closeable);
    return closeable;
  }

  /// The exit status and the output of a program.
  record ProgramResult(int exit, String out, String err) {}

  /// Starts `program` in the directory, with no other environment than `environment`.
  Process start(Path program, Map<String, String> environment, String... args) throws IOException {
    List<String> command = new ArrayList<>(List.of(program.toString()));
    command.addAll(List.of(args));
    ProcessBuilder builder = new ProcessBuilder(command).directory(directory.toFile());
    builder.environment().clear();
    builder.environment().putAll(environment);
    Process process = builder.start();
    use(() -> Processes.kill(process));
    return process;
  }

  /// Waits until a program ends.
  static ProgramResult awaitEnd(Process process) throws IOException, InterruptedException {
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    return new ProgramResult(
        process.exitValue(),
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8),
        new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8));
  }

  /// Runs the packaged program to its end.
  ProgramResult run(Map<String, String> environment, String... args)
      throws IOException, InterruptedException {
    return awaitEnd(start(PackagedProgram.path(), environment, args));
  }

  /// Starts an operator command on another directory.
  Process startCommand(Path datanadhi, String... words) throws IOException {
    List<String> all = new ArrayList<>(List.of(words));
    all.addAll(List.of("-datanadhi", datanadhi.toString()));
    return start(PackagedProgram.path(), UNPACKED, all.toArray(String[]::new));
  }

  /// Runs an operator command on the test's directory to its end.
  ProgramResult runCommand(String... words) throws IOException, InterruptedException {
    return awaitEnd(startCommand(directory, words));
  }

  /// Spawns an agent and waits until it is ready.
  AgentProcess agent() throws IOException {
    AgentProcess agent = spawn();
    agent.awaitReady();
    return agent;
  }

  /// Spawns an agent, with additional arguments.
  AgentProcess spawn(String... more) throws IOException {
    return use(AgentProcess.spawn(directory, server.url(), more));
  }

  LoadClient client(AgentProcess agent) {
    return use(new LoadClient(agent.socket()));
  }

  static LoadClient.Load load(long records, int connections) {
    return new LoadClient.Load(records, 330, connections, 64, 0, 0);
  }

  /// Sends a load; every record must be acknowledged.
  void send(AgentProcess agent, LoadClient.Load load) throws InterruptedException {
    LoadClient.Result result = client(agent).run(load, _ -> {});
    assertThat(result.firstFailure()).isNull();
    assertThat(result.acknowledged()).isEqualTo(load.records());
  }

  /// The order of all deliveries so far.
  Payloads.Order order() {
    return Payloads.check(server.deliveries().stream().map(StubServer.Request::text).toList());
  }

  /// Asserts that exactly the records 0 to `count` - 1 of `client` were delivered, in order.
  void assertInOrder(int client, long count) {
    assertThat(order().seqsByClient().get(client))
        .as("client %s", client)
        .isEqualTo(Payloads.sequence(count));
  }

  void awaitDelivered(long distinct) {
    await().atMost(SOON).until(() -> server.distinct() >= distinct);
  }

  /// The first value of a query on the buffer, or empty if there is none. An agent may be running.
  String query(String sql) throws SQLException {
    try (Connection connection =
            DriverManager.getConnection(
                "jdbc:sqlite:file:" + directory.resolve("buffer.db") + "?mode=ro");
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      return row.next() ? String.valueOf(row.getString(1)) : "";
    }
  }
}
