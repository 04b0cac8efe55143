package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.StubServer;
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

/// Only the agent's JVM is killed, and its guardian must see to the rest.
///
/// A round is one directory: clients send, the server comes and goes, the JVM dies five times, by
/// kill -9 or by a crash, and is started again. Then, by chance, it drains; or the guardian is
/// killed and it drains without one; or it dies once more, which its guardian must leave at. Each
/// third round it is the kernel that kills, for want of memory, where control groups can be made.
final class Guardian implements Campaign {
  private static final int RESTARTS_IN_A_MINUTE = 5;
  private static final long MINUTE_NANOS = TimeUnit.MINUTES.toNanos(1);
  private static final int LONGEST_LIFE_MILLIS = 700;

  /// Between what an idle agent needs and a busy one (28 and 44 MB of its own, measured).
  private static final long TIGHT_BYTES = 36L << 20;

  private static final long TIGHT_NANOS = TimeUnit.SECONDS.toNanos(6);

  /// What is aimed at is 0.1 s, and the longest is told. A machine that has other things to do, or
  /// no memory left, may let the guardian wait.
  private static final long LONGEST_TRAP_NANOS = TimeUnit.SECONDS.toNanos(1);

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final long LOOK_AGAIN_NANOS = 100_000;

  @Override
  public String name() {
    return "guardian";
  }

  @Override
  public String attack() {
    return "the JVM alone dies, by kill -9, a crash, or want of memory; then the guardian alone";
  }

  @Override
  public void run(Attack attack) throws Exception {
    boolean groups = MemoryLimit.isPossible();
    while (attack.goesOn()) {
      new Round(attack).run(groups && attack.rounds() % 3 == 0);
    }
  }

  private static final class Round {
    private final Attack attack;
    private final Tally tally;
    private final Random random;
    private final Path directory;
    private final String name;
    private final Witness witness;
    private final long begunNanos = System.nanoTime();
    private int deaths;

    Round(Attack attack) {
      this.attack = attack;
      this.tally = attack.tally();
      this.random = attack.random();
      this.directory = attack.directory();
      this.name = String.valueOf(directory.getFileName());
      this.witness = new Witness(name, tally);
    }

    /// @param tight whether the kernel does the killing
    void run(boolean tight) throws Exception {
      try (StubServer server = StubServer.down()) {
        server.keep(false);
        server.onDelivery(witness.recording(StubServer.OK));
        boolean drained = tight ? starve(server) : kill(server);
        if (!drained) {
          witness.crashed();
          server.comeUp();
          try (AgentProcess last = AgentProcess.spawn(directory, server.url())) {
            awaitDrained(last);
          }
        }
      }
      witness.close();
      attack.forget(directory);
    }

    private Clients clients(AgentProcess agent) {
      return new Clients(
          agent.socket(),
          1 + random.nextInt(4),
          1 + random.nextInt(64),
          50 + random.nextInt(2_000),
          0,
          witness,
          tally);
    }

