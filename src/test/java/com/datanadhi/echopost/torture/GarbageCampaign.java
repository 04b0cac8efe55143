package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.proto.LogAgentGrpc;
import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.LoadClient;
import com.datanadhi.echopost.testkit.RawConnection;
import com.datanadhi.testkit.StubServer;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// Floods of tens of thousands of hostile connections beside one well-behaved client.
///
/// A round is one agent and every kind of flood at least once, repeated for up to two minutes.
/// After each flood a new client must be served. The well-behaved client must keep its connection
/// all the time. At the end memory must be within its limit, the descriptors must be closed, and
/// every acknowledged record must be delivered.
final class GarbageCampaign implements Campaign {
  private static final long FLOOD_NANOS = TimeUnit.MILLISECONDS.toNanos(1_200);
  private static final long MAX_ROUND_NANOS = TimeUnit.MINUTES.toNanos(2);
  private static final int MAX_HELD_CONNECTIONS = 2_000;

  /// The agent's limit is 512 open connections.
  private static final int MAX_EXTRA_DESCRIPTORS_DURING_FLOODS = 600;

  private static final int MAX_EXTRA_DESCRIPTORS_AFTERWARDS = 16;
  private static final long MAX_RESIDENT_MIB = 420;
  private static final Duration EXIT_TIMEOUT = Duration.ofSeconds(60);
  private static final Duration SERVICE_TIMEOUT = Duration.ofSeconds(60);
  private static final long SECOND_NANOS = TimeUnit.SECONDS.toNanos(1);

  /// Half of the time after which the agent may close an idle connection in favour of a new one.
  private static final Duration MAX_STALL = Duration.ofMillis(500);

  private static final int NEW_CLIENT = 50;
  private static final int FIRST_LARGE_CLIENT = 60;
  private static final int CHANNELS = 6;
  private static final int LARGE_BYTES = 4_000_000;

  @Override
  public String name() {
    return "garbage";
  }

  @Override
  public String description() {
    return "floods of malformed, idle, half-open and wasteful connections beside a well-behaved"
        + " client";
  }

  @Override
  public void run(CampaignRun run) throws Exception {
    while (run.startNextRound()) {
      round(run);
    }
  }

  private static void round(CampaignRun run) throws Exception {
    Path directory = run.roundDirectory();
    CampaignResult result = run.result();
    String round = directory.getFileName().toString();
    DeliveryChecker checker = new DeliveryChecker(round, result);
    try (StubServer server = StubServer.down();
        StallDetector stalls = new StallDetector();
        AgentProcess agent = AgentProcess.spawn(directory, server.url())) {
      server.keep(false);
      server.onDelivery(checker.recordThen(StubServer.OK));
      agent.awaitReady();
      try (BackgroundClients wellBehaved =
          new BackgroundClients(
              agent.socket(), 1, 4, 300, TimeUnit.MILLISECONDS.toNanos(5), checker, result)) {
        try (ResourceUsage usage = new ResourceUsage(agent)) {
          runFloods(run, round, agent);
          awaitDescriptors(round, usage, result);
          usage.addTo(result);
          if (usage.peakResidentMib() > MAX_RESIDENT_MIB
              || usage.peakDescriptors()
                  > usage.descriptorsBefore() + MAX_EXTRA_DESCRIPTORS_DURING_FLOODS) {
            result.addViolation(round + ": " + usage);
          }
        }
        if (wellBehaved.refusedCalls() == 0 && stalls.longest().compareTo(MAX_STALL) >= 0) {
          result.add(
              "connections closed after a stall of this machine", wellBehaved.connections() - 1);
        } else if (wellBehaved.connections() != 1 || wellBehaved.refusedCalls() != 0) {
          result.addViolation(
              round
                  + ": the well-behaved client made "
                  + wellBehaved.connections()
                  + " connections and had "
                  + wellBehaved.refusedCalls()
                  + " refused calls: "
                  + wellBehaved.firstFailure());
        }
      }
      server.comeUp();
      int exit = agent.awaitExit(EXIT_TIMEOUT);
      if (exit != 0) {
        result.addViolation(round + ": exit " + exit + ": " + agent.output());
      }
    } catch (java.util.concurrent.TimeoutException notEnded) {
      result.addViolation(round + ": " + notEnded.getMessage());
    }
    checker.checkNothingLost();
    run.deleteUnlessFailed(directory);
  }

