package com.datanadhi.testkit;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A process of the packaged hub, on ports that the system chose.
///
/// A hub that is killed comes back on other ports, unless it is spawned with `--listen`.
public final class HubProcess implements AutoCloseable {
  private static final Duration START_TIMEOUT = Duration.ofSeconds(30);
  private static final Pattern READY = Pattern.compile("\\{[^\n]*\"event\":\"hub_ready\"[^\n]*\n");

  private final Process process;
  private final Path output;

  private HubProcess(Process process, Path output) {
    this.process = process;
    this.output = output;
  }

  /// Spawns the packaged program as `serve` on the data directory, with more flags.
  public static HubProcess spawn(Path data, String... more) throws IOException {
    return spawn(List.of(PackagedProgram.hub().toString()), data, Map.of(), more);
  }

  /// As above, with `program` as the command that starts the hub, and additional environment
  /// variables.
  public static HubProcess spawn(
      List<String> program, Path data, Map<String, String> environment, String... more)
      throws IOException {
    List<String> flags = List.of(more);
    List<String> command = new ArrayList<>(program);
    command.addAll(List.of("serve", "--data", data.toString()));
    for (String door : List.of("--listen", "--grpc-listen")) {
      if (!flags.contains(door)) {
        command.addAll(List.of(door, "127.0.0.1:0"));
      }
    }
    command.addAll(flags);
    Path output = Files.createTempFile("echopost-hub", ".out");
    ProcessBuilder builder = builder(command);
    builder.environment().putAll(environment);
    return new HubProcess(
        builder.redirectErrorStream(true).redirectOutput(output.toFile()).start(), output);
  }

  /// Runs a command of the packaged program until it exits, and returns its standard output.
  ///
  /// @throws IllegalStateException with its standard error if the exit status is not 0
  public static String run(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(PackagedProgram.hub().toString()));
    command.addAll(List.of(arguments));
    return run(command);
  }

  private static String run(List<String> command) throws IOException, InterruptedException {
    Path errors = Files.createTempFile("echopost-hub", ".err");
    try {
      Process process = builder(command).redirectError(errors.toFile()).start();
      process.getOutputStream().close();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      int status = process.waitFor();
      if (status != 0) {
        throw new IllegalStateException(
            "exit status " + status + " of " + command + ":\n" + Files.readString(errors));
      }
      return output;
    } finally {
      Files.delete(errors);
    }
  }

  /// Creates an API key of `tenant`. A hub runs on the data directory, or has run there.
  public static String createKey(Path data, String tenant)
      throws IOException, InterruptedException {
    return createKey(List.of(PackagedProgram.hub().toString()), data, tenant);
  }

  /// As above, with `program` as the command that starts the hub.
  public static String createKey(List<String> program, Path data, String tenant)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(program);
    command.addAll(
        List.of("key", "create", "--tenant-id", tenant, "--data", data.toString(), "--json"));
    return text(run(command), "key");
  }

  private static ProcessBuilder builder(List<String> command) {
    ProcessBuilder builder = new ProcessBuilder(command);
    builder
        .environment()
        .putIfAbsent(PackagedProgram.RUNTIME_DIR, PackagedProgram.runtimeDirectory().toString());
    return builder;
  }

  /// Waits until the hub has logged that it is ready, which comes after its recovery.
  ///
  /// @return the time since the call, in nanoseconds
  public long awaitReady() {
    return Polling.until(
        () -> {
          if (!process.isAlive()) {
            throw new IllegalStateException("the hub has ended; it printed:\n" + output());
          }
          return READY.matcher(output()).find();
        },
        Duration.ofMillis(1),
        START_TIMEOUT,
        () -> "the hub is not ready; it printed:\n" + output());
  }

  /// The URL of its HTTP server. The hub must be ready.
  public String url() {
    return "http://" + text(ready(), "listen");
  }

  /// The port of its HTTP server. The hub must be ready.
  public int port() {
    return URI.create(url()).getPort();
  }

  /// The host and port of its gRPC server. The hub must be ready.
  public String grpcTarget() {
    return text(ready(), "grpc_listen");
  }

  private String ready() {
    Matcher found = READY.matcher(output());
    if (!found.find()) {
      throw new IllegalStateException("the hub is not ready; it printed:\n" + output());
    }
    return found.group();
  }

  /// The string `name` in a JSON object without escapes.
  private static String text(String json, String name) {
    Matcher found = Pattern.compile("\"" + name + "\" ?: ?\"([^\"]*)\"").matcher(json);
    if (!found.find()) {
      throw new IllegalStateException("no " + name + " in " + json);
    }
    return found.group(1);
  }

  /// Kills the hub with SIGKILL.
  public void kill() throws InterruptedException {
    Processes.kill(process);
    process.waitFor();
  }

  /// Sends SIGTERM.
  public void terminate() {
    process.destroy();
  }

  /// Waits for the exit status.
  ///
  /// @throws TimeoutException if the process still runs after `limit`
  public int awaitExit(Duration limit) throws InterruptedException, TimeoutException {
    if (!process.waitFor(limit.toNanos(), TimeUnit.NANOSECONDS)) {
      throw new TimeoutException("the hub has not ended; it printed:\n" + output());
    }
    return process.exitValue();
  }

  /// Whether the process runs.
  public boolean isAlive() {
    return process.isAlive();
  }

  /// The process: the launcher's at first, then the JVM's.
  public ProcessHandle handle() {
    return process.toHandle();
  }

  /// The standard output and standard error so far.
  public String output() {
    try {
      return Files.readString(output, StandardCharsets.UTF_8);
    } catch (IOException unreadable) {
      return "(unreadable: " + unreadable + ")";
    }
  }

  @Override
  public void close() throws IOException, InterruptedException {
    if (process.isAlive()) {
      kill();
    }
    Files.deleteIfExists(output);
  }
}
