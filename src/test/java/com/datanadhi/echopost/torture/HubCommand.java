package com.datanadhi.echopost.torture;

import com.datanadhi.testkit.PackagedProgram;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// Commands of the packaged hub, as processes.
final class HubCommand {
  private HubCommand() {}

  /// The result of a command.
  ///
  /// @param output standard output and standard error
  record Result(int status, String output) {}

  /// Runs a command until it exits.
  static Result run(Object... arguments) throws IOException, InterruptedException {
    return run(Map.of(), arguments);
  }

  /// As above, with additional environment variables.
  static Result run(Map<String, String> environment, Object... arguments)
      throws IOException, InterruptedException {
    ProcessBuilder builder = builder(environment, arguments);
    Process process = builder.start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Result(process.waitFor(), output);
  }

  /// Starts a command whose output goes to a file.
  static Process start(Path output, Object... arguments) throws IOException {
    return builder(Map.of(), arguments).redirectOutput(output.toFile()).start();
  }

  private static ProcessBuilder builder(Map<String, String> environment, Object... arguments) {
    List<String> command = new ArrayList<>(List.of(PackagedProgram.hub().toString()));
    Stream.of(arguments).map(Object::toString).forEach(command::add);
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder
        .environment()
        .put(PackagedProgram.RUNTIME_DIR, PackagedProgram.runtimeDirectory().toString());
    builder.environment().putAll(environment);
    return builder;
  }
}
