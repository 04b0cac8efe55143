package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.SmallDisk;
import com.datanadhi.echopost.testkit.StubServer;
import io.grpc.Status;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;

/// A disk that fills, is emptied by the replay, and fills again.
///
/// A round is one small file system. Clients send until they are refused; sometimes a stranger
/// takes the last bytes, sometimes the agent is killed while the disk is full and has to start on
/// it; then the server comes back, and the agent must deliver, make room and accept again by
/// itself.
final class DiskFull implements Campaign {
  private static final int FILLINGS = 2;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @Override
  public String name() {
    return "disk-full";
  }

  @Override
  public String attack() {
    return "a small file system that fills, empties as replay goes on, and fills again";
  }

  @Override
  public String obstacle() {
    return SmallDisk.obstacle();
  }

  @Override
  public void run(Attack attack) throws Exception {
    while (attack.goesOn()) {
      Path directory = attack.directory();
      try (SmallDisk disk = SmallDisk.mount(directory, 20 + attack.random().nextInt(30))) {
        round(attack, directory);
        fullFromTheStart(attack.tally(), disk, directory);
      }
      attack.forget(directory);
    }
  }

  private static void round(Attack attack, Path directory) throws Exception {
    Tally tally = attack.tally();
    Random random = attack.random();
    String round = directory.getFileName().toString();
    Witness witness = new Witness(round, tally);
    Path stranger = directory.resolve("stranger");
    try (StubServer server = StubServer.down()) {
      server.keep(false);
      server.onDelivery(witness.recording(StubServer.OK));
      AgentProcess agent = AgentProcess.spawn(directory, server.url());
      agent.awaitReady();
      try (Clients clients =
          new Clients(
              agent.socket(),
              3,
              32,
              500 + random.nextInt(4_000),
              TimeUnit.MICROSECONDS.toNanos(100),
              witness,
              tally)) {
        for (int filling = 0; filling < FILLINGS; filling++) {
          awaitRefusals(round, clients, agent, tally);
          tally.add("full disks", 1);
          if (random.nextBoolean()) {
            fill(stranger);
          }
          if (random.nextBoolean()) {
            agent.close();
            witness.crashed();
            agent = AgentProcess.spawn(directory, server.url());
            agent.awaitReady();
          }
          boolean _ = Files.deleteIfExists(stranger);
          server.comeUp();
          awaitAccepting(round, tally, agent);
          server.goDown();
          witness.mayRepeat();
        }
      }
      server.comeUp();
      end(round, agent, tally);
    }
    witness.close();
  }

  /// Until clients are told that the disk is full, and how much room is needed.
  private static void awaitRefusals(
      String round, Clients clients, AgentProcess agent, Tally tally) {
    long start = System.nanoTime();
    int before = clients.refused();
    while (clients.refused() == before && System.nanoTime() - start < PATIENCE.toNanos()) {
      LockSupport.parkNanos(1_000_000);
    }
    Status refusal = clients.lastRefusal();
    if (refusal == null || clients.refused() == before) {
      tally.broken(round + ": no refusal on a full disk: " + agent.output());
    } else if (refusal.getCode() != Status.Code.RESOURCE_EXHAUSTED
        || !String.valueOf(refusal.getDescription()).matches(".*\\d+ MiB more must be free.*")) {
      tally.broken(round + ": refused with " + refusal);
    }
    if (!agent.isAlive()) {
      tally.broken(round + ": the agent has ended: " + agent.output());
    }
  }

  private static void awaitAccepting(String round, Tally tally, AgentProcess agent) {
    long before = tally.count(Tally.Count.ACKNOWLEDGED);
    long start = System.nanoTime();
    while (tally.count(Tally.Count.ACKNOWLEDGED) == before) {
      if (System.nanoTime() - start > PATIENCE.toNanos()) {
        tally.broken(round + ": there is room, and nothing is accepted: " + agent.output());
        return;
      }
      LockSupport.parkNanos(1_000_000);
    }
    tally.took("way back to accepting", System.nanoTime() - start);
  }

  private static void end(String round, AgentProcess agent, Tally tally) throws Exception {
    try (agent) {
      int exit = agent.awaitExit(PATIENCE);
      if (exit != 0) {
        tally.broken(round + ": exit " + exit + ": " + agent.output());
      }
    } catch (TimeoutException stays) {
      tally.broken(round + ": " + stays.getMessage());
    }
  }

  /// With no room for a buffer there is one line and the status 1.
  private static void fullFromTheStart(Tally tally, SmallDisk disk, Path directory)
      throws Exception {
    fill(directory.resolve("stranger"));
    Path inner = directory.resolve("inner");
    try (StubServer server = StubServer.down();
        AgentProcess agent = AgentProcess.spawn(inner, server.url())) {
      int exit = agent.awaitExit(PATIENCE);
      if (exit != 1 && exit != 2) {
        tally.broken("exit " + exit + " with " + disk.free() + " bytes free: " + agent.output());
      }
    } catch (TimeoutException stays) {
      tally.broken("without room for a buffer: " + stays.getMessage());
    }
  }

  /// Takes every byte there is.
  private static void fill(Path file) throws IOException {
    int piece = 1 << 16;
    while (piece > 0) {
      try (OutputStream out =
          Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
        while (true) {
          out.write(new byte[piece]);
        }
      } catch (IOException full) {
        // Now smaller pieces.
        piece /= 16;
      }
    }
  }
}
