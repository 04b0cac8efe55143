package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.StubServer;
import com.datanadhi.echopost.testkit.StubServer.Behaviour;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
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

/// A main server that answers everything there is, in every mix, or nothing, or half.
///
/// A round is one agent under a steady load: first beside a server of which it does not know
/// whether that or the first record is to blame, then beside one that is well, then beside one that
/// picks an answer by chance for each probe and each delivery; the latencies of the last two are
/// told. In the end the server is well, and every acknowledged record was taken by it in order, or
/// lies in `rejected` with a status that allows it. Meanwhile the agent's wall clock jumps by
/// hours, both ways. A long run has one agent more, which is an hour behind when it is told to wait
/// for a date.
final class Server implements Campaign {
  private static final long PHASE_NANOS = TimeUnit.SECONDS.toNanos(4);
  private static final long DOUBT_NANOS = TimeUnit.SECONDS.toNanos(6);
  private static final int CLIENTS = 2;
  private static final int SIZE = 300;
  private static final int ENDLESS = 300;
  private static final int FLOWING = 10;
  private static final Duration PATIENCE = Duration.ofMinutes(5);

  /// The longest that a server may ask for, and some.
  private static final Duration LONGEST_ASKED = Duration.ofMinutes(6);

  /// Of those some lead to `rejected`, some to another try (see the README's table).
  private static final int[] STATUSES = {
    100, 199, 201, 204, 226, 299, 301, 304, 307, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409,
    410, 413, 418, 422, 425, 426, 429, 431, 451, 499, 500, 501, 502, 503, 504, 507, 511, 599, 600,
    999
  };

  @Override
  public String name() {
    return "server";
  }

  @Override
  public String attack() {
    return "a server that answers anything, half, in drops, without end, or not at all; clocks that jump by hours";
  }

  @Override
  public void run(Attack attack) throws Exception {
    boolean clocks = Shims.obstacle().isEmpty();
    if (!clocks) {
      System.out.println(name() + ": without clock jumps: " + Shims.obstacle());
    }
    try (ExecutorService side = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> late =
          clocks && attack.hasTime(LONGEST_ASKED)
              ? side.submit(() -> {
                waitForADate(attack);
                return null;
              })
              : CompletableFuture.completedFuture(null);
      while (attack.goesOn()) {
        round(attack, clocks);
      }
      Object _ = late.get();
    }
  }

