package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.proto.LogAgentGrpc;
import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.LoadClient;
import com.datanadhi.echopost.testkit.RawConnection;
import com.datanadhi.echopost.testkit.StubServer;
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

/// Clients that keep no rules, by the ten thousand, beside one that does.
///
/// A round is one agent: flood after flood, each of another kind, all of them over and over for two
/// minutes if there is time; after each a new client must be served, and the old one must not have
/// been disturbed. In the end memory and descriptors are back, the server comes up, and all that
/// was acknowledged arrives.
final class Garbage implements Campaign {
  private static final long FLOOD_NANOS = TimeUnit.MILLISECONDS.toNanos(1_200);
  private static final long LIFE_NANOS = TimeUnit.MINUTES.toNanos(2);
  private static final int HELD = 2_000;

  /// The agent has no more than 512 connections open.
  private static final int MOST_DESCRIPTORS_MORE_DURING = 600;

  private static final int MOST_DESCRIPTORS_MORE = 16;
  private static final long MOST_RESIDENT_MIB = 420;
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration SERVED = Duration.ofSeconds(60);
  private static final long SECOND_NANOS = TimeUnit.SECONDS.toNanos(1);

  /// Half of the time after which a connection on which nothing comes is closed to make room.
  private static final Duration IDLE = Duration.ofMillis(500);

  private static final int NEW = 50;
  private static final int GREEDY = 60;
  private static final int CHANNELS = 6;
  private static final int LARGE = 4_000_000;

  @Override
  public String name() {
    return "garbage";
  }

  @Override
  public String attack() {
    return "floods of broken, idle, half-open and greedy connections beside a client that behaves";
  }

  @Override
  public void run(Attack attack) throws Exception {
    while (attack.goesOn()) {
      round(attack);
    }
  }

  private static void round(Attack attack) throws Exception {
    Path directory = attack.directory();
    Tally tally = attack.tally();
    String round = directory.getFileName().toString();
    Witness witness = new Witness(round, tally);
    try (StubServer server = StubServer.down();
        Stalls stalls = new Stalls();
        AgentProcess agent = AgentProcess.spawn(directory, server.url())) {
      server.keep(false);
      server.onDelivery(witness.recording(StubServer.OK));
      agent.awaitReady();
      try (Clients old =
          new Clients(
              agent.socket(), 1, 4, 300, TimeUnit.MILLISECONDS.toNanos(5), witness, tally)) {
        try (Footprint footprint = new Footprint(agent)) {
          floods(attack, round, agent);
          awaitDescriptors(round, footprint, tally);
          footprint.tell(tally);
          if (footprint.peakResidentMib() > MOST_RESIDENT_MIB
              || footprint.peakDescriptors()
                  > footprint.descriptorsBefore() + MOST_DESCRIPTORS_MORE_DURING) {
            tally.broken(round + ": " + footprint);
          }
        }
        if (old.refused() == 0 && stalls.longest().compareTo(IDLE) >= 0) {
          tally.add(
              "connections that this machine held up, and that were closed for it",
              old.connections() - 1);
        } else if (old.connections() != 1 || old.refused() != 0) {
          tally.broken(
              round
                  + ": the client that behaves made "
                  + old.connections()
                  + " connections, and was refused "
                  + old.refused()
                  + " times: "
                  + old.firstFailure());
        }
      }
      server.comeUp();
      int exit = agent.awaitExit(PATIENCE);
      if (exit != 0) {
        tally.broken(round + ": exit " + exit + ": " + agent.output());
      }
    } catch (java.util.concurrent.TimeoutException stays) {
      tally.broken(round + ": " + stays.getMessage());
    }
    witness.close();
    attack.forget(directory);
  }

  /// Each kind once at least.
  private static void floods(Attack attack, String round, AgentProcess agent) throws IOException {
    Tally tally = attack.tally();
    long end = System.nanoTime() + LIFE_NANOS;
    int seq = 0;
    do {
      List<Flood> floods = new ArrayList<>(List.of(Flood.values()));
      java.util.Collections.shuffle(floods, attack.random());
      for (Flood flood : floods) {
        flood(flood, agent, attack.random(), tally);
        seq = serve(round + " after " + flood, agent, seq, tally);
      }
      greedy(agent, seq);
      seq = serve(round + " after large messages", agent, seq + CHANNELS, tally);
    } while (attack.hasTime() && System.nanoTime() - end < 0);
  }

  private static void flood(Flood flood, AgentProcess agent, Random random, Tally tally)
      throws IOException {
    List<RawConnection> held = new ArrayList<>();
    long end = System.nanoTime() + FLOOD_NANOS;
    long made = 0;
    while (System.nanoTime() - end < 0) {
      RawConnection connection;
      try {
        connection = new RawConnection(agent.socket());
      } catch (IOException full) {
        // The backlog is: the agent has to catch up.
        LockSupport.parkNanos(100_000);
        continue;
      }
      made++;
      if (flood.on(connection, random)) {
        held.add(connection);
        if (held.size() > HELD) {
          held.removeFirst().close();
        }
      } else {
        connection.close();
      }
    }
    for (RawConnection connection : held) {
      connection.close();
    }
    tally.add("connections", made);
  }

  /// Calls of 4 MB side by side, all cut off in the middle.
  private static void greedy(AgentProcess agent, int firstSeq) {
    try (LoadClient clients = new LoadClient(agent.socket())) {
      List<ManagedChannel> channels = new ArrayList<>();
      for (int c = 0; c < CHANNELS; c++) {
        ManagedChannel channel = clients.newChannel();
        channels.add(channel);
        for (int call = 0; call < CHANNELS; call++) {
          LogAgentGrpc.newStub(channel)
              .sendLog(LoadClient.request(GREEDY + c, firstSeq + call, LARGE), ignored());
        }
      }
      LockSupport.parkNanos(FLOOD_NANOS / 4);
      channels.forEach(ManagedChannel::shutdownNow);
    }
  }

  private static <T> StreamObserver<T> ignored() {
    return new StreamObserver<>() {
      @Override
      public void onNext(T value) {}

      @Override
      public void onError(Throwable thrown) {}

      @Override
      public void onCompleted() {}
    };
  }

  /// A new client must get its answer.
  private static int serve(String when, AgentProcess agent, int firstSeq, Tally tally) {
    int seq = firstSeq;
    long start = System.nanoTime();
    String last = "";
    try (LoadClient client = new LoadClient(agent.socket())) {
      while (System.nanoTime() - start < SERVED.toNanos()) {
        try {
          if (client.send(LoadClient.request(NEW, seq++, 100)).getSuccess()) {
            long took = System.nanoTime() - start;
            tally.took("wait of a new client " + when.replaceAll(".*after", "after"), took);
            tally.add("floods", 1);
            tally.add("new clients that waited more than 1 s", took > SECOND_NANOS ? 1 : 0);
            return seq;
          }
        } catch (StatusRuntimeException refused) {
          last = refused.toString();
          LockSupport.parkNanos(1_000_000);
        }
      }
    }
    tally.broken(when + ": a new client is not served: " + last);
    return seq;
  }

  private static void awaitDescriptors(String round, Footprint footprint, Tally tally)
      throws IOException {
    long end = System.nanoTime() + SERVED.toNanos();
    long most = footprint.descriptorsBefore() + MOST_DESCRIPTORS_MORE;
    while (footprint.descriptors() > most && System.nanoTime() - end < 0) {
      LockSupport.parkNanos(10_000_000);
    }
    if (footprint.descriptors() > most) {
      tally.broken(round + ": descriptors are not given back: " + footprint);
    }
  }
}
