package com.datanadhi.echopost.testkit;

import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.testkit.PackagedProgram;
import com.datanadhi.testkit.Polling;
import com.datanadhi.testkit.Processes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/// The packaged program as a process, spawned as an SDK does it.
public final class AgentProcess implements AutoCloseable {
  private static final Duration SOCKET_PATIENCE = Duration.ofSeconds(10);

  private final Process process;
  private final Path directory;
  private final Path output;

  private AgentProcess(Process process, Path directory, Path output) {
    this.process = process;
    this.directory = directory;
    this.output = output;
  }

  /// Spawns it on `directory` for the server at `url`.
  public static AgentProcess spawn(Path directory, String url, String... more) throws IOException {
    return spawn(directory, url, Map.of(), more);
  }

  /// As above, with more in its environment.
  public static AgentProcess spawn(
      Path directory, String url, Map<String, String> environment, String... more)
      throws IOException {
    return spawn(List.of(PackagedProgram.path().toString()), directory, url, environment, more);
  }

  /// Spawns what `command` starts as an agent.
  public static AgentProcess spawn(List<String> command, Path directory, String url)
      throws IOException {
    return spawn(command, directory, url, Map.of());
  }

  /// As above, with more in its environment and on its command line.
  public static AgentProcess spawn(
      List<String> program,
      Path directory,
      String url,
      Map<String, String> environment,
      String... more)
      throws IOException {
    List<String> command = new ArrayList<>(program);
    command.addAll(
        List.of("-datanadhi", directory.toString(), "-api-key", "agent-key", "-health-url", url));
    command.addAll(List.of(more));
    Path output = Files.createTempFile("echopost", ".out");
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().putAll(environment);
    builder
        .environment()
        .putIfAbsent(PackagedProgram.RUNTIME_DIR, PackagedProgram.runtimeDirectory().toString());
    Process process = builder.redirectErrorStream(true).redirectOutput(output.toFile()).start();
    return new AgentProcess(process, directory, output);
  }

  /// Its directory.
  public Path directory() {
    return directory;
  }

  /// What the last agent here that ended had measured: its `metrics.prom`.
  public Path lastMetrics() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .filter(file -> file.getFileName().toString().startsWith("session-"))
          .sorted()
          .toList()
          .getLast()
          .resolve("metrics.prom");
    }
  }

  /// The public socket.
  public Path socket() {
    return directory.resolve("data-nadhi-agent.sock");
  }

  /// Returns once the socket's name is there.
  ///
  /// @return how long that took since the call, in nanoseconds
  public long awaitSocket() {
    return Polling.until(
        () -> requireAlive() && Files.exists(socket()),
        Duration.ofNanos(200_000),
        SOCKET_PATIENCE,
        () -> "no socket from the agent; it printed:\n" + output());
  }

  /// Returns once the agent serves, also where a dead one's socket file stands.
  public void awaitReady() {
    long _ =
        Polling.until(
            () -> requireAlive() && hasLogged(EventNames.AGENT_READY),
            Duration.ofMillis(1),
            SOCKET_PATIENCE,
            () -> "the agent is not ready; it printed:\n" + output());
  }

  private boolean requireAlive() {
    if (!process.isAlive()) {
      throw new IllegalStateException("the agent has ended; it printed:\n" + output());
    }
    return true;
  }

  /// kill -9, of the launcher that stays as parent and of the agent itself.
  public void kill() throws InterruptedException {
    Processes.kill(process);
    int _ = process.waitFor();
  }

  /// SIGTERM.
  public void terminate() {
    process.destroy();
  }

  /// The exit status.
  ///
  /// @throws TimeoutException when it has not ended by then
  public int awaitExit(Duration longest) throws InterruptedException, TimeoutException {
    if (!process.waitFor(longest.toNanos(), TimeUnit.NANOSECONDS)) {
      throw new TimeoutException("the agent has not ended; it printed:\n" + output());
    }
    return process.exitValue();
  }

  /// Whether it runs.
  public boolean isAlive() {
    return process.isAlive();
  }

  /// The process that was spawned.
  public ProcessHandle handle() {
    return process.toHandle();
  }

  /// The agent's own process: the launcher's child, where a launcher stays.
  public ProcessHandle agent() {
    return jvm().orElseGet(process::toHandle);
  }

  /// The agent's JVM; empty before the launcher has started it, and between two of them.
  public Optional<ProcessHandle> jvm() {
    return Stream.concat(Stream.of(process.toHandle()), process.children())
        .filter(Processes::isJvm)
        .findFirst();
  }

  /// What it printed so far, on both streams.
  public String output() {
    try {
      return Files.readString(output, StandardCharsets.UTF_8);
    } catch (IOException gone) {
      return "(unreadable: " + gone + ")";
    }
  }

  /// Whether an event of that name is in what it printed.
  public boolean hasLogged(String event) {
    return logged(event) > 0;
  }

  /// How often an event of that name is in what it printed.
  public int logged(String event) {
    return output().split("\"event\":\"" + event + "\"", -1).length - 1;
  }

  @Override
  public void close() throws IOException, InterruptedException {
    if (process.isAlive()) {
      kill();
    }
    Files.deleteIfExists(output);
  }
}
