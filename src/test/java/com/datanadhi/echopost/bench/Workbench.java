package com.datanadhi.echopost.bench;

import com.datanadhi.echopost.testkit.AgentProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/// Every process and directory of a run. Closing it, from any thread, ends and deletes all of them,
/// and nothing can be started afterwards: so a run that is interrupted leaves nothing behind.
final class Workbench implements AutoCloseable {
  private static final Duration EXIT_PATIENCE = Duration.ofSeconds(5);
  private static final int EXIT_DRAINED = 0;
  private static final int EXIT_PENDING = 4;

  private static final String JVM_OPTIONS = "JDK_JAVA_OPTIONS";

  private final Path root;
  private final List<String> jvmFlags;
  private final List<AgentProcess> agents = new ArrayList<>();
  private final List<Process> floors = new ArrayList<>();
  private final List<String> complaints = new ArrayList<>();
  private int directories;
  private boolean closed;

  /// @param jvmFlags that the floors' processes are started with
  Workbench(List<String> jvmFlags) throws IOException {
    this.jvmFlags = jvmFlags;
    this.root = Files.createTempDirectory("echopost-bench");
    Path _ = Files.createDirectory(root.resolve("tmp"));
  }

  /// Where its directories are.
  Path root() {
    return root;
  }

  /// A new empty directory.
  synchronized Path newDirectory() throws IOException {
    checkOpen();
    return Files.createDirectory(root.resolve(Integer.toString(directories++)));
  }

  /// Spawns the agent.
  synchronized AgentProcess spawnAgent(Path directory, String url) throws IOException {
    checkOpen();
    // Its JVM says on standard error that it has picked this up.
    AgentProcess agent =
        AgentProcess.spawn(directory, url, Map.of(JVM_OPTIONS, temporaryDirectory()));
    agents.add(agent);
    return agent;
  }

  /// Ends an agent as an operator would, and deletes its directory.
  void stop(AgentProcess agent) throws IOException, InterruptedException, TimeoutException {
    agent.terminate();
    int exit = agent.awaitExit(EXIT_PATIENCE);
    if (exit != EXIT_DRAINED && exit != EXIT_PENDING) {
      throw new IllegalStateException("the agent ended with " + exit + ":\n" + agent.output());
    }
    forget(agent);
  }

  /// Cleans up after an agent that has ended.
  synchronized void forget(AgentProcess agent) throws IOException, InterruptedException {
    agent
        .output()
        .lines()
        // That the server is down is no news: most measurements want it so.
        .filter(line ->
            !line.contains("\"level\":\"INFO\"")
                && !line.contains("\"event\":\"server_down\"")
                && !line.contains(JVM_OPTIONS))
        .forEach(complaints::add);
    if (agents.remove(agent)) {
      agent.close();
      delete(agent.directory());
    }
  }

  /// What agents have said that was not information.
  synchronized List<String> complaints() {
    return List.copyOf(complaints);
  }

  /// Starts the main method of `program` in a JVM of its own, with the flags that the launcher
  /// gives the agent. Its standard output is for the caller to read, its standard error is ours.
  synchronized Process startFloor(Class<?> program, String... arguments) throws IOException {
    checkOpen();
    List<String> command = new ArrayList<>();
    command.add(javaCommand());
    command.addAll(jvmFlags);
    command.add(temporaryDirectory());
    // Test libraries bring SLF4J without a back end, which it would say.
    command.add("-Dslf4j.internal.verbosity=ERROR");
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), program.getName()));
    command.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    floors.add(process);
    return process;
  }

  /// Runs the main method of `program` to its end, and returns what it printed.
  String runFloor(Class<?> program, String... arguments) throws IOException, InterruptedException {
    Process process = startFloor(program, arguments);
    String printed =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    if (process.waitFor() != 0) {
      throw new IllegalStateException(program.getSimpleName() + " failed: " + printed);
    }
    return printed;
  }

  /// Ends a floor's process.
  void stop(Process floor) throws InterruptedException {
    floor.destroy();
    if (!floor.waitFor(EXIT_PATIENCE.toNanos(), TimeUnit.NANOSECONDS)) {
      floor.destroyForcibly();
    }
  }

  /// A JVM that is stopped leaves the native libraries that it has unpacked: all of them share a
  /// place that goes with the run.
  private String temporaryDirectory() {
    return "-Djava.io.tmpdir=" + root.resolve("tmp");
  }

  /// The `java` of the JDK that this runs on.
  static String javaCommand() {
    return Path.of(System.getProperty("java.home"), "bin", "java").toString();
  }

  /// Whether it was closed: then whatever fails, fails for that.
  synchronized boolean isClosed() {
    return closed;
  }

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("the run was interrupted");
    }
  }

  /// Deletes a directory and all that is in it.
  void delete(Path directory) throws IOException {
    if (Files.exists(directory)) {
      try (Stream<Path> all = Files.walk(directory)) {
        for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
          Files.deleteIfExists(path);
        }
      } catch (UncheckedIOException failed) {
        throw failed.getCause();
      }
    }
  }

  @Override
  public synchronized void close() throws IOException, InterruptedException {
    closed = true;
    for (Process floor : floors) {
      stop(floor);
    }
    for (AgentProcess agent : agents) {
      agent.close();
    }
    agents.clear();
    delete(root);
  }
}
