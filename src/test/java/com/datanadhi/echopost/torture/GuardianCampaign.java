package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.testkit.PackagedProgram;
import com.datanadhi.testkit.Processes;
import com.datanadhi.testkit.StubServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Only the agent's JVM is killed; its guardian, the launcher that stays as its parent, must remove
/// the dead agent's socket and restart it.
///
/// A round is one directory. While clients send and the server goes up and down, the JVM dies five
/// times, by SIGKILL or SIGSEGV, and is restarted each time. Then one of three things happens: the
/// agent drains; or the guardian is killed and the agent drains without it; or the JVM dies a sixth
/// time, after which the guardian must not restart it. In every third round the kernel kills the
/// JVM instead, by a memory limit, if this machine allows control groups.
final class GuardianCampaign implements Campaign {
  private static final int MAX_RESTARTS_PER_MINUTE = 5;
  private static final long MINUTE_NANOS = TimeUnit.MINUTES.toNanos(1);
  private static final int MAX_RUNTIME_MILLIS = 700;

  /// More than an idle agent needs and less than a busy one: 28 and 44 MB of unshared memory,
  /// measured.
  private static final long MEMORY_LIMIT_BYTES = 36L << 20;

  private static final long MEMORY_LIMIT_NANOS = TimeUnit.SECONDS.toNanos(6);

  /// The goal is 0.1 s, and the longest time is printed. The limit is higher because the guardian
  /// may have to wait on a machine that is busy or has no memory left.
  private static final long MAX_STALE_SOCKET_NANOS = TimeUnit.SECONDS.toNanos(1);

  private static final Duration TIMEOUT = Duration.ofSeconds(60);
  private static final long POLL_NANOS = 100_000;

  @Override
  public String name() {
    return "guardian";
  }

  @Override
  public String description() {
    return "only the JVM dies, by kill -9, a crash, or a memory limit; then only the guardian";
  }

  @Override
  public void run(CampaignRun run) throws Exception {
    boolean canLimitMemory = MemoryCgroup.isAvailable();
    while (run.startNextRound()) {
      new Round(run).run(canLimitMemory && run.rounds() % 3 == 0);
    }
  }

  private static final class Round {
    private final CampaignRun run;
    private final CampaignResult result;
    private final Random random;
    private final Path directory;
    private final String name;
    private final DeliveryChecker checker;
    private final long startNanos = System.nanoTime();
    private int deaths;

    Round(CampaignRun run) {
      this.run = run;
      this.result = run.result();
      this.random = run.random();
      this.directory = run.roundDirectory();
      this.name = String.valueOf(directory.getFileName());
      this.checker = new DeliveryChecker(name, result);
    }

    /// @param limitsMemory whether the kernel kills the JVM
    void run(boolean limitsMemory) throws Exception {
      try (StubServer server = StubServer.down()) {
        server.keep(false);
        server.onDelivery(checker.recordThen(StubServer.OK));
        boolean drained = limitsMemory ? runWithMemoryLimit(server) : killRepeatedly(server);
        if (!drained) {
          checker.agentKilled();
          server.comeUp();
          try (AgentProcess last = AgentProcess.spawn(directory, server.url())) {
            awaitDrained(last);
          }
        }
      }
      checker.checkNothingLost();
      run.deleteUnlessFailed(directory);
    }

    private BackgroundClients clients(AgentProcess agent) {
      return new BackgroundClients(
          agent.socket(),
          1 + random.nextInt(4),
          1 + random.nextInt(64),
          50 + random.nextInt(2_000),
          0,
          checker,
          result);
    }

    /// @return whether the agent drained at the end
    private boolean killRepeatedly(StubServer server) throws Exception {
      try (AgentProcess agent = AgentProcess.spawn(directory, server.url())) {
        try (BackgroundClients _ = clients(agent)) {
          for (int death = 0; death < MAX_RESTARTS_PER_MINUTE; death++) {
            if (random.nextBoolean()) {
              server.comeUp();
            } else {
              server.goDown();
              checker.allowRepeat();
            }
            // The random bound makes early kills likely: during a start, or just after it.
            pause(random.nextInt(1 + random.nextInt(MAX_RUNTIME_MILLIS)));
            String signal = random.nextInt(3) == 0 ? "SEGV" : "KILL";
            if (!killAndAwaitRestart(agent, jvm -> Processes.signal(jvm, signal))) {
              return false;
            }
          }
        }
        return switch (random.nextInt(3)) {
          case 0 -> {
            server.comeUp();
            awaitDrained(agent);
            yield true;
          }
          case 1 -> {
            server.comeUp();
            awaitDrainedWithoutGuardian(agent);
            yield true;
          }
          default -> {
            if (killAndAwaitRestart(agent, ProcessHandle::destroyForcibly)
                && System.nanoTime() - startNanos < MINUTE_NANOS) {
              result.addViolation(
                  name + ": more than " + MAX_RESTARTS_PER_MINUTE + " restarts in a minute");
            }
            yield false;
          }
        };
      }
    }

    /// @return false: an agent with enough memory must deliver the remaining records
    private boolean runWithMemoryLimit(StubServer server) throws Exception {
      try (MemoryCgroup limit = MemoryCgroup.of(MEMORY_LIMIT_BYTES);
          AgentProcess agent =
              AgentProcess.spawn(limit.command(PackagedProgram.path()), directory, server.url());
          BackgroundClients _ = clients(agent)) {
        long end = System.nanoTime() + MEMORY_LIMIT_NANOS;
        boolean alive = true;
        while (alive && System.nanoTime() - end < 0) {
          await("a JVM", () -> agent.jvm().isPresent() || System.nanoTime() - end > 0);
          ProcessHandle jvm = agent.jvm().orElse(null);
          await(
              "the kernel to kill the JVM",
              () -> System.nanoTime() - end > 0 || jvm == null || isDead(jvm));
          if (jvm != null && isDead(jvm)) {
            checker.agentKilled();
            result.add("kills by the memory limit", 1);
            alive = awaitRestart(agent, jvm, "stale socket with a memory limit");
          }
        }
      }
      return false;
    }

