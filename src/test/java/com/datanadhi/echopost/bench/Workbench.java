package com.datanadhi.echopost.bench;

import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.Directories;
import com.datanadhi.echopost.testkit.StubServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Every process and directory of a run. Closing it, from any thread, ends and deletes all of them,
/// and nothing can be started afterwards: so a run that is interrupted leaves nothing behind.
final class Workbench implements AutoCloseable {
  private static final Duration EXIT_PATIENCE = Duration.ofSeconds(5);
  private static final int EXIT_DRAINED = 0;
  private static final int EXIT_PENDING = 4;

  private static final String JVM_OPTIONS = "JDK_JAVA_OPTIONS";

  private final Path root;
  private final List<String> jvmFlags;
  private final List<Program> programs;
  private final Map<AgentProcess, Program> agents = new HashMap<>();
  private final List<Process> floors = new ArrayList<>();
  private final List<String> complaints = new ArrayList<>();
  private int directories;
  private boolean noOpIsFirst;
  private boolean closed;

  /// What is measured of a service.
  interface Work {
    /// Measures a service that was just started.
    ///
    /// @throws Exception when the service did not do its part
    void on(Service service) throws Exception;
  }

  /// @param jvmFlags that the floors' processes are started with
  /// @param programs to measure
  Workbench(List<String> jvmFlags, List<Program> programs) throws IOException {
    this.jvmFlags = jvmFlags;
    this.programs = programs;
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

  /// The programs to measure, EchoPost first.
  List<Program> programs() {
    return programs;
  }

  /// Does each of `works` on each program in turn, and on the no-op service: each just started,
  /// alone, and ended afterwards. Every other time the no-op service comes first: whoever does
  /// finds the disk and the clients as other work has left them.
  void onEach(Work... works) throws Exception {
    for (Work work : works) {
      if (noOpIsFirst) {
        onNoOp(NoOpService.Stack.OURS, work);
        onPrograms(work);
      } else {
        onPrograms(work);
        onNoOp(NoOpService.Stack.OURS, work);
      }
    }
    noOpIsFirst = !noOpIsFirst;
  }

  /// Does `work` on the no-op service: just started, alone, and ended afterwards.
  void onNoOp(NoOpService.Stack stack, Work work) throws Exception {
    long spawned = System.nanoTime();
    NoOpService.Running noOp = NoOpService.start(this, stack);
    long ready = System.nanoTime();
    work.on(new Service(stack.floor(), noOp.socket(), noOp.process()::toHandle, spawned, ready));
    stop(noOp.process());
  }

  /// Does `work` on each program in turn: just started, with nothing stored and no main server.
  void onPrograms(Work work) throws Exception {
    for (Program program : programs) {
      try (StubServer server = StubServer.down()) {
        long spawned = System.nanoTime();
        AgentProcess agent = spawn(program, server.url(), Map.of());
        agent.awaitSocket();
        long ready = System.nanoTime();
        work.on(new Service(program.name(), agent.socket(), agent::agent, spawned, ready));
        stop(agent);
      }
    }
  }

  /// Spawns a program in a new directory, with more in its environment.
  AgentProcess spawn(Program program, String url, Map<String, String> environment)
      throws IOException {
    return spawn(program, newDirectory(), url, environment);
  }

  /// Spawns a program in `directory`, with more in its environment.
  synchronized AgentProcess spawn(
      Program program, Path directory, String url, Map<String, String> environment)
      throws IOException {
    checkOpen();
    Map<String, String> whole = new HashMap<>(environment);
    // Its JVM says on standard error that it has picked this up.
    whole.put(JVM_OPTIONS, temporaryDirectory());
    AgentProcess agent =
        AgentProcess.spawn(List.of(program.path().toString()), directory, url, whole);
    agents.put(agent, program);
    return agent;
  }

  /// Ends an agent as an operator would, and deletes its directory.
  void stop(AgentProcess agent) throws IOException, InterruptedException, TimeoutException {
    end(agent);
    Directories.delete(agent.directory());
  }

  /// Ends an agent as an operator would. How a peer ends is not asked.
  void end(AgentProcess agent) throws IOException, InterruptedException, TimeoutException {
    if (isOurs(agent)) {
      agent.terminate();
      int exit = agent.awaitExit(EXIT_PATIENCE);
      if (exit != EXIT_DRAINED && exit != EXIT_PENDING) {
        throw new IllegalStateException("the agent ended with " + exit + ":\n" + agent.output());
      }
    }
    release(agent);
  }

  private synchronized boolean isOurs(AgentProcess agent) {
    Program program = agents.get(agent);
    return program != null && program.isOurs();
  }

  /// Cleans up after an agent that has ended, or is to be killed.
  void forget(AgentProcess agent) throws IOException, InterruptedException {
    release(agent);
    Directories.delete(agent.directory());
  }

  private synchronized void release(AgentProcess agent) throws IOException, InterruptedException {
    if (isOurs(agent)) {
      agent
          .output()
          .lines()
          // That the server is down is no news: most measurements want it so.
          .filter(line ->
              !line.contains("\"level\":\"INFO\"")
                  && !line.contains("\"event\":\"" + EventNames.SERVER_DOWN + "\"")
                  && !line.contains(JVM_OPTIONS))
          .forEach(complaints::add);
    }
    if (agents.remove(agent) != null) {
      agent.close();
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
    command.add("--enable-native-access=ALL-UNNAMED");
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

  @Override
  public synchronized void close() throws IOException, InterruptedException {
    closed = true;
    for (Process floor : floors) {
      stop(floor);
    }
    for (AgentProcess agent : agents.keySet()) {
      agent.close();
    }
    agents.clear();
    Directories.delete(root);
  }
}
