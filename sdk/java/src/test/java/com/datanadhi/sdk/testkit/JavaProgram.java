package com.datanadhi.sdk.testkit;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.tools.ToolProvider;

/** Runs a class with a main method as a process of its own. */
public final class JavaProgram {
  private JavaProgram() {}

  /**
   * Compiles source files of an example or a document with the class path of the tests.
   *
   * @param classes the directory of the classes, which is created
   * @return the same
   */
  public static Path compile(Path classes, List<Path> sources) throws IOException {
    Files.createDirectories(classes);
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "--release",
                "17",
                "-parameters",
                "-proc:none",
                "-Xlint:all,-processing,-classfile",
                "-Werror",
                "-cp",
                System.getProperty("java.class.path"),
                "-d",
                classes.toString()));
    sources.forEach(source -> arguments.add(source.toString()));
    ByteArrayOutputStream messages = new ByteArrayOutputStream();
    int status =
        ToolProvider.getSystemJavaCompiler()
            .run(null, messages, messages, arguments.toArray(String[]::new));
    if (status != 0) {
      throw new AssertionError(messages.toString(StandardCharsets.UTF_8));
    }
    return classes;
  }

  /**
   * Starts {@code java} in {@code directory}.
   *
   * @param environment additional variables; an empty value removes one
   * @param arguments options, the class and its arguments
   */
  public static Process start(
      Path directory, Map<String, String> environment, List<String> arguments) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(arguments);
    ProcessBuilder builder = new ProcessBuilder(command).directory(directory.toFile());
    builder.redirectOutput(ProcessBuilder.Redirect.DISCARD);
    builder.redirectError(directory.resolve("errors").toFile());
    builder.environment().putAll(environment);
    builder.environment().values().removeIf(String::isEmpty);
    return builder.start();
  }

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
