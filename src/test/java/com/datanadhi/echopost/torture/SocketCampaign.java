package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.LoadClient;
import com.datanadhi.testkit.StubServer;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/// The socket is deleted or replaced, and further agents are spawned beside the running one.
///
/// A round is one agent. First the socket is deleted and further agents are spawned, while an
/// application sends by the rules of an SDK: a send may fail only if it checked for the socket
/// before a deletion and connected after it. Then other files take the socket's place. Exactly one
/// agent owns the directory; every other one exits with status 3.
final class SocketCampaign implements Campaign {
  private static final int ATTACKS = 12;
  private static final int CONCURRENT_AGENTS = 20;
  private static final Duration TIMEOUT = Duration.ofSeconds(60);
  private static final long MAX_RESTORE_NANOS = TimeUnit.SECONDS.toNanos(10);

  // The sequence number of the next record that checks the restored socket.
  private int nextCheckSeq;

  @Override
  public String name() {
    return "socket";
  }

  @Override
  public String description() {
    return "the socket deleted or replaced; further agents spawned, up to twenty at once";
  }

  @Override
  public void run(CampaignRun run) throws Exception {
    while (run.startNextRound()) {
      round(run);
    }
  }

  private void round(CampaignRun run) throws Exception {
    Path directory = run.roundDirectory();
    String round = directory.getFileName().toString();
    CampaignResult result = run.result();
    Random random = run.random();
    DeliveryChecker checker = new DeliveryChecker(round, result);
    try (StubServer server = StubServer.down();
        AgentProcess agent = AgentProcess.spawn(directory, server.url())) {
      server.keep(false);
      server.onDelivery(checker.recordThen(StubServer.OK));
      agent.awaitReady();
      List<Instant> deletions = java.util.Collections.synchronizedList(new ArrayList<>());
      try (SimulatedSdk sdk = new SimulatedSdk(directory, server.url(), checker, result)) {
        AtomicBoolean stop = new AtomicBoolean();
        List<SimulatedSdk.SendResult> failures =
            java.util.Collections.synchronizedList(new ArrayList<>());
        Thread application =
            Thread.ofPlatform().start(() -> sendUntilStopped(sdk, stop, failures, result));
        for (int n = 0; n < ATTACKS; n++) {
          if (random.nextInt(4) > 0) {
            deletions.add(Instant.now());
            boolean _ = Files.deleteIfExists(agent.socket());
            awaitRestored(round + " after a deletion", agent, result);
          } else {
            spawnSecond(round, agent, server, result);
          }
        }
        spawnConcurrently(round, random.nextBoolean(), agent, server, deletions, result);
        stop.set(true);
        application.join();
        checkFailures(round, failures, deletions, result);
        for (AgentProcess spawned : sdk.agents()) {
          expectRefusedStart(round, spawned, result);
        }
      }
      replaceSocket(round, agent, random, result);
      server.comeUp();
      int exit = agent.awaitExit(TIMEOUT);
      if (exit != 0) {
        result.addViolation(round + ": exit " + exit + ": " + agent.output());
      }
    } catch (TimeoutException notEnded) {
      result.addViolation(round + ": " + notEnded.getMessage());
    }
    checker.checkNothingLost();
    run.deleteUnlessFailed(directory);
  }

  private static void sendUntilStopped(
      SimulatedSdk sdk,
      AtomicBoolean stop,
      List<SimulatedSdk.SendResult> failures,
      CampaignResult result) {
    for (int seq = 0; !stop.get(); seq++) {
      try {
        SimulatedSdk.SendResult sent = sdk.send(0, seq);
        if (!(sent instanceof SimulatedSdk.SendResult.Acknowledged)) {
          failures.add(sent);
        }
      } catch (IOException broken) {
        result.addViolation(broken.toString());
      }
      LockSupport.parkNanos(2_000_000);
    }
  }

  private static void checkFailures(
      String round,
      List<SimulatedSdk.SendResult> failures,
      List<Instant> deletions,
      CampaignResult result) {
    for (SimulatedSdk.SendResult failure : failures) {
      if (failure
              instanceof
              SimulatedSdk.SendResult.NoListener(Instant checked, Instant failed, boolean _)
          && deletions.stream()
              .anyMatch(at -> !at.isBefore(checked.minusMillis(1)) && !at.isAfter(failed))) {
        result.add("sends that met a removed socket", 1);
      } else {
        result.addViolation(
            round + ": a send failed: " + failure + ", sockets deleted at " + deletions);
      }
    }
  }