  private static void round(Attack attack, boolean clocks) throws Exception {
    Path directory = attack.directory();
    Path offset = directory.resolveSibling("clock-" + attack.rounds());
    String round = directory.getFileName().toString();
    Tally tally = attack.tally();
    Witness witness = new Witness(round, tally);
    Random random = new Random(attack.random().nextLong());
    try (StubServer server = StubServer.down();
        ClockShim clock = ClockShim.at(offset);
        AgentProcess agent =
            AgentProcess.spawn(directory, server.url(), clocks ? clock.environment() : Map.of())) {
      server.keep(false);
      Behaviour well = witness.recording(StubServer.OK);
      server.onDelivery(Behaviour.status(500, "not quite back"));
      agent.awaitReady();
      try (Clients clients =
          new Clients(
              agent.socket(), CLIENTS, 4, SIZE, TimeUnit.MILLISECONDS.toNanos(2), witness, tally)) {
        // Before that an agent with nothing to do would leave a server that is well.
        awaitAcknowledged(round, tally);
        server.comeUp();
        try (ClockJumps _ = new ClockJumps(clock, random, tally)) {
          LockSupport.parkNanos(DOUBT_NANOS);
        }
        tally.add("attempts in doubt", server.count());
        if (Rejected.count(directory) > 0) {
          tally.broken(round + ": a record was rejected after seconds, with none before it");
        }
        server.onDelivery(well);
        for (Duration wrong : List.of(ClockJumps.FORTH, ClockJumps.BACK, Duration.ZERO)) {
          awaitFlowing(round, server, tally);
          clock.jump(wrong);
          tally.took("pause of the replay after a jump", awaitFlowing(round, server, tally));
        }
        LockSupport.parkNanos(PHASE_NANOS / 4);
        double _ = clients.p99Millis();
        LockSupport.parkNanos(PHASE_NANOS / 2);
        tally.took("p99 beside a server that is well", (long) (clients.p99Millis() * 1e6));
        server.onProbe((request, out) ->
            random.nextInt(4) > 0
                ? StubServer.OK.answer(request, out)
                : one(random).answer(request, out));
        server.onDelivery((request, out) -> {
          if (random.nextInt(50) > 0) {
            return well.answer(request, out);
          }
          witness.mayRepeat();
          return mixed(random, witness).answer(request, out);
        });
        try (ClockJumps _ = new ClockJumps(clock, random, tally)) {
          LockSupport.parkNanos(PHASE_NANOS);
        }
        tally.took("p99 beside this one", (long) (clients.p99Millis() * 1e6));
        if (clients.refused() != 0 || clients.connections() != CLIENTS) {
          tally.broken(round + ": clients felt the server: " + clients.firstFailure());
        }
      }
      server.onProbe(StubServer.OK);
      server.onDelivery(well);
      int exit;
      try (ClockJumps _ = new ClockJumps(clock, random, tally)) {
        exit = agent.awaitExit(PATIENCE);
      }
      long rejected = Rejected.check(round, directory, witness, tally);
      if (exit != (rejected == 0 ? 0 : 5)) {
        tally.broken(
            round + ": exit " + exit + " with " + rejected + " rejected: " + agent.output());
      }
    } catch (TimeoutException stays) {
      tally.broken(round + ": " + stays.getMessage());
    }
    witness.close();
    attack.forget(directory);
    Files.delete(offset);
  }

  private static void awaitAcknowledged(String round, Tally tally) {
    long start = System.nanoTime();
    long before = tally.count(Tally.Count.ACKNOWLEDGED);
    while (tally.count(Tally.Count.ACKNOWLEDGED) < before + FLOWING) {
      if (System.nanoTime() - start > PATIENCE.toNanos()) {
        tally.broken(round + ": nothing is acknowledged");
        return;
      }
      LockSupport.parkNanos(1_000_000);
    }
  }

  /// Returns once some records more were delivered.
  ///
  /// @return how long that took, in nanoseconds
  private static long awaitFlowing(String round, StubServer server, Tally tally) {
    long start = System.nanoTime();
    int enough = server.count() + FLOWING;
    while (server.count() < enough) {
      if (System.nanoTime() - start > PATIENCE.toNanos()) {
        tally.broken(round + ": the server is well, and nothing is delivered");
        break;
      }
      LockSupport.parkNanos(1_000_000);
    }
    return System.nanoTime() - start;
  }

  /// An agent whose clock is an hour behind takes a date that has nearly come for one that is an
  /// hour away: it may wait for five minutes then, and no longer, and takes records all the while.
  private static void waitForADate(Attack attack) throws Exception {
    Tally tally = attack.tally();
    Path directory = attack.directory().resolveSibling("late");
    Path offset = directory.resolveSibling("clock-late");
    Witness witness = new Witness("late", tally);
    AtomicLong refused = new AtomicLong();
    AtomicLong taken = new AtomicLong();
    try (StubServer server = StubServer.up();
        ClockShim clock = ClockShim.at(offset)) {
      server.keep(false);
      server.onDelivery((request, out) -> {
        if (refused.compareAndSet(0, System.nanoTime())) {
          return Behaviour.status(429, "", "Retry-After: " + date(Duration.ofSeconds(2)))
              .answer(request, out);
        }
        boolean _ = taken.compareAndSet(0, System.nanoTime());
        return witness.recording(StubServer.OK).answer(request, out);
      });
      clock.jump(ClockJumps.BACK);
      try (AgentProcess agent = AgentProcess.spawn(directory, server.url(), clock.environment())) {
        agent.awaitReady();
        try (Clients clients =
            new Clients(
                agent.socket(), 1, 1, SIZE, TimeUnit.MILLISECONDS.toNanos(200), witness, tally)) {
          while (taken.get() == 0 && !hasPassed(LONGEST_ASKED, refused.get())) {
            LockSupport.parkNanos(PHASE_NANOS / 100);
          }
          if (clients.refused() != 0 || clients.connections() != 1) {
            tally.broken("late: the client felt it: " + clients.firstFailure());
          }
        }
        if (taken.get() == 0) {
          tally.broken("late: waits for more than " + LONGEST_ASKED);
        } else {
          tally.took("wait for a date that seems an hour away", taken.get() - refused.get());
        }
        int exit = agent.awaitExit(LONGEST_ASKED);
        if (exit != 0) {
          tally.broken("late: exit " + exit + ": " + agent.output());
        }
      }
    }
    witness.close();
    attack.forget(directory);
  }

