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
      Path directory, StubServer main, StubServer fallback, boolean ownGroup, int... numbers)
      throws IOException {
    List<String> command = new ArrayList<>();
    if (ownGroup) {
      command.add("setsid");
    }
    command.addAll(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            "com.datanadhi.sdk.PatientApplication",
            directory.toString(),
            main.url(),
            fallback.url()));
    for (int number : numbers) {
      command.add(Integer.toString(number));
    }
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
