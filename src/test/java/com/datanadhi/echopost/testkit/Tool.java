package com.datanadhi.echopost.testkit;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// Somebody else's program that the agent is tried with. Where `scripts/install-tools` could not
/// install it, the test is skipped, and says so; on a CI machine it fails.
///
/// @param path where it is
public record Tool(Path path) {
  private static final Path VENV = Path.of("target/venv/bin/python");

  /// What a run of it came to.
  ///
  /// @param out both streams
  public record Ran(int exit, String out) {}

  /// The one called `name`: as the scripts installed it, or from the PATH.
  public static Tool named(String name) {
    List<Path> places =
        Stream.concat(
                Stream.of("target/tools/bin"), Stream.of(System.getenv("PATH").split(":", -1)))
            .map(directory -> Path.of(directory, name).toAbsolutePath())
            .filter(Files::isExecutable)
            .toList();
    require(!places.isEmpty(), "no " + name + ": scripts/install-tools " + name);
    return new Tool(places.getFirst());
  }

  /// A Python that has `module`, as scripts/test installs it.
  public static Tool pythonWith(String module) throws IOException, InterruptedException {
    Tool python = new Tool(VENV.toAbsolutePath());
    require(
        Files.isExecutable(VENV) && python.run("", "-c", "import " + module).exit() == 0,
        "no Python with " + module + ": see target/venv.log");
    return python;
  }

  private static void require(boolean there, String otherwise) {
    if (!there && System.getenv("CI") != null) {
      throw new IllegalStateException(otherwise);
    }
    assumeTrue(there, "skipped: " + otherwise);
  }

  /// Runs it to its end.
  public Ran run(String in, String... arguments) throws IOException, InterruptedException {
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
      String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return new Ran(process.waitFor(), out);
    } finally {
      Files.delete(input);
    }
  }
}
