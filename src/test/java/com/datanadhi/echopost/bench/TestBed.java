package com.datanadhi.echopost.bench;

import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.testkit.Directories;
import com.datanadhi.testkit.StubServer;
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

/// Owns all processes and directories of a run. [#close], which any thread may call, kills and
/// deletes them; afterwards nothing can be started. So an interrupted run leaves nothing behind.
final class TestBed implements AutoCloseable {
  private static final Duration EXIT_TIMEOUT = Duration.ofSeconds(5);
  private static final int EXIT_DRAINED = 0;
  private static final int EXIT_PENDING = 4;

  private static final String JVM_OPTIONS = "JDK_JAVA_OPTIONS";

  private final Path root;
  private final List<String> jvmFlags;
  private final List<MeasuredProgram> programs;
  private final Map<AgentProcess, MeasuredProgram> agents = new HashMap<>();
  private final List<Process> floors = new ArrayList<>();
  private final List<String> warnings = new ArrayList<>();
  private int directories;
  private boolean noOpFirst;
  private boolean closed;

  /// A measurement of a running service.
  interface ServiceTask {
    /// Measures a service that has just started.
    ///
    /// @throws Exception if the service fails
    void run(RunningService service) throws Exception;
  }

  /// @param jvmFlags the JVM flags of the floors' processes
  /// @param programs the programs to measure, EchoPost first
  TestBed(List<String> jvmFlags, List<MeasuredProgram> programs) throws IOException {
    this.jvmFlags = jvmFlags;
    this.programs = programs;
    this.root = Files.createTempDirectory("echopost-bench");
    Path _ = Files.createDirectory(root.resolve("tmp"));
  }

  /// The parent of all directories.
  Path root() {
    return root;
  }

  /// Creates an empty directory.
  synchronized Path newDirectory() throws IOException {
    checkOpen();
    return Files.createDirectory(root.resolve(Integer.toString(directories++)));
  }

  /// The programs to measure, EchoPost first.
  List<MeasuredProgram> programs() {
    return programs;
  }

  /// Runs each task on each program and on the no-op service. Each service is started for the task,
  /// runs alone, and is stopped afterwards. The no-op service is first in every second call,
  /// because the first service finds the disk and the clients in the state that other work has
  /// left.
  void onEach(ServiceTask... tasks) throws Exception {
    for (ServiceTask task : tasks) {
      if (noOpFirst) {
        onNoOp(NoOpService.ServerStack.ECHOPOST, task);
        onPrograms(task);
      } else {
        onPrograms(task);
        onNoOp(NoOpService.ServerStack.ECHOPOST, task);
      }
    }
    noOpFirst = !noOpFirst;
  }

  /// Runs a task on the no-op service, which is started for it and stopped afterwards.
  void onNoOp(NoOpService.ServerStack stack, ServiceTask task) throws Exception {
    long spawned = System.nanoTime();
    NoOpService.Running noOp = NoOpService.start(this, stack);
    long ready = System.nanoTime();
    task.run(
        new RunningService(
            stack.floorName(), noOp.socket(), noOp.process()::toHandle, spawned, ready));
    stop(noOp.process());
  }

  /// Runs a task on each program, which is started for it with an empty directory and without a
  /// main server, and stopped afterwards.
  void onPrograms(ServiceTask task) throws Exception {
    for (MeasuredProgram program : programs) {
      try (StubServer server = StubServer.down()) {
        long spawned = System.nanoTime();
        AgentProcess agent = spawn(program, server.url(), Map.of());
        agent.awaitSocket();
        long ready = System.nanoTime();
        task.run(new RunningService(program.name(), agent.socket(), agent::agent, spawned, ready));
        stop(agent);
      }
    }
  }

  /// Spawns a program on a new directory, with additional environment variables.
  AgentProcess spawn(MeasuredProgram program, String url, Map<String, String> environment)
      throws IOException {
    return spawn(program, newDirectory(), url, environment);
  }

