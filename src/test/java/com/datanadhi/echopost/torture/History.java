package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.StubServer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;

/// Some seconds in the life of a directory, under load: all that agents wrote to its disk, and what
/// clients and the server saw meanwhile.
///
/// @param shim has the journal
/// @param chronicle what clients and the server saw
record History(DiskShim shim, Chronicle chronicle) {
  private static final int LIVES = 3;
  private static final int CHANGES_IN_A_LIFE = 5;
  private static final int MOST_RECORDS_TO_A_CHANGE = 400;
  private static final int LONGEST_PAUSE_NANOS = 1_000_000;
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /// Lives it: several clients send, pipelined, the server comes and goes, agents are told to stop
  /// and started again, and in the end the last one has delivered all and leaves, or is stopped.
  static History live(Path home, Random random, Tally tally) throws Exception {
    DiskShim shim = new DiskShim(home);
    Chronicle chronicle = new Chronicle(shim);
    try (StubServer server = StubServer.down()) {
      server.keep(false);
      server.onDelivery(chronicle.recording());
      AgentProcess agent = spawn(shim, server);
      try (Clients _ =
          new Clients(
              agent.socket(),
              2 + random.nextInt(3),
              1 + random.nextInt(32),
              50 + random.nextInt(1_000),
              random.nextInt(LONGEST_PAUSE_NANOS),
              chronicle,
              tally)) {
        for (int life = 1; life <= LIVES; life++) {
          for (int change = 0; change < CHANGES_IN_A_LIFE; change++) {
            chronicle.awaitAcknowledged(1 + random.nextInt(MOST_RECORDS_TO_A_CHANGE), PATIENCE);
            if (random.nextBoolean()) {
              server.comeUp();
            } else {
              server.goDown();
            }
          }
          if (life < LIVES) {
            stop(agent, tally);
            agent = spawn(shim, server);
          }
        }
      }
      if (random.nextBoolean()) {
        server.comeUp();
      } else {
        agent.terminate();
      }
      end(agent, tally);
    }
    return new History(shim, chronicle);
  }

  private static AgentProcess spawn(DiskShim shim, StubServer server) throws Exception {
    return AgentProcess.spawn(shim.directory(), server.url(), shim.environment());
  }

  private static void stop(AgentProcess agent, Tally tally) throws Exception {
    agent.terminate();
    end(agent, tally);
  }

  private static void end(AgentProcess agent, Tally tally) throws Exception {
    try (agent) {
      int exit = agent.awaitExit(PATIENCE);
      if (exit != 0 && exit != 4) {
        tally.broken("exit " + exit + ", and the disk was sound: " + agent.output());
      }
    }
  }
}