    /// @return whether the agent has drained in the end
    private boolean kill(StubServer server) throws Exception {
      try (AgentProcess agent = AgentProcess.spawn(directory, server.url())) {
        try (Clients _ = clients(agent)) {
          for (int death = 0; death < RESTARTS_IN_A_MINUTE; death++) {
            if (random.nextBoolean()) {
              server.comeUp();
            } else {
              server.goDown();
              witness.mayRepeat();
            }
            // The first moments, of a start or of serving, are no less likely than all the rest.
            live(random.nextInt(1 + random.nextInt(LONGEST_LIFE_MILLIS)));
            String signal = random.nextInt(3) == 0 ? "SEGV" : "KILL";
            if (!dies(agent, jvm -> AgentProcess.signal(jvm, signal))) {
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
            awaitDrainedAlone(agent);
            yield true;
          }
          default -> {
            if (dies(agent, ProcessHandle::destroyForcibly)
                && System.nanoTime() - begunNanos < MINUTE_NANOS) {
              tally.broken(
                  name + ": started again more often than " + RESTARTS_IN_A_MINUTE + " times");
            }
            yield false;
          }
        };
      }
    }

    /// @return false: what is left is for an agent with memory enough
    private boolean starve(StubServer server) throws Exception {
      try (MemoryLimit limit = MemoryLimit.of(TIGHT_BYTES);
          AgentProcess agent =
              AgentProcess.spawn(limit.command(AgentProcess.program()), directory, server.url());
          Clients _ = clients(agent)) {
        long end = System.nanoTime() + TIGHT_NANOS;
        boolean alive = true;
        while (alive && System.nanoTime() - end < 0) {
          await("a JVM", () -> agent.jvm().isPresent() || System.nanoTime() - end > 0);
          ProcessHandle jvm = agent.jvm().orElse(null);
          await(
              "the kernel to kill",
              () -> System.nanoTime() - end > 0 || jvm == null || isDead(jvm));
          if (jvm != null && isDead(jvm)) {
            witness.crashed();
            tally.add("starved", 1);
            alive = comesBack(agent, jvm, "dead name where memory is short");
          }
        }
      }
      return false;
    }

    /// `weapon` kills the agent's JVM, and the guardian must do its part.
    ///
    /// @return whether there is an agent again; there need not be when there was no buffer yet, and
    ///   must not be after too many deaths
    private boolean dies(AgentProcess agent, Consumer<ProcessHandle> weapon) throws Exception {
      await("a JVM", () -> agent.jvm().isPresent() || !agent.isAlive());
      ProcessHandle jvm = agent.jvm().orElse(null);
      if (jvm == null) {
        return ended(agent);
      }
      witness.crashed();
      weapon.accept(jvm);
      await("the JVM's death", () -> isDead(jvm));
      return comesBack(agent, jvm, "dead name");
    }

    /// @param figure the name of the time for which the dead agent's name stood
    private boolean comesBack(AgentProcess agent, ProcessHandle jvm, String figure)
        throws Exception {
      long death = System.nanoTime();
      deaths++;
      Object dead = identity(agent.socket());
      // Else what was seen may be the successor's, and this look came too late for a measurement.
      if (!hasSuccessor(agent, jvm)) {
        await("the dead name to go", () -> dead == null || !dead.equals(identity(agent.socket())));
        tookToRemove(figure, System.nanoTime() - death);
      }
      // By chance the next dies while it starts.
      boolean soon = random.nextInt(4) == 0;
      await(
          "an agent again",
          () ->
              !agent.isAlive()
                  || ((soon || identity(agent.socket()) != null) && hasSuccessor(agent, jvm)));
      if (!agent.isAlive()) {
        return ended(agent);
      }
      if (!soon) {
        tally.took("absence", System.nanoTime() - death);
      }
      return true;
    }

    private static boolean hasSuccessor(AgentProcess agent, ProcessHandle jvm) {
      return agent.jvm().filter(next -> !next.equals(jvm)).isPresent();
    }

    private void tookToRemove(String figure, long nanos) {
      tally.took(figure, nanos);
      if (nanos > LONGEST_TRAP_NANOS) {
        tally.broken(name + ": a dead agent's name stood for " + nanos / 1_000_000 + " ms");
      }
    }

    /// The guardian has ended, which it must after too many deaths, and may where there was nothing
    /// to deliver.
    private boolean ended(AgentProcess agent) throws Exception {
      int exit = agent.awaitExit(PATIENCE);
      if (exit == 1 && agent.output().contains("after 5 restarts in a minute")) {
        tally.add("given up", 1);
        if (deaths <= RESTARTS_IN_A_MINUTE) {
          tally.broken(name + ": given up after " + deaths + " deaths");
        }
      } else if (exit != 0 && Files.exists(directory.resolve("buffer.db"))) {
        tally.broken(name + ": the guardian left with " + exit + ": " + agent.output());
      }
      return false;
    }

    /// The agent must go on without its guardian.
    private void awaitDrainedAlone(AgentProcess agent) throws Exception {
      ProcessHandle jvm = agent.jvm().orElse(null);
      if (jvm == null) {
        // It was quicker.
        awaitDrained(agent);
        return;
      }
      var _ = agent.handle().destroyForcibly();
      tally.add("guardians killed", 1);
      await("an agent without a guardian to leave", () -> isDead(jvm));
      if (identity(agent.socket()) != null) {
        tally.broken(name + ": an agent that drained left its name");
      }
    }

    private void awaitDrained(AgentProcess agent) throws Exception {
      int exit = agent.awaitExit(PATIENCE);
      if (exit != 0) {
        tally.broken(name + ": exit " + exit + ": " + agent.output());
      }
    }

    private void await(String what, BooleanSupplier here) {
      long start = System.nanoTime();
      while (!here.getAsBoolean()) {
        if (System.nanoTime() - start > PATIENCE.toNanos()) {
          throw new IllegalStateException(name + ": waited in vain for " + what);
        }
        LockSupport.parkNanos(LOOK_AGAIN_NANOS);
      }
    }
  }

  private static void live(int millis) {
    LockSupport.parkNanos(millis * 1_000_000L);
  }

  /// Whether it is, also when its parent has taken no notice yet.
  private static boolean isDead(ProcessHandle process) {
    try {
      String line = Files.readString(Path.of("/proc/" + process.pid() + "/stat"));
      return line.charAt(line.lastIndexOf(')') + 2) == 'Z';
    } catch (IOException gone) {
      return true;
    }
  }

  /// Device and inode of what has that name; null when nothing has.
  private static @Nullable Object identity(Path name) {
    try {
      return Files.readAttributes(name, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
          .fileKey();
    } catch (NoSuchFileException gone) {
      return null;
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }
}