  /// Spawns a program on `directory`, with additional environment variables.
  synchronized AgentProcess spawn(
      MeasuredProgram program, Path directory, String url, Map<String, String> environment)
      throws IOException {
    checkOpen();
    Map<String, String> all = new HashMap<>(environment);
    all.put(JVM_OPTIONS, temporaryDirectory());
    AgentProcess agent =
        AgentProcess.spawn(List.of(program.path().toString()), directory, url, all);
    agents.put(agent, program);
    return agent;
  }

  /// Stops a program as [#end] does, and deletes its directory.
  void stop(AgentProcess agent) throws IOException, InterruptedException, TimeoutException {
    end(agent);
    Directories.delete(agent.directory());
  }

  /// Stops EchoPost with SIGTERM, and checks its exit status. Kills a peer.
  void end(AgentProcess agent) throws IOException, InterruptedException, TimeoutException {
    if (isEchoPost(agent)) {
      agent.terminate();
      int exit = agent.awaitExit(EXIT_TIMEOUT);
      if (exit != EXIT_DRAINED && exit != EXIT_PENDING) {
        throw new IllegalStateException("the agent ended with " + exit + ":\n" + agent.output());
      }
    }
    release(agent);
  }

  private synchronized boolean isEchoPost(AgentProcess agent) {
    MeasuredProgram program = agents.get(agent);
    return program != null && program.isEchoPost();
  }

  /// Kills a program if it still runs, and deletes its directory.
  void discard(AgentProcess agent) throws IOException, InterruptedException {
    release(agent);
    Directories.delete(agent.directory());
  }

  private synchronized void release(AgentProcess agent) throws IOException, InterruptedException {
    if (isEchoPost(agent)) {
      agent
          .output()
          .lines()
          // Most benchmarks keep the server down on purpose. The JVM reports the options on stderr.
          .filter(line ->
              !line.contains("\"level\":\"INFO\"")
                  && !line.contains("\"event\":\"" + EventNames.SERVER_DOWN + "\"")
                  && !line.contains(JVM_OPTIONS))
          .forEach(warnings::add);
    }
    if (agents.remove(agent) != null) {
      agent.close();
    }
  }

  /// The lines of EchoPost agents that are not at level INFO.
  synchronized List<String> warnings() {
    return List.copyOf(warnings);
  }

  /// Starts the main method of `program` in a new JVM with the launcher's flags. The caller reads
  /// its standard output; its standard error is inherited.
  synchronized Process startFloor(Class<?> program, String... arguments) throws IOException {
    checkOpen();
    List<String> command = new ArrayList<>();
    command.add(javaCommand());
    command.addAll(jvmFlags);
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add(temporaryDirectory());
    // SLF4J, which test libraries bring, would warn that it has no provider.
    command.add("-Dslf4j.internal.verbosity=ERROR");
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), program.getName()));
    command.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    floors.add(process);
    return process;
  }

  /// Runs the main method of `program` in a new JVM to its end, and returns its standard output.
  String runFloor(Class<?> program, String... arguments) throws IOException, InterruptedException {
    Process process = startFloor(program, arguments);
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    if (process.waitFor() != 0) {
      throw new IllegalStateException(program.getSimpleName() + " failed: " + output);
    }
    return output;
  }

  /// Stops the process of a floor.
  void stop(Process floor) throws InterruptedException {
    floor.destroy();
    if (!floor.waitFor(EXIT_TIMEOUT.toNanos(), TimeUnit.NANOSECONDS)) {
      floor.destroyForcibly();
    }
  }

  /// A stopped JVM leaves its unpacked native libraries behind: this directory is deleted with the
  /// run.
  private String temporaryDirectory() {
    return "-Djava.io.tmpdir=" + root.resolve("tmp");
  }

  /// The `java` command of this JVM.
  static String javaCommand() {
    return Path.of(System.getProperty("java.home"), "bin", "java").toString();
  }

  /// Whether it is closed, which makes running benchmarks fail.
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
