package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.testkit.ClockShim;
import com.datanadhi.testkit.Shims;
import com.datanadhi.testkit.StubBatches;
import com.datanadhi.testkit.StubServer;
import com.datanadhi.testkit.StubServer.Behaviour;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/// A main server that returns every kind of response, complete, truncated, or none.
///
/// A round is one agent under a steady load, in three phases. First the server returns 500 for
/// every delivery, so that the agent cannot know whether the server or the record is at fault. Then
/// it is healthy. Then it picks a random response for each probe and each delivery. The client
/// latencies of the last two phases are printed. At the end the server is healthy again; every
/// acknowledged record must be delivered in order, or be in `rejected` with a status that allows
/// it. Meanwhile the agent's wall clock jumps by an hour, back and ahead. A long run has a second
/// agent, whose clock is an hour behind when the server sends a `Retry-After` date.
final class ServerCampaign implements Campaign {
  private static final long PHASE_NANOS = TimeUnit.SECONDS.toNanos(4);
  private static final long AMBIGUOUS_PHASE_NANOS = TimeUnit.SECONDS.toNanos(6);
  private static final int CLIENTS = 2;
  private static final int PAYLOAD_BYTES = 300;
  private static final int RECORDS_TO_AWAIT = 10;
  private static final Duration TIMEOUT = Duration.ofMinutes(5);

  /// More than the longest wait that the agent grants to a server, which is five minutes.
  private static final Duration RETRY_AFTER_TIMEOUT = Duration.ofMinutes(6);

  @Override
  public String name() {
    return "server";
  }

  @Override
  public String description() {
    return "a server with error, malformed, truncated, slow, endless or no responses; a clock that"
        + " jumps by an hour";
  }

