package com.datanadhi.sdk.testkit;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** An {@link Application} as a process. */
public final class ApplicationProcess implements AutoCloseable {
  private final Process process;
  private final BufferedReader output;

  private ApplicationProcess(Process process) {
    this.process = process;
    this.output = process.inputReader();
  }

  /** Starts it; with {@code ownGroup} it leads a process group, as a shell's job does. */
  public static ApplicationProcess start(
      Path directory, LogServer main, LogServer fallback, boolean ownGroup, int... numbers)
      throws IOException {
    List<String> arguments =
        new ArrayList<>(List.of(directory.toString(), main.url(), fallback.url()));
    for (int number : numbers) {
      arguments.add(Integer.toString(number));
    }
    return start(
        ownGroup ? List.of("setsid") : List.of(),
        List.of(),
        "com.datanadhi.sdk.LongTimeoutApplication",
        arguments);
  }

  /** Starts one that downloads EchoPost as {@code options} of the JVM have it; no records yet. */
  public static ApplicationProcess start(
      Path directory, LogServer main, LogServer fallback, String... options) throws IOException {
    return start(
        List.of(),
        List.of(options),
        "com.datanadhi.sdk.LongTimeoutApplication",
        List.of(directory.toString(), main.url(), fallback.url(), "1", "1", "0"));
  }

  /** Starts another program of that kind. */
  public static ApplicationProcess start(String program, Path directory) throws IOException {
    return start(List.of(), List.of(), program, List.of(directory.toString()));
  }

  private static ApplicationProcess start(
      List<String> before, List<String> options, String program, List<String> arguments)
      throws IOException {
    List<String> command = new ArrayList<>(before);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), program));
    command.addAll(arguments);
    return new ApplicationProcess(
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start());
  }

  /** Its process. */
  public ProcessHandle handle() {
    return process.toHandle();
  }

  /** The next line it prints. */
  public String line() throws IOException {
    return String.valueOf(output.readLine());
  }

  /** Lets it submit, flush and end, and returns what it did. */
  public String finish() throws IOException {
    goOn();
    String done = line();
    goOn();
    return done;
  }

  /** Lets it go on. */
  public void goOn() throws IOException {
    process.outputWriter().write("\n");
    process.outputWriter().flush();
  }

  /** Whether it ends by itself. */
  public boolean ends() throws InterruptedException {
    return process.waitFor(60, TimeUnit.SECONDS);
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
