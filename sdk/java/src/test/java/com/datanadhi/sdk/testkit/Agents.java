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

/** The agent's processes, as the system shows them. */
public final class Agents {
  private static final Duration POLL_INTERVAL = Duration.ofMillis(50);
  private static final Duration DRAIN_TIME_LIMIT = Duration.ofMinutes(5);
  private static final Duration KILL_TIME_LIMIT = Duration.ofSeconds(30);

  private Agents() {}

  /** Unpacks its runtime, so that no start has to. */
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
   * Puts the program below the SDK's directory, as a download does, behind a script that notes each
   * start.
   */
  public static void install(Path directory) throws IOException {
    install(directory, ":");
  }

  /** As above, with {@code first}, a line of shell, before each start. */
  public static void install(Path directory, String first) throws IOException {
    unpack();
    Path home = Files.createDirectories(directory.resolve("echopost"));
    Path installed = home.resolve("echopost");
    Path made = home.resolve("made");
    Files.writeString(
        made,
        """
        #!/bin/sh
        if [ "$1" = status ]; then
          echo look >> '%s.looks'
        else
          echo start >> '%s.starts'
          %s
        fi
        exec '%s' "$@"
        """
            .formatted(home, home, first, PackagedProgram.path()));
    Files.setPosixFilePermissions(made, PosixFilePermissions.fromString("rwxr-xr-x"));
    Files.move(made, installed, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
  }

  /** How often it was started since. */
  public static int starts(Path directory) throws IOException {
    return lines(directory.resolve("echopost.starts"));
  }

  /** How often it was asked since whether records are pending. */
  public static int looks(Path directory) throws IOException {
    return lines(directory.resolve("echopost.looks"));
  }

  private static int lines(Path file) throws IOException {
    return Files.exists(file) ? Files.readAllLines(file).size() : 0;
  }

  /** The living agent, by its lock file. */
  public static Optional<ProcessHandle> living(Path directory) throws IOException {
    Path lock = directory.resolve("echopost/agent.lock");
    String pid = Files.exists(lock) ? Files.readString(lock).strip() : "";
    return pid.isEmpty()
        ? Optional.empty()
        : ProcessHandle.of(Long.parseLong(pid)).filter(ProcessHandle::isAlive);
  }

  /** Runs an agent, if none lives, until nothing is left to deliver. */
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

  /** Everything that runs on the directory: launchers and agents. */
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
    } catch (IOException gone) {
      return "";
    }
  }

  /** kill -9 of those that run now, launchers first, so that none starts another agent. */
  public static void killOnce(Path directory) {
    all(directory).stream()
        .sorted((a, b) -> Boolean.compare(Processes.isJvm(a), Processes.isJvm(b)))
        .forEach(ProcessHandle::destroyForcibly);
  }

  /** As above, until none is left. */
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
