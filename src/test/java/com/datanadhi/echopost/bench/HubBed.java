package com.datanadhi.echopost.bench;

import com.datanadhi.testkit.Directories;
import com.datanadhi.testkit.HubProcess;
import com.datanadhi.testkit.S3Server;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Owns all processes and directories of a run that measures the hub. [#close], which any thread
/// may call, kills and deletes them; afterwards nothing can be started.
final class HubBed implements AutoCloseable {
  private final Path root;
  private final List<String> program;
  private final List<String> jvmFlags;
  private final String classPath;
  private final HttpClient client = HttpClient.newHttpClient();
  private final List<AutoCloseable> running = new ArrayList<>();
  private int directories;
  private boolean closed;

  /// @param program the packaged hub
  /// @param jvmFlags the flags of its JVM, which the floors have too
  /// @param classPath of the hub's classes and tests
  HubBed(Path program, List<String> jvmFlags, String classPath) throws IOException {
    this.program = List.of(program.toString());
    this.jvmFlags = jvmFlags;
    this.classPath = classPath;
    this.root = Files.createTempDirectory("echopost-hub-bench");
  }

  Path root() {
    return root;
  }

  synchronized Path newDirectory() throws IOException {
    checkOpen();
    return Files.createDirectory(root.resolve(Integer.toString(directories++)));
  }

  /// Starts the packaged hub on an empty directory.
  RunningHub startHub(String... flags) throws IOException, InterruptedException {
    Path data = newDirectory();
    HubProcess process = spawn(data, Map.of(), flags);
    long _ = process.awaitReady();
    String apiKey = HubProcess.createKey(program, data, RunningHub.TENANT);
    return new RunningHub(process, data, apiKey, client);
  }

  /// Spawns the packaged hub on a directory.
  HubProcess spawn(Path data, Map<String, String> environment, String... flags) throws IOException {
    checkOpen();
    List<String> all = new ArrayList<>(List.of("--grpc-listen", "off"));
    all.addAll(List.of(flags));
    return closing(HubProcess.spawn(program, data, environment, all.toArray(String[]::new)));
  }

  /// The packaged hub of `hub`, started again with an object store.
  RunningHub startAgain(RunningHub hub, ObjectPlace objects, String... flags) throws IOException {
    List<String> all = new ArrayList<>(List.of("--objects", objects.url()));
    all.addAll(List.of(flags));
    HubProcess process = spawn(hub.data(), objects.environment(), all.toArray(String[]::new));
    long _ = process.awaitReady();
    return new RunningHub(process, hub.data(), hub.apiKey(), client);
  }

  /// Stops the hub in order, and deletes its directory.
  void stop(RunningHub hub) throws Exception {
    end(hub);
    Directories.delete(hub.data());
  }

  /// Stops the hub in order.
  void end(RunningHub hub) throws Exception {
    hub.process().terminate();
    int exit = hub.process().awaitExit(Duration.ofSeconds(60));
    if (exit != 0) {
      throw new IllegalStateException(
          "the hub ended with " + exit + ":\n" + hub.process().output());
    }
    release(hub.process());
  }

  /// Starts a command of the packaged hub.
  Process startCommand(ObjectPlace objects, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(program);
    command.addAll(List.of(arguments));
    return start(command, objects.environment());
  }

  /// Runs a command of the packaged hub to its end.
  ///
  /// @return what it prints
  String runCommand(ObjectPlace objects, String... arguments)
      throws IOException, InterruptedException {
    return output(startCommand(objects, arguments));
  }

  /// A folder that is empty and, if versitygw is installed, an S3 server with an empty bucket.
  List<ObjectPlace> newPlaces() throws IOException {
    ObjectPlace folder = ObjectPlace.folder(newDirectory());
    if (!Files.isExecutable(ObjectPlace.S3_PROGRAM)) {
      return List.of(folder);
    }
    return List.of(folder, ObjectPlace.s3(closing(S3Server.start(newDirectory()))));
  }

  /// A hub without some of its parts.
  record Part(Process process, Path directory, int port) {
    LoadLoop load(List<HubRequests> requests) throws IOException {
      return new LoadLoop(port, requests);
    }
  }

  /// Starts a hub without some of its parts; see `PartialHub`.
  Part startPart(String part) throws IOException {
    Path directory = newDirectory();
    Process process = start(hubProgram("PartialHub", part, directory.toString()));
    String port =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))
            .readLine();
    if (port == null) {
      throw new IOException("a part of the hub has not started");
    }
    return new Part(process, directory, Integer.parseInt(port));
  }

  void stop(Part part) throws IOException, InterruptedException {
    part.process().destroyForcibly();
    int _ = part.process().waitFor();
    Directories.delete(part.directory());
  }

  NatsServer startNats() throws IOException {
    return closing(NatsServer.start(newDirectory()));
  }

  /// API keys of many tenants of a running hub.
  List<String> createKeys(RunningHub hub, int tenants) throws IOException, InterruptedException {
    return output(start(hubProgram("CreateKeys", hub.data().toString(), "" + tenants)))
        .lines()
        .toList();
  }

  /// Runs the main method of a class of these tests in a JVM with the hub's flags to its end.
  ///
  /// @return the numbers that it prints
  double[] runFloor(Class<?> floor, String... arguments) throws IOException, InterruptedException {
    List<String> command = java(System.getProperty("java.class.path"), floor.getName(), arguments);
    return output(start(command)).lines().mapToDouble(Double::parseDouble).toArray();
  }

  private List<String> hubProgram(String name, String... arguments) {
    return java(classPath, "com.datanadhi.hub.bench." + name, arguments);
  }

  private List<String> java(String path, String main, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(TestBed.javaCommand());
    command.addAll(jvmFlags);
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add("-Djava.io.tmpdir=" + root);
    command.addAll(List.of("-cp", path, main));
    command.addAll(List.of(arguments));
    return command;
  }

  private Process start(List<String> command) throws IOException {
    return start(command, Map.of());
  }

  private synchronized Process start(List<String> command, Map<String, String> environment)
      throws IOException {
    checkOpen();
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.environment().putAll(environment);
    Process process = builder.start();
    running.add(() -> process.destroyForcibly());
    return process;
  }

  /// Waits for the end of a program, and returns what it has printed.
  static String output(Process process) throws IOException, InterruptedException {
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IllegalStateException("a program has failed:\n" + output);
    }
    return output;
  }

  private synchronized <T extends AutoCloseable> T closing(T started) {
    running.add(started);
    return started;
  }

  /// Kills what [#startHub], [#spawn] or [#startNats] has started.
  synchronized void release(AutoCloseable started) throws Exception {
    running.remove(started);
    started.close();
  }

  synchronized boolean isClosed() {
    return closed;
  }

  private synchronized void checkOpen() {
    if (closed) {
      throw new IllegalStateException("the run was interrupted");
    }
  }

  @Override
  public synchronized void close() throws Exception {
    closed = true;
    for (AutoCloseable started : running) {
      started.close();
    }
    running.clear();
    client.close();
    Directories.delete(root);
  }
}