  /// Runs every kind of flood at least once.
  private static void runFloods(CampaignRun run, String round, AgentProcess agent)
      throws IOException {
    CampaignResult result = run.result();
    long end = System.nanoTime() + MAX_ROUND_NANOS;
    int seq = 0;
    do {
      List<HostileClient> kinds = new ArrayList<>(List.of(HostileClient.values()));
      java.util.Collections.shuffle(kinds, run.random());
      for (HostileClient kind : kinds) {
        flood(kind, agent, run.random(), result);
        seq = checkNewClient(round + " after " + kind, agent, seq, result);
      }
      sendLargeMessages(agent, seq);
      seq = checkNewClient(round + " after large messages", agent, seq + CHANNELS, result);
    } while (run.hasTimeLeft() && System.nanoTime() - end < 0);
  }

  private static void flood(
      HostileClient kind, AgentProcess agent, Random random, CampaignResult result)
      throws IOException {
    List<RawConnection> held = new ArrayList<>();
    long end = System.nanoTime() + FLOOD_NANOS;
    long connections = 0;
    while (System.nanoTime() - end < 0) {
      RawConnection connection;
      try {
        connection = new RawConnection(agent.socket());
      } catch (IOException full) {
        // The listen backlog is full: the agent must accept connections first.
        LockSupport.parkNanos(100_000);
        continue;
      }
      connections++;
      if (kind.send(connection, random)) {
        held.add(connection);
        if (held.size() > MAX_HELD_CONNECTIONS) {
          held.removeFirst().close();
        }
      } else {
        connection.close();
      }
    }
    for (RawConnection connection : held) {
      connection.close();
    }
    result.add("connections", connections);
  }

  /// Starts concurrent calls with messages of 4 MB, and closes their connections midway.
  private static void sendLargeMessages(AgentProcess agent, int firstSeq) {
    try (LoadClient clients = new LoadClient(agent.socket())) {
      List<ManagedChannel> channels = new ArrayList<>();
      for (int c = 0; c < CHANNELS; c++) {
        ManagedChannel channel = clients.newChannel();
        channels.add(channel);
        for (int call = 0; call < CHANNELS; call++) {
          LogAgentGrpc.newStub(channel)
              .sendLog(
                  LoadClient.request(FIRST_LARGE_CLIENT + c, firstSeq + call, LARGE_BYTES),
                  ignoringObserver());
        }
      }
      LockSupport.parkNanos(FLOOD_NANOS / 4);
      channels.forEach(ManagedChannel::shutdownNow);
    }
  }

  private static <T> StreamObserver<T> ignoringObserver() {
    return new StreamObserver<>() {
      @Override
      public void onNext(T value) {}

      @Override
      public void onError(Throwable thrown) {}

      @Override
      public void onCompleted() {}
    };
  }

  /// A new client must get a record acknowledged.
  ///
  /// @return the next sequence number
  private static int checkNewClient(
      String when, AgentProcess agent, int firstSeq, CampaignResult result) {
    int seq = firstSeq;
    long start = System.nanoTime();
    String lastError = "";
    try (LoadClient client = new LoadClient(agent.socket())) {
      while (System.nanoTime() - start < SERVICE_TIMEOUT.toNanos()) {
        try {
          if (client.send(LoadClient.request(NEW_CLIENT, seq++, 100)).getSuccess()) {
            long waited = System.nanoTime() - start;
            result.recordTime(
                "wait of a new client " + when.replaceAll(".*after", "after"), waited);
            result.add("floods", 1);
            result.add("new clients that waited more than 1 s", waited > SECOND_NANOS ? 1 : 0);
            return seq;
          }
        } catch (StatusRuntimeException refused) {
          lastError = refused.toString();
          LockSupport.parkNanos(1_000_000);
        }
      }
    }
    result.addViolation(when + ": a new client is not served: " + lastError);
    return seq;
  }

  private static void awaitDescriptors(String round, ResourceUsage usage, CampaignResult result)
      throws IOException {
    long end = System.nanoTime() + SERVICE_TIMEOUT.toNanos();
    long max = usage.descriptorsBefore() + MAX_EXTRA_DESCRIPTORS_AFTERWARDS;
    while (usage.descriptors() > max && System.nanoTime() - end < 0) {
      LockSupport.parkNanos(10_000_000);
    }
    if (usage.descriptors() > max) {
      result.addViolation(round + ": descriptors are not closed: " + usage);
    }
  }
}
