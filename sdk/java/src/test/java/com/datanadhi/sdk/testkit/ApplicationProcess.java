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

  /**
   * Starts an application.
   *
   * @param ownGroup whether the process leads its own process group, as a job of a shell does
   * @param numbers the numbers of workers and of records, and the first sequence number
   */
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

  /**
   * Starts an application that submits no records, with additional JVM options. They set, for
   * example, the URL from which it downloads EchoPost.
   */
  public static ApplicationProcess start(
      Path directory, LogServer main, LogServer fallback, String... options) throws IOException {
    return start(
        List.of(),
        List.of(options),
        "com.datanadhi.sdk.LongTimeoutApplication",
        List.of(directory.toString(), main.url(), fallback.url(), "1", "1", "0"));
  }

  /** Starts {@code program}, a class with a main method that takes the directory. */
  public static ApplicationProcess start(String program, Path directory) throws IOException {
    return start(List.of(), List.of(), program, List.of(directory.toString()));
  }

  /** Starts {@code program}, a class with a main method that takes the directory and a URL. */
  public static ApplicationProcess start(String program, Path directory, String url)
      throws IOException {
    return start(List.of(), List.of(), program, List.of(directory.toString(), url));
  }

  /**
   * Starts {@code program}, a class with a main method that takes the directory and the URL of the
   * main server, with a heap of {@code heap}, for example {@code 64m}.
   */
  public static ApplicationProcess startWithSmallHeap(
      String program, String heap, Path directory, LogServer main) throws IOException {
    return start(
        List.of(), List.of("-Xmx" + heap), program, List.of(directory.toString(), main.url()));
  }

  private static ApplicationProcess start(
      List<String> prefix, List<String> options, String program, List<String> arguments)
      throws IOException {
    List<String> command = new ArrayList<>(prefix);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), program));
    command.addAll(arguments);
    return new ApplicationProcess(
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start());
  }

  /** The process of the application. */
  public ProcessHandle handle() {
    return process.toHandle();
  }

  /** The next line of its standard output; {@code null} as text after the last one. */
  public String line() throws IOException {
    return String.valueOf(output.readLine());
  }

  /**
   * Lets the application submit its records and exit.
   *
   * @return the line with its counters
   */
  public String finish() throws IOException {
    resume();
    String done = line();
    resume();
    return done;
  }

  /** Sends the line that the application waits for. */
  public void resume() throws IOException {
    process.outputWriter().write("\n");
    process.outputWriter().flush();
  }

  /** Whether the application exits within 60 s. */
  public boolean exits() throws InterruptedException {
    return process.waitFor(60, TimeUnit.SECONDS);
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
