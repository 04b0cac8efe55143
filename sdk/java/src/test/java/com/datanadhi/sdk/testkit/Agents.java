package com.datanadhi.sdk.testkit;

import com.datanadhi.testkit.PackagedProgram;
import com.datanadhi.testkit.Polling;
import com.datanadhi.testkit.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Installs, starts, finds and kills the agent's processes. */
public final class Agents {
  private static final Duration POLL_INTERVAL = Duration.ofMillis(50);
  private static final Duration DRAIN_TIME_LIMIT = Duration.ofMinutes(5);
  private static final Duration KILL_TIME_LIMIT = Duration.ofSeconds(30);

  private Agents() {}

  /** Unpacks the program's runtime, so that later starts are fast. */
  private static synchronized void unpack() throws IOException {
    Path program = PackagedProgram.path();
    if (!Files.isExecutable(program)) {
      throw new IllegalStateException(program + " is missing: build it with scripts/build");
    }
    Process version = new ProcessBuilder(program.toString(), "-version").start();
    try {
      if (version.waitFor() != 0) {
        throw new IllegalStateException(program + " -version failed");
      }
    } catch (InterruptedException stopped) {
      throw new IllegalStateException(stopped);
    }
  }

  /**
   * Installs the program in the SDK's directory, as a download does. A script in its place counts
   * the starts and the calls of {@code status}, and then runs the program.
   */
  public static void install(Path directory) throws IOException {
    install(directory, ":");
  }

  /** As above. The script runs {@code first}, a line of shell, before each start of the agent. */
  public static void install(Path directory, String first) throws IOException {
    unpack();
    Path home = Files.createDirectories(directory.resolve("echopost"));
    Path installed = home.resolve("echopost");
    Path script = home.resolve("script");
    Files.writeString(
        script,
        """
        #!/bin/sh
        if [ "$1" = status ]; then
          echo status >> '%s.status-calls'
        elif [ "$1" != -version ]; then
          echo start >> '%s.starts'
          %s
        fi
        exec '%s' "$@"
        """
            .formatted(home, home, first, PackagedProgram.path()));
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
    Files.move(script, installed, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
  }

  /** The number of the agent's starts since the installation. */
  public static int starts(Path directory) throws IOException {
    return lines(directory.resolve("echopost.starts"));
  }

  /** The number of calls of {@code status} since the installation. */
  public static int statusCalls(Path directory) throws IOException {
    return lines(directory.resolve("echopost.status-calls"));
  }

  private static int lines(Path file) throws IOException {
    return Files.exists(file) ? Files.readAllLines(file).size() : 0;
  }

  /** The running agent, found by the process id in its lock file. */
  public static Optional<ProcessHandle> running(Path directory) throws IOException {
    Path lock = directory.resolve("echopost/agent.lock");
    String pid = Files.exists(lock) ? Files.readString(lock).strip() : "";
    return pid.isEmpty()
        ? Optional.empty()
        : ProcessHandle.of(Long.parseLong(pid)).filter(ProcessHandle::isAlive);
  }

  /**
   * Starts an agent, which exits at once if another one runs, and waits until all agents have
   * exited, with all records delivered.
   */
  public static void drain(Path directory, String url) throws IOException {
    Process agent = start(directory, url);
    try {
      Polling.until(
          () -> !agent.isAlive() && all(directory).isEmpty(),
          POLL_INTERVAL,
          DRAIN_TIME_LIMIT,
          () -> "agents still run: " + all(directory));
    } finally {
      agent.destroyForcibly();
    }
  }

  /** Starts an agent as an SDK does, for the main server at {@code url}. */
  public static Process start(Path directory, String url) throws IOException {
    String home = directory.resolve("echopost").toString();
    return new ProcessBuilder(
            PackagedProgram.path().toString(), "-datanadhi", home, "-health-url", url)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  /** All processes that use the directory: launchers and agents. */
  public static List<ProcessHandle> all(Path directory) {
    String home = directory.resolve("echopost").toString();
    try (Stream<ProcessHandle> all = ProcessHandle.allProcesses()) {
      return all.filter(process -> commandLine(process).contains(home + "\0"))
          .filter(process -> process.pid() != ProcessHandle.current().pid())
          .toList();
    }
  }

  private static String commandLine(ProcessHandle process) {
    try {
      return Files.readString(Path.of("/proc/" + process.pid() + "/cmdline"));
    } catch (IOException exited) {
      return "";
    }
  }

  /**
   * Kills all current processes with SIGKILL, launchers first, so that none starts another agent.
   */
  public static void killOnce(Path directory) {
    all(directory).stream()
        .sorted((a, b) -> Boolean.compare(Processes.isJvm(a), Processes.isJvm(b)))
        .forEach(ProcessHandle::destroyForcibly);
  }

  /** As above, until no process is left. */
  public static void killAll(Path directory) {
    Polling.until(
        () -> {
          killOnce(directory);
          return all(directory).isEmpty();
        },
        POLL_INTERVAL,
        KILL_TIME_LIMIT,
        () -> "cannot be killed: " + all(directory));
  }
}