  private static boolean hasPassed(Duration time, long sinceNanos) {
    return sinceNanos != 0 && System.nanoTime() - sinceNanos > time.toNanos();
  }

  /// As `Retry-After` has it.
  private static String date(Duration fromNow) {
    return DateTimeFormatter.RFC_1123_DATE_TIME.format(
        ZonedDateTime.now(ZoneOffset.UTC).plus(fromNow));
  }

  /// An answer that takes the record although the agent cannot know it, or any that does not.
  private static Behaviour mixed(Random random, Witness witness) {
    if (random.nextInt(4) > 0) {
      return one(random);
    }
    return (request, out) -> {
      witness.arrivedUnheard(request);
      return Behaviour.raw("HTTP/1.1 2").answer(request, out);
    };
  }

  /// No success, of any kind.
  private static Behaviour one(Random random) {
    return switch (random.nextInt(10)) {
      case 0 -> Behaviour.hangUp();
      case 1 -> Behaviour.raw("HTTP/1.1 503 Half an ans");
      case 2 -> Behaviour.raw("no HTTP at all\r\n\r\n");
      case 3 -> Server::drops;
      case 4 -> Server::endlessHeaders;
      case 5 -> Server::endlessBody;
      case 6 -> Behaviour.status(429, "", "Retry-After: " + retryAfter(random));
      default -> {
        int status = STATUSES[random.nextInt(STATUSES.length)];
        // What is a success is none of these.
        yield Behaviour.status(
            status / 100 == 2 ? 503 : status, "no", "Location: http://127.0.0.1:1/elsewhere");
      }
    };
  }

  private static String retryAfter(Random random) {
    return switch (random.nextInt(3)) {
      case 0 -> "1";
      case 1 -> "yesterday or so";
      // Has passed, or nearly come, by a clock that is not behind by more than an hour.
      default -> date(ClockJumps.BACK.plusSeconds(1));
    };
  }

  /// One byte now and then.
  private static boolean drops(StubServer.Request request, OutputStream out) throws IOException {
    for (byte next :
        "HTTP/1.1 503 Slow\r\nContent-Length: 0\r\n\r\n".getBytes(StandardCharsets.US_ASCII)) {
      out.write(next);
      out.flush();
      LockSupport.parkNanos(20_000_000);
    }
    return true;
  }

  private static boolean endlessHeaders(StubServer.Request request, OutputStream out)
      throws IOException {
    out.write("HTTP/1.1 503 Endless\r\n".getBytes(StandardCharsets.US_ASCII));
    return pour(out, "X-More: " + "m".repeat(1_000) + "\r\n");
  }

  private static boolean endlessBody(StubServer.Request request, OutputStream out)
      throws IOException {
    out.write(
        "HTTP/1.1 503 Endless\r\nTransfer-Encoding: chunked\r\n\r\n"
            .getBytes(StandardCharsets.US_ASCII));
    return pour(out, "3e8\r\n" + "b".repeat(1_000) + "\r\n");
  }

  private static boolean pour(OutputStream out, String piece) throws IOException {
    byte[] bytes = piece.getBytes(StandardCharsets.US_ASCII);
    for (int i = 0; i < ENDLESS; i++) {
      out.write(bytes);
      out.flush();
    }
    return false;
  }
}