  @Override
  public void run(CampaignRun run) throws Exception {
    boolean clockJumps = Shims.skipReason().isEmpty();
    if (!clockJumps) {
      System.out.println(name() + ": without clock jumps: " + Shims.skipReason());
    }
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> agentWithLateClock =
          clockJumps && run.hasTimeLeft(RETRY_AFTER_TIMEOUT)
              ? executor.submit(() -> {
                runAgentWithLateClock(run);
                return null;
              })
              : CompletableFuture.completedFuture(null);
      while (run.startNextRound()) {
        round(run, clockJumps);
      }
      Object _ = agentWithLateClock.get();
    }
  }

  private static void round(CampaignRun run, boolean clockJumps) throws Exception {
    Path directory = run.roundDirectory();
    Path offsetFile = directory.resolveSibling("clock-" + run.rounds());
    String round = directory.getFileName().toString();
    CampaignResult result = run.result();
    DeliveryChecker checker = new DeliveryChecker(round, result);
    Random random = new Random(run.random().nextLong());
    try (StubServer server = StubServer.down();
        ClockShim clock = ClockShim.at(offsetFile);
        AgentProcess agent =
            AgentProcess.spawn(
                directory, server.url(), clockJumps ? clock.environment() : Map.of())) {
      server.keep(false);
      Behaviour healthy = checker.recordThen(StubServer.OK);
      RandomOffer offer = new RandomOffer(server, run.rounds(), random, checker, result);
      Behaviour ambiguous = Behaviour.status(500, "not quite back");
      server.onDelivery(ambiguous);
      server.onBatch(StubBatches.BatchBehaviour.of(ambiguous));
      agent.awaitReady();
      try (BackgroundClients clients =
          new BackgroundClients(
              agent.socket(),
              CLIENTS,
              4,
              PAYLOAD_BYTES,
              TimeUnit.MILLISECONDS.toNanos(2),
              checker,
              result)) {
        // Not earlier: an agent without work drains while the server is up.
        awaitAcknowledged(round, result);
        server.comeUp();
        try (ClockJumps _ = new ClockJumps(clock, random, result)) {
          LockSupport.parkNanos(AMBIGUOUS_PHASE_NANOS);
        }
        result.add("attempts with an ambiguous status", server.count());
        if (RejectedRecords.count(directory) > 0) {
          result.addViolation(
              round
                  + ": a record was rejected within seconds, though the server had accepted none"
                  + " before");
        }
        server.onDelivery(healthy);
        server.onBatch(offer.healthy());
        for (Duration offset :
            List.of(ClockJumps.ONE_HOUR_AHEAD, ClockJumps.ONE_HOUR_BACK, Duration.ZERO)) {
          awaitDeliveries(round, server, result);
          clock.setOffset(offset);
          result.recordTime(
              "replay pause after a clock jump", awaitDeliveries(round, server, result));
        }
        LockSupport.parkNanos(PHASE_NANOS / 4);
        double _ = clients.takeP99Millis();
        LockSupport.parkNanos(PHASE_NANOS / 2);
        result.recordTime("p99 latency, healthy server", (long) (clients.takeP99Millis() * 1e6));
        server.onProbe((request, out) ->
            random.nextInt(4) > 0
                ? StubServer.OK.respond(request, out)
                : FaultyResponses.withoutSuccess(random).respond(request, out));
        server.onBatch(offer.faulty());
        server.onDelivery((request, out) -> {
          if (random.nextInt(50) > 0) {
            return healthy.respond(request, out);
          }
          checker.allowRepeat();
          return FaultyResponses.forDelivery(random, checker).respond(request, out);
        });
        try (ClockJumps _ = new ClockJumps(clock, random, result)) {
          LockSupport.parkNanos(PHASE_NANOS);
        }
        result.recordTime("p99 latency, faulty server", (long) (clients.takeP99Millis() * 1e6));
        if (clients.refusedCalls() != 0 || clients.connections() != CLIENTS) {
          result.addViolation(
              round + ": clients were affected by the server: " + clients.firstFailure());
        }
      }
      server.onProbe(StubServer.OK);
      server.onDelivery(healthy);
      server.onBatch(offer.healthy());
      int exit;
      try (ClockJumps _ = new ClockJumps(clock, random, result)) {
        exit = agent.awaitExit(TIMEOUT);
      }
      long rejected = RejectedRecords.check(round, directory, checker, result);
      if (exit != (rejected == 0 ? 0 : 5)) {
        result.addViolation(
            round + ": exit " + exit + " with " + rejected + " rejected: " + agent.output());
      }
    } catch (TimeoutException notEnded) {
      result.addViolation(round + ": " + notEnded.getMessage());
    }
    checker.checkNothingLost();
    run.deleteUnlessFailed(directory);
    Files.delete(offsetFile);
  }

  private static void awaitAcknowledged(String round, CampaignResult result) {
    long start = System.nanoTime();
    long before = result.count(CampaignResult.Counter.ACKNOWLEDGED);
    while (result.count(CampaignResult.Counter.ACKNOWLEDGED) < before + RECORDS_TO_AWAIT) {
      if (System.nanoTime() - start > TIMEOUT.toNanos()) {
        result.addViolation(round + ": no record is acknowledged");
        return;
      }
      LockSupport.parkNanos(1_000_000);
    }
  }

  /// Waits for some further deliveries.
  ///
  /// @return the time until then, in nanoseconds
  private static long awaitDeliveries(String round, StubServer server, CampaignResult result) {
    long start = System.nanoTime();
    int target = server.count() + RECORDS_TO_AWAIT;
    while (server.count() < target) {
      if (System.nanoTime() - start > TIMEOUT.toNanos()) {
        result.addViolation(round + ": the server is healthy, but nothing is delivered");
        break;
      }
      LockSupport.parkNanos(1_000_000);
    }
    return System.nanoTime() - start;
  }

  /// To an agent whose clock is an hour behind, a date in two seconds seems an hour away. It may
  /// wait for it at most five minutes, and must accept records meanwhile.
  private static void runAgentWithLateClock(CampaignRun run) throws Exception {
    CampaignResult result = run.result();
    Path directory = run.roundDirectory().resolveSibling("late-clock");
    Path offsetFile = directory.resolveSibling("late-clock-offset");
    DeliveryChecker checker = new DeliveryChecker("late clock", result);
    AtomicLong tooManyRequestsNanos = new AtomicLong();
    AtomicLong deliveredNanos = new AtomicLong();
    try (StubServer server = StubServer.up();
        ClockShim clock = ClockShim.at(offsetFile)) {
      server.keep(false);
      server.onDelivery((request, out) -> {
        if (tooManyRequestsNanos.compareAndSet(0, System.nanoTime())) {
          return Behaviour.status(
                  429, "", "Retry-After: " + FaultyResponses.httpDate(Duration.ofSeconds(2)))
              .respond(request, out);
        }
        boolean _ = deliveredNanos.compareAndSet(0, System.nanoTime());
        return checker.recordThen(StubServer.OK).respond(request, out);
      });
      clock.setOffset(ClockJumps.ONE_HOUR_BACK);
      try (AgentProcess agent = AgentProcess.spawn(directory, server.url(), clock.environment())) {
        agent.awaitReady();
        try (BackgroundClients clients =
            new BackgroundClients(
                agent.socket(),
                1,
                1,
                PAYLOAD_BYTES,
                TimeUnit.MILLISECONDS.toNanos(200),
                checker,
                result)) {
          while (deliveredNanos.get() == 0
              && !hasPassed(RETRY_AFTER_TIMEOUT, tooManyRequestsNanos.get())) {
            LockSupport.parkNanos(PHASE_NANOS / 100);
          }
          if (clients.refusedCalls() != 0 || clients.connections() != 1) {
            result.addViolation("late clock: the client was affected: " + clients.firstFailure());
          }
        }
        if (deliveredNanos.get() == 0) {
          result.addViolation("late clock: no retry within " + RETRY_AFTER_TIMEOUT);
        } else {
          result.recordTime(
              "wait for a Retry-After date that seems an hour away",
              deliveredNanos.get() - tooManyRequestsNanos.get());
        }
        int exit = agent.awaitExit(RETRY_AFTER_TIMEOUT);
        if (exit != 0) {
          result.addViolation("late clock: exit " + exit + ": " + agent.output());
        }
      }
    }
    checker.checkNothingLost();
    run.deleteUnlessFailed(directory);
  }

  private static boolean hasPassed(Duration time, long sinceNanos) {
    return sinceNanos != 0 && System.nanoTime() - sinceNanos > time.toNanos();
  }
}
