package com.datanadhi.sdk.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Runs a class with a main method as a process of its own. */
public final class JavaProgram {
  private JavaProgram() {}

  /** The exit status, and what the process printed on its standard error stream. */
  public record Result(int status, String errors) {}

  /** Runs {@code program} until it exits, for at most 60 s. */
  public static Result run(Class<?> program, String... arguments)
      throws IOException, InterruptedException {
    return run(program, Map.of(), arguments);
  }

  /**
   * As {@link #run(Class, String...)}; an empty value in {@code environment} removes a variable.
   */
  public static Result run(Class<?> program, Map<String, String> environment, String... arguments)
      throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                program.getName()));
    command.addAll(List.of(arguments));
    Path errors = Files.createTempFile("program", ".err");
    try {
      ProcessBuilder builder = new ProcessBuilder(command).redirectError(errors.toFile());
      builder.redirectOutput(ProcessBuilder.Redirect.DISCARD);
      builder.environment().putAll(environment);
      builder.environment().values().removeIf(String::isEmpty);
      Process process = builder.start();
      boolean exited = process.waitFor(60, TimeUnit.SECONDS);
      process.destroyForcibly();
      String text = Files.readString(errors);
      if (!exited) {
        throw new AssertionError(program + " does not exit: " + text);
      }
      return new Result(process.exitValue(), text);
    } finally {
      Files.delete(errors);
    }
  }
}