    /// Kills the agent's JVM with `kill`, and waits for what the guardian does.
    ///
    /// @return whether the agent was restarted: it need not be if there was no buffer yet, and must
    ///   not be after too many deaths
    private boolean killAndAwaitRestart(AgentProcess agent, Consumer<ProcessHandle> kill)
        throws Exception {
      await("a JVM", () -> agent.jvm().isPresent() || !agent.isAlive());
      ProcessHandle jvm = agent.jvm().orElse(null);
      if (jvm == null) {
        return checkGuardianExit(agent);
      }
      checker.agentKilled();
      kill.accept(jvm);
      await("the JVM to die", () -> isDead(jvm));
      return awaitRestart(agent, jvm, "stale socket");
    }

    /// Waits until the guardian has removed the dead agent's socket, then until it has restarted
    /// the agent or has ended.
    ///
    /// @param timeName the name in the result for the time until the socket is removed
    private boolean awaitRestart(AgentProcess agent, ProcessHandle jvm, String timeName)
        throws Exception {
      long death = System.nanoTime();
      deaths++;
      Object deadSocket = fileKey(agent.socket());
      // Otherwise the socket may be the successor's, and it is too late to measure.
      if (!hasSuccessor(agent, jvm)) {
        await(
            "the stale socket to be removed",
            () -> deadSocket == null || !deadSocket.equals(fileKey(agent.socket())));
        recordStaleSocket(timeName, System.nanoTime() - death);
      }
      // At random, the next kill hits the successor while it starts.
      boolean killDuringStart = random.nextInt(4) == 0;
      await(
          "a new agent",
          () ->
              !agent.isAlive()
                  || ((killDuringStart || fileKey(agent.socket()) != null)
                      && hasSuccessor(agent, jvm)));
      if (!agent.isAlive()) {
        return checkGuardianExit(agent);
      }
      if (!killDuringStart) {
        result.recordTime("time without an agent", System.nanoTime() - death);
      }
      return true;
    }

    private static boolean hasSuccessor(AgentProcess agent, ProcessHandle jvm) {
      return agent.jvm().filter(next -> !next.equals(jvm)).isPresent();
    }

    private void recordStaleSocket(String timeName, long nanos) {
      result.recordTime(timeName, nanos);
      if (nanos > MAX_STALE_SOCKET_NANOS) {
        result.addViolation(
            name + ": a dead agent's socket stayed for " + nanos / 1_000_000 + " ms");
      }
    }

    /// Checks why the guardian ended: it must after too many deaths, and may if there was nothing
    /// to deliver.
    ///
    /// @return false
    private boolean checkGuardianExit(AgentProcess agent) throws Exception {
      int exit = agent.awaitExit(TIMEOUT);
      if (exit == 1 && agent.output().contains("after 5 restarts in a minute")) {
        result.add("guardians that gave up", 1);
        if (deaths <= MAX_RESTARTS_PER_MINUTE) {
          result.addViolation(name + ": the guardian gave up after " + deaths + " deaths");
        }
      } else if (exit != 0 && Files.exists(directory.resolve("buffer.db"))) {
        result.addViolation(
            name + ": the guardian ended with status " + exit + ": " + agent.output());
      }
      return false;
    }

    /// Kills the guardian; the agent must drain without it.
    private void awaitDrainedWithoutGuardian(AgentProcess agent) throws Exception {
      ProcessHandle jvm = agent.jvm().orElse(null);
      if (jvm == null) {
        // The agent has drained already.
        awaitDrained(agent);
        return;
      }
      var _ = agent.handle().destroyForcibly();
      result.add("guardians killed", 1);
      await("an agent without a guardian to drain", () -> isDead(jvm));
      if (fileKey(agent.socket()) != null) {
        result.addViolation(name + ": an agent that drained left its socket");
      }
    }

    private void awaitDrained(AgentProcess agent) throws Exception {
      int exit = agent.awaitExit(TIMEOUT);
      if (exit != 0) {
        result.addViolation(name + ": exit " + exit + ": " + agent.output());
      }
    }

    private void await(String what, BooleanSupplier condition) {
      long start = System.nanoTime();
      while (!condition.getAsBoolean()) {
        if (System.nanoTime() - start > TIMEOUT.toNanos()) {
          throw new IllegalStateException(name + ": timed out waiting for " + what);
        }
        LockSupport.parkNanos(POLL_NANOS);
      }
    }
  }

  private static void pause(int millis) {
    LockSupport.parkNanos(millis * 1_000_000L);
  }

  /// Whether the process is gone or a zombie.
  private static boolean isDead(ProcessHandle process) {
    try {
      String line = Files.readString(Path.of("/proc/" + process.pid() + "/stat"));
      return line.charAt(line.lastIndexOf(')') + 2) == 'Z';
    } catch (IOException missing) {
      return true;
    }
  }

  /// Device and inode of the file with this path; null if there is none.
  private static @Nullable Object fileKey(Path path) {
    try {
      return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
          .fileKey();
    } catch (NoSuchFileException missing) {
      return null;
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }
}