  private static void spawnSecond(
      String round, AgentProcess agent, StubServer server, CampaignResult result) throws Exception {
    try (AgentProcess second = AgentProcess.spawn(agent.directory(), server.url())) {
      expectRefusedStart(round, second, result);
    }
  }

  private void spawnConcurrently(
      String round,
      boolean deleteSocket,
      AgentProcess agent,
      StubServer server,
      List<Instant> deletions,
      CampaignResult result)
      throws Exception {
    List<AgentProcess> agents = new ArrayList<>();
    try {
      for (int i = 0; i < CONCURRENT_AGENTS; i++) {
        if (deleteSocket) {
          deletions.add(Instant.now());
          boolean _ = Files.deleteIfExists(agent.socket());
        }
        agents.add(AgentProcess.spawn(agent.directory(), server.url()));
      }
      for (AgentProcess second : agents) {
        expectRefusedStart(round, second, result);
      }
    } finally {
      for (AgentProcess second : agents) {
        second.close();
      }
    }
    awaitRestored(round + " after concurrent agents", agent, result);
  }

  private static void expectRefusedStart(String round, AgentProcess second, CampaignResult result)
      throws Exception {
    int exit = second.awaitExit(TIMEOUT);
    result.add("agents refused by the lock", 1);
    if (exit != 3) {
      result.addViolation(round + ": a second agent exited with " + exit + ": " + second.output());
    }
  }

  /// Waits until the socket exists and an agent answers on it.
  private void awaitRestored(String when, AgentProcess agent, CampaignResult result) {
    long start = System.nanoTime();
    String lastError = "";
    try (LoadClient client = new LoadClient(agent.socket())) {
      while (System.nanoTime() - start < MAX_RESTORE_NANOS) {
        if (Files.exists(agent.socket())) {
          long restored = System.nanoTime() - start;
          try {
            boolean _ = client.send(LoadClient.request(9, nextCheckSeq++, 50)).getSuccess();
            result.recordTime("time to restore the socket", restored);
            return;
          } catch (StatusRuntimeException notYet) {
            lastError = notYet.toString();
          }
        }
        LockSupport.parkNanos(500_000);
      }
    }
    result.addViolation(when + ": not restored in 10 s: " + lastError);
  }

  private void replaceSocket(String round, AgentProcess agent, Random random, CampaignResult result)
      throws IOException {
    Path socket = agent.socket();
    Path foreign = agent.directory().resolve("foreign");
    for (int i = 0; i < 4; i++) {
      if (random.nextBoolean()) {
        Files.writeString(foreign, "not a socket");
        move(foreign, socket);
        awaitRestored(round + " after a file replaced it", agent, result);
      } else {
        try (ServerSocketChannel other = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
          var _ = other.bind(UnixDomainSocketAddress.of(foreign));
          move(foreign, socket);
          // A client that connects to this socket waits forever: check only after it is gone.
          awaitReplaced(socket, round, result);
        }
        awaitRestored(round + " after another socket replaced it", agent, result);
      }
    }
  }

  private static void awaitReplaced(Path socket, String round, CampaignResult result)
      throws IOException {
    Object foreign = Files.getAttribute(socket, "unix:ino");
    long start = System.nanoTime();
    while (System.nanoTime() - start < MAX_RESTORE_NANOS) {
      if (Files.exists(socket) && !Files.getAttribute(socket, "unix:ino").equals(foreign)) {
        result.recordTime("time to restore the socket", System.nanoTime() - start);
        return;
      }
      LockSupport.parkNanos(500_000);
    }
    result.addViolation(round + ": the foreign socket is still there after 10 s");
  }

  private static void move(Path from, Path to) throws IOException {
    Path _ =
        Files.move(
            from,
            to,
            java.nio.file.StandardCopyOption.ATOMIC_MOVE,
            java.nio.file.StandardCopyOption.REPLACE_EXISTING);
  }
}
