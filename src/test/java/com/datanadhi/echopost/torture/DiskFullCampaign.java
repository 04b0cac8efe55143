package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.testkit.SmallDisk;
import com.datanadhi.testkit.StubServer;
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

/// A disk that fills up, empties by replay, and fills up again.
///
/// A round is one small file system. Clients send until they are refused. At random, another file
/// takes the last free bytes, and the agent is killed and must start on the full disk. When the
/// server is back, the agent must deliver, free space, and accept records again without help. At
/// the end of a round a new agent must not start on the full disk.
final class DiskFullCampaign implements Campaign {
  private static final int FILLS = 2;
  private static final Duration TIMEOUT = Duration.ofSeconds(60);

  @Override
  public String name() {
    return "disk-full";
  }

  @Override
  public String description() {
    return "a small file system that fills up, empties by replay, and fills up again";
  }

  @Override
  public String skipReason() {
    return SmallDisk.skipReason();
  }

  @Override
  public void run(CampaignRun run) throws Exception {
    while (run.startNextRound()) {
      Path directory = run.roundDirectory();
      try (SmallDisk disk = SmallDisk.mount(directory, 20 + run.random().nextInt(30) + "m")) {
        round(run, directory);
        startOnFullDisk(run.result(), disk, directory);
      }
      run.deleteUnlessFailed(directory);
    }
  }

  private static void round(CampaignRun run, Path directory) throws Exception {
    CampaignResult result = run.result();
    Random random = run.random();
    String round = directory.getFileName().toString();
    DeliveryChecker checker = new DeliveryChecker(round, result);
    Path filler = directory.resolve("filler");
    try (StubServer server = StubServer.down()) {
      server.keep(false);
      server.onDelivery(checker.recordThen(StubServer.OK));
      AgentProcess agent = AgentProcess.spawn(directory, server.url());
      agent.awaitReady();
      try (BackgroundClients clients =
          new BackgroundClients(
              agent.socket(),
              3,
              32,
              500 + random.nextInt(4_000),
              TimeUnit.MICROSECONDS.toNanos(100),
              checker,
              result)) {
        for (int n = 0; n < FILLS; n++) {
          awaitRefusals(round, clients, agent, result);
          result.add("times the disk was full", 1);
          if (random.nextBoolean()) {
            fill(filler);
          }
          if (random.nextBoolean()) {
            agent.close();
            checker.agentKilled();
            agent = AgentProcess.spawn(directory, server.url());
            agent.awaitReady();
          }
          boolean _ = Files.deleteIfExists(filler);
          server.comeUp();
          awaitAccepting(round, result, agent);
          server.goDown();
          checker.allowRepeat();
        }
      }
      server.comeUp();
      end(round, agent, result);
    }
    checker.checkNothingLost();
  }

  /// Waits for a refused call. Its status must name the full disk and the space that is missing.
  private static void awaitRefusals(
      String round, BackgroundClients clients, AgentProcess agent, CampaignResult result) {
    long start = System.nanoTime();
    int before = clients.refusedCalls();
    while (clients.refusedCalls() == before && System.nanoTime() - start < TIMEOUT.toNanos()) {
      LockSupport.parkNanos(1_000_000);
    }
    Status refusal = clients.lastRefusal();
    if (refusal == null || clients.refusedCalls() == before) {
      result.addViolation(round + ": no call was refused on a full disk: " + agent.output());
    } else if (refusal.getCode() != Status.Code.RESOURCE_EXHAUSTED
        || !String.valueOf(refusal.getDescription()).matches(".*\\d+ MiB more must be free.*")) {
      result.addViolation(round + ": refused with " + refusal);
    }
    if (!agent.isAlive()) {
      result.addViolation(round + ": the agent ended on a full disk: " + agent.output());
    }
  }

  private static void awaitAccepting(String round, CampaignResult result, AgentProcess agent) {
    long before = result.count(CampaignResult.Counter.ACKNOWLEDGED);
    long start = System.nanoTime();
    while (result.count(CampaignResult.Counter.ACKNOWLEDGED) == before) {
      if (System.nanoTime() - start > TIMEOUT.toNanos()) {
        result.addViolation(
            round + ": space is free again, but no record is accepted: " + agent.output());
        return;
      }
      LockSupport.parkNanos(1_000_000);
    }
    result.recordTime("time to accept again", System.nanoTime() - start);
  }

  private static void end(String round, AgentProcess agent, CampaignResult result)
      throws Exception {
    try (agent) {
      int exit = agent.awaitExit(TIMEOUT);
      if (exit != 0) {
        result.addViolation(round + ": exit " + exit + ": " + agent.output());
      }
    } catch (TimeoutException notEnded) {
      result.addViolation(round + ": " + notEnded.getMessage());
    }
  }

  /// An agent without space for a new buffer must exit with status 1 or 2.
  private static void startOnFullDisk(CampaignResult result, SmallDisk disk, Path directory)
      throws Exception {
    fill(directory.resolve("filler"));
    Path inner = directory.resolve("inner");
    try (StubServer server = StubServer.down();
        AgentProcess agent = AgentProcess.spawn(inner, server.url())) {
      int exit = agent.awaitExit(TIMEOUT);
      if (exit != 1 && exit != 2) {
        result.addViolation(
            "exit " + exit + " with " + disk.free() + " bytes free: " + agent.output());
      }
    } catch (TimeoutException notEnded) {
      result.addViolation("without space for a buffer: " + notEnded.getMessage());
    }
  }

  /// Writes to `file` until no byte is free.
  private static void fill(Path file) throws IOException {
    int piece = 1 << 16;
    while (piece > 0) {
      try (OutputStream out =
          Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
        while (true) {
          out.write(new byte[piece]);
        }
      } catch (IOException full) {
        // A smaller piece may still fit.
        piece /= 16;
      }
    }
  }
}
