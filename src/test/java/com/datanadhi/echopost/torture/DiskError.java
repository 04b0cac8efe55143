package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.StubServer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;

/// A disk that fails: reads, writes or syncs of one of the buffer's files return EIO, once or for
/// good.
///
/// A round is one directory: clients send, the disk begins to fail, the agent goes on or ends with
/// status 1, and is started again, on the failing disk and then on the mended one, where clients go
/// on sending. After a sync that failed, what it should have covered is on the disk or not,
/// whatever the page cache shows: so the power is cut too, at random moments from the first failure
/// on. Whatever was acknowledged must be there each time.
final class DiskError implements Campaign {
  private static final List<String> FILES =
      List.of("buffer.db-wal", "buffer.db-wal", "buffer.db", "buffer.db*", "reserve", "*");
  private static final List<DiskShim.Call> CALLS = List.of(DiskShim.Call.values());
  private static final int MOST_CALLS_BEFORE = 12;
  private static final int MOST_RECORDS = 400;
  private static final int CUTS = 4;
  private static final long FAILING_NANOS = 700_000_000;
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final int FATAL = 1;

  @Override
  public String name() {
    return "disk-error";
  }

  @Override
  public String attack() {
    return "EIO, once and for good, on write, on fsync, on read; then a power loss";
  }

  @Override
  public String obstacle() {
    return Shims.obstacle();
  }

  @Override
  public void run(Attack attack) throws Exception {
    while (attack.goesOn()) {
      Tally tally = new Tally();
      String fault = new Round(attack, tally).run();
      attack.tally().take(tally, fault);
    }
  }

  private static final class Round {
    private final Path home;
    private final Random random;
    private final Tally figures;
    private final Tally tally;
    private final String name;
    private final Attack attack;

    Round(Attack attack, Tally tally) {
      this.attack = attack;
      this.home = attack.directory();
      this.random = attack.random();
      this.figures = attack.tally();
      this.tally = tally;
      this.name = "round " + attack.rounds();
    }

    /// @return what failed
    String run() throws Exception {
      DiskShim shim = new DiskShim(home);
      DiskShim.Call call = CALLS.get(random.nextInt(CALLS.size()));
      String file = FILES.get(random.nextInt(FILES.size()));
      int nth = 1 + random.nextInt(MOST_CALLS_BEFORE);
      boolean forGood = random.nextBoolean();
      Chronicle chronicle = new Chronicle(shim);
      long begun;
      boolean up = random.nextBoolean();
      try (StubServer server = StubServer.down()) {
        server.keep(false);
        server.onDelivery(chronicle.recording());
        AgentProcess agent = spawn(shim, server);
        try (Clients clients =
            new Clients(
                agent.socket(),
                3,
                1 + random.nextInt(32),
                50 + random.nextInt(1_000),
                500_000,
                chronicle,
                figures)) {
          chronicle.awaitAcknowledged(1 + random.nextInt(MOST_RECORDS), PATIENCE);
          if (up) {
            // Not before: an agent without work leaves, and on a busy machine clients come late.
            server.comeUp();
          }
          begun = shim.journalLength();
          shim.fail(call, file, nth, forGood);
          agent = bear(agent, shim, server);
          if (forGood) {
            agent = bear(agent, shim, server);
          }
          shim.mend();
          agent = recover(agent, shim, server, chronicle);
          figures.add("refused", clients.refused());
        }
        agent.terminate();
        end(agent);
      }
      figures.add("failed calls", shim.failures());
      History history = new History(shim, chronicle);
      cutPower(history, begun);
      deliverAll(history);
      if (tally.isSound()) {
        attack.forget(home);
      }
      return call + " of " + file + (forGood ? ", for good" : ", once") + ", from call " + nth;
    }

    /// Lets the disk fail for a while; where the agent ends, starts another.
    private AgentProcess bear(AgentProcess agent, DiskShim shim, StubServer server)
        throws Exception {
      server.goDown();
      LockSupport.parkNanos(FAILING_NANOS);
      server.comeUp();
      LockSupport.parkNanos(FAILING_NANOS);
      if (agent.isAlive()) {
        figures.add("survived", 1);
        return agent;
      }
      end(agent);
      return spawn(shim, server);
    }

    /// Returns the agent that has taken records on the mended disk.
    private AgentProcess recover(
        AgentProcess failing, DiskShim shim, StubServer server, Chronicle chronicle)
        throws Exception {
      AgentProcess agent = failing;
      int records = 1 + random.nextInt(MOST_RECORDS);
      for (int tries = 0; tries < PATIENCE.toSeconds(); tries++) {
        try {
          chronicle.awaitAcknowledged(records, Duration.ofSeconds(1));
          return agent;
        } catch (TimeoutException slow) {
          // It may also find out late that the disk has failed.
          if (!agent.isAlive()) {
            end(agent);
            agent = spawn(shim, server);
          }
        }
      }
      tally.broken(name + ": takes no records on the mended disk: " + agent.output());
      return agent;
    }

    private void end(AgentProcess agent) throws Exception {
      try (agent) {
        int exit = agent.awaitExit(PATIENCE);
        figures.add("exit " + exit, 1);
        if (exit != FATAL && exit != 0 && exit != 4) {
          tally.broken(name + ": exit " + exit + ": " + agent.output());
        }
      } catch (TimeoutException stays) {
        tally.broken(name + ": " + stays.getMessage());
      }
    }

    private static AgentProcess spawn(DiskShim shim, StubServer server) throws Exception {
      return AgentProcess.spawn(shim.directory(), server.url(), shim.environment());
    }

    private void cutPower(History history, long from) throws Exception {
      try (PowerCuts cuts = new PowerCuts(history, Disk.Syncs.HONOURED, from, CUTS, random)) {
        while (cuts.hasNext()) {
          Path disk = home.resolve("cut-" + random.nextLong());
          Witness witness = new Witness(name, tally);
          cuts.next(disk, witness, random);
          List<String> wrong = Remains.read(disk, witness, true);
          witness.close();
          wrong.forEach(one -> tally.broken(name + ": " + one + " at " + cuts));
        }
      }
    }

    /// What is on the disk that failed, once it is mended.
    private void deliverAll(History history) throws Exception {
      Witness witness = new Witness(name, tally);
      history.chronicle().tell(witness, Long.MAX_VALUE);
      witness.crashed();
      Remains.drain(history.shim().disk(), witness, true)
          .forEach(one -> tally.broken(name + ": " + one));
      witness.close();
    }
  }
}
