package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.StubServer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;

/// kill -9 of the agent and its launcher at any moment of their lives.
///
/// A round is one directory: clients send, the server comes and goes, the agent is killed and
/// started again; then the clients stop, the server stays, the agent is killed twice more while it
/// replays and drains, and must end by itself with all delivered.
final class Kill implements Campaign {
  private static final int KILLS_IN_A_ROUND = 12;
  private static final int LONGEST_LIFE_MILLIS = 700;
  private static final int LONGEST_DRAIN_MILLIS = 3_000;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @Override
  public String name() {
    return "kill";
  }

  @Override
  public String attack() {
    return "kill -9 at random moments of start-up, ingest, replay, checkpoint and drain";
  }

  @Override
  public void run(Attack attack) throws Exception {
    while (attack.goesOn()) {
      round(attack);
    }
  }

  private static void round(Attack attack) throws Exception {
    Random random = attack.random();
    Path directory = attack.directory();
    Witness witness = new Witness(directory.getFileName().toString(), attack.tally());
    try (StubServer server = StubServer.down()) {
      server.keep(false);
      server.onDelivery(witness.recording(StubServer.OK));
      AgentProcess agent = AgentProcess.spawn(directory, server.url());
      try (Clients _ =
          new Clients(
              agent.socket(),
              1 + random.nextInt(4),
              1 + random.nextInt(64),
              50 + random.nextInt(2_000),
              0,
              witness,
              attack.tally())) {
        for (int kill = 0; kill < KILLS_IN_A_ROUND; kill++) {
          if (random.nextBoolean()) {
            server.comeUp();
          } else {
            server.goDown();
            witness.mayRepeat();
          }
          if (random.nextInt(4) > 0) {
            agent.awaitReady();
          }
          // The first moments, of a start or of serving, are no less likely than all the rest.
          live(random.nextInt(1 + random.nextInt(LONGEST_LIFE_MILLIS)));
          agent = killed(agent, server, witness);
        }
      }
      server.comeUp();
      for (int kill = 0; kill < 2; kill++) {
        live(random.nextInt(LONGEST_DRAIN_MILLIS));
        agent = killed(agent, server, witness);
      }
      end(agent, witness, attack.tally());
      attack.forget(directory);
    }
  }

  /// Kills `agent`, and starts another on its directory.
  private static AgentProcess killed(AgentProcess agent, StubServer server, Witness witness)
      throws Exception {
    agent.close();
    witness.crashed();
    return AgentProcess.spawn(agent.directory(), server.url());
  }

  private static void end(AgentProcess agent, Witness witness, Tally tally) throws Exception {
    try (agent) {
      int exit = agent.awaitExit(PATIENCE);
      if (exit != 0) {
        tally.broken("exit " + exit + ": " + agent.output());
      }
    } catch (TimeoutException stays) {
      tally.broken(String.valueOf(stays.getMessage()));
    }
    witness.close();
  }

  private static void live(int millis) {
    LockSupport.parkNanos(millis * 1_000_000L);
  }
}
