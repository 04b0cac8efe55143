package com.datanadhi.echopost.testkit;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// A third-party program that checks the agent or its output. Without the program, the test is
/// skipped with a message; on a CI machine it fails.
///
/// @param path the executable file
public record Tool(Path path) {
  private static final Path VENV = Path.of("target/venv/bin/python");

  /// The result of a run.
  ///
  /// @param output standard output and standard error
  public record Result(int exitStatus, String output) {}

  /// Finds a program by its name, first where `scripts/install-tools` installs it, then on the
  /// PATH.
  public static Tool named(String name) {
    List<Path> candidates =
        Stream.concat(
                Stream.of("target/tools/bin"), Stream.of(System.getenv("PATH").split(":", -1)))
            .map(directory -> Path.of(directory, name).toAbsolutePath())
            .filter(Files::isExecutable)
            .toList();
    require(!candidates.isEmpty(), "no " + name + ": scripts/install-tools " + name);
    return new Tool(candidates.getFirst());
  }

  /// The Python of the virtual environment that `scripts/test` sets up; requires `module` in it.
  public static Tool pythonWith(String module) throws IOException, InterruptedException {
    Tool python = new Tool(VENV.toAbsolutePath());
    require(
        Files.isExecutable(VENV) && python.run("", "-c", "import " + module).exitStatus() == 0,
        "no Python with " + module + ": see target/venv.log");
    return python;
  }

  private static void require(boolean available, String message) {
    if (!available && System.getenv("CI") != null) {
      throw new IllegalStateException(message);
    }
    assumeTrue(available, "skipped: " + message);
  }

  /// Runs the program with `in` as its standard input, and waits for its exit.
  public Result run(String in, String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(path.toString()));
    command.addAll(List.of(arguments));
    Path input = Files.createTempFile("echopost-tool", ".in");
    try {
      Files.writeString(input, in);
      Process process =
          new ProcessBuilder(command)
              .redirectInput(input.toFile())
              .redirectErrorStream(true)
              .start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return new Result(process.waitFor(), output);
    } finally {
      Files.delete(input);
    }
  }
}
