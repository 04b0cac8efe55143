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

/// A process of the packaged program, which starts as an SDK starts it.
public final class AgentProcess implements AutoCloseable {
  private static final Duration SOCKET_TIMEOUT = Duration.ofSeconds(10);

  private final Process process;
  private final Path directory;
  private final Path output;

  private AgentProcess(Process process, Path directory, Path output) {
    this.process = process;
    this.directory = directory;
    this.output = output;
  }

  /// Spawns the packaged program on `directory` for the main server at `url`.
  public static AgentProcess spawn(Path directory, String url, String... more) throws IOException {
    return spawn(directory, url, Map.of(), more);
  }

  /// As above, with additional environment variables.
  public static AgentProcess spawn(
      Path directory, String url, Map<String, String> environment, String... more)
      throws IOException {
    return spawn(List.of(PackagedProgram.path().toString()), directory, url, environment, more);
  }

  /// Spawns `command` with an agent's flags.
  public static AgentProcess spawn(List<String> command, Path directory, String url)
      throws IOException {
    return spawn(command, directory, url, Map.of());
  }

  /// As above, with additional environment variables and flags.
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

  /// The agent's directory.
  public Path directory() {
    return directory;
  }

  /// The `metrics.prom` of the newest session on the directory.
  public Path lastMetrics() throws IOException {
    return lastMetrics(directory);
  }

  /// The `metrics.prom` of the newest session on `directory`.
  public static Path lastMetrics(Path directory) throws IOException {
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

  /// Waits until the socket file exists.
  ///
  /// @return the time since the call, in nanoseconds
  public long awaitSocket() {
    return Polling.until(
        () -> requireAlive() && Files.exists(socket()),
        Duration.ofNanos(200_000),
        SOCKET_TIMEOUT,
        () -> "no socket from the agent; it printed:\n" + output());
  }

  /// Waits until the agent has logged that it is ready. Unlike [#awaitSocket], it ignores a socket
  /// file that a killed agent left behind.
  public void awaitReady() {
    long _ =
        Polling.until(
            () -> requireAlive() && hasLogged(EventNames.AGENT_READY),
            Duration.ofMillis(1),
            SOCKET_TIMEOUT,
            () -> "the agent is not ready; it printed:\n" + output());
  }

  private boolean requireAlive() {
    if (!process.isAlive()) {
      throw new IllegalStateException("the agent has ended; it printed:\n" + output());
    }
    return true;
  }

  /// Kills the launcher, which stays as the parent process, and the agent with SIGKILL.
  public void kill() throws InterruptedException {
    Processes.kill(process);
    int _ = process.waitFor();
  }

  /// Sends SIGTERM to the process that was spawned.
  public void terminate() {
    process.destroy();
  }

  /// Waits for the exit status.
  ///
  /// @throws TimeoutException if the process still runs after `limit`
  public int awaitExit(Duration limit) throws InterruptedException, TimeoutException {
    if (!process.waitFor(limit.toNanos(), TimeUnit.NANOSECONDS)) {
      throw new TimeoutException("the agent has not ended; it printed:\n" + output());
    }
    return process.exitValue();
  }

  /// Whether the spawned process runs.
  public boolean isAlive() {
    return process.isAlive();
  }

  /// The process that was spawned.
  public ProcessHandle handle() {
    return process.toHandle();
  }

  /// The agent's JVM, or the spawned process while there is no JVM.
  public ProcessHandle agent() {
    return jvm().orElseGet(process::toHandle);
  }

  /// The agent's JVM; empty before the launcher has started one, and during a restart.
  public Optional<ProcessHandle> jvm() {
    return Stream.concat(Stream.of(process.toHandle()), process.children())
        .filter(Processes::isJvm)
        .findFirst();
  }

  /// The standard output and standard error so far.
  public String output() {
    try {
      return Files.readString(output, StandardCharsets.UTF_8);
    } catch (IOException unreadable) {
      return "(unreadable: " + unreadable + ")";
    }
  }

  /// Whether the output contains an event of that name.
  public boolean hasLogged(String event) {
    return logged(event) > 0;
  }

  /// The number of events of that name in the output.
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
