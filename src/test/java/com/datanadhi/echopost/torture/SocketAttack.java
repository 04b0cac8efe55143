package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.LoadClient;
import com.datanadhi.echopost.testkit.StubServer;
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

/// The socket's name deleted or replaced, and agents spawned on top of the one that lives.
///
/// A round is one agent. While the name is only deleted, and others are spawned, an application
/// sends by the SDK's rules and nothing may fail but what looked before a deletion and connected
/// after it. Exactly one agent owns the directory; all others end with 3.
final class SocketAttack implements Campaign {
  private static final int BLOWS = 12;
  private static final int CROWD = 20;
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final long HEALED_NANOS = TimeUnit.SECONDS.toNanos(10);

  // Numbers the records that are sent to see whether the name is healed.
  private int looks;

  @Override
  public String name() {
    return "socket";
  }

  @Override
  public String attack() {
    return "the socket's name deleted or replaced, second agents spawned, twenty at once";
  }

  @Override
  public void run(Attack attack) throws Exception {
    while (attack.goesOn()) {
      round(attack);
    }
  }

  private void round(Attack attack) throws Exception {
    Path directory = attack.directory();
    String round = directory.getFileName().toString();
    Tally tally = attack.tally();
    Random random = attack.random();
    Witness witness = new Witness(round, tally);
    try (StubServer server = StubServer.down();
        AgentProcess agent = AgentProcess.spawn(directory, server.url())) {
      server.keep(false);
      server.onDelivery(witness.recording(StubServer.OK));
      agent.awaitReady();
      List<Instant> deletions = java.util.Collections.synchronizedList(new ArrayList<>());
      try (Sdk sdk = new Sdk(directory, server.url(), witness, tally)) {
        AtomicBoolean enough = new AtomicBoolean();
        List<Sdk.Sent> failures = java.util.Collections.synchronizedList(new ArrayList<>());
        Thread application = Thread.ofPlatform().start(() -> log(sdk, enough, failures, tally));
        for (int blow = 0; blow < BLOWS; blow++) {
          if (random.nextInt(4) > 0) {
            deletions.add(Instant.now());
            boolean _ = Files.deleteIfExists(agent.socket());
            awaitHealed(round + " after a deletion", agent, tally);
          } else {
            second(round, agent, server, tally);
          }
        }
        crowd(round, random.nextBoolean(), agent, server, deletions, tally);
        enough.set(true);
        application.join();
        explain(round, failures, deletions, tally);
        for (AgentProcess spawned : sdk.agents()) {
          expectOwned(round, spawned, tally);
        }
      }
      replace(round, agent, random, tally);
      server.comeUp();
      int exit = agent.awaitExit(PATIENCE);
      if (exit != 0) {
        tally.broken(round + ": exit " + exit + ": " + agent.output());
      }
    } catch (TimeoutException stays) {
      tally.broken(round + ": " + stays.getMessage());
    }
    witness.close();
    attack.forget(directory);
  }

  private static void log(Sdk sdk, AtomicBoolean enough, List<Sdk.Sent> failures, Tally tally) {
    for (int seq = 0; !enough.get(); seq++) {
      try {
        Sdk.Sent sent = sdk.send(0, seq);
        if (!(sent instanceof Sdk.Sent.Acknowledged)) {
          failures.add(sent);
        }
      } catch (IOException broken) {
        tally.broken(broken.toString());
      }
      LockSupport.parkNanos(2_000_000);
    }
  }

  private static void explain(
      String round, List<Sdk.Sent> failures, List<Instant> deletions, Tally tally) {
    for (Sdk.Sent failure : failures) {
      if (failure instanceof Sdk.Sent.NobodyThere(Instant looked, Instant tried, boolean _)
          && deletions.stream()
              .anyMatch(at -> !at.isBefore(looked.minusMillis(1)) && !at.isAfter(tried))) {
        tally.add("sends into the gap", 1);
      } else {
        tally.broken(round + ": a send failed: " + failure + ", deletions " + deletions);
      }
    }
  }

  private static void second(String round, AgentProcess agent, StubServer server, Tally tally)
      throws Exception {
    try (AgentProcess second = AgentProcess.spawn(agent.directory(), server.url())) {
      expectOwned(round, second, tally);
    }
  }

  private void crowd(
      String round,
      boolean deleting,
      AgentProcess agent,
      StubServer server,
      List<Instant> deletions,
      Tally tally)
      throws Exception {
    List<AgentProcess> crowd = new ArrayList<>();
    try {
      for (int i = 0; i < CROWD; i++) {
        if (deleting) {
          deletions.add(Instant.now());
          boolean _ = Files.deleteIfExists(agent.socket());
        }
        crowd.add(AgentProcess.spawn(agent.directory(), server.url()));
      }
      for (AgentProcess one : crowd) {
        expectOwned(round, one, tally);
      }
    } finally {
      for (AgentProcess one : crowd) {
        one.close();
      }
    }
    awaitHealed(round + " after a crowd", agent, tally);
  }

  private static void expectOwned(String round, AgentProcess second, Tally tally) throws Exception {
    int exit = second.awaitExit(PATIENCE);
    tally.add("second agents", 1);
    if (exit != 3) {
      tally.broken(round + ": a second agent ended with " + exit + ": " + second.output());
    }
  }

  /// What stands at the name must be a socket that answers.
  private void awaitHealed(String when, AgentProcess agent, Tally tally) {
    long start = System.nanoTime();
    String last = "";
    try (LoadClient client = new LoadClient(agent.socket())) {
      while (System.nanoTime() - start < HEALED_NANOS) {
        if (Files.exists(agent.socket())) {
          long there = System.nanoTime() - start;
          try {
            boolean _ = client.send(LoadClient.request(9, looks++, 50)).getSuccess();
            tally.took("healing", there);
            return;
          } catch (StatusRuntimeException notYet) {
            last = notYet.toString();
          }
        }
        LockSupport.parkNanos(500_000);
      }
    }
    tally.broken(when + ": not healed in 10 s: " + last);
  }

  private void replace(String round, AgentProcess agent, Random random, Tally tally)
      throws IOException {
    Path socket = agent.socket();
    Path strange = agent.directory().resolve("strange");
    for (int i = 0; i < 4; i++) {
      if (random.nextBoolean()) {
        Files.writeString(strange, "not a socket");
        move(strange, socket);
        awaitHealed(round + " after a file took its place", agent, tally);
      } else {
        try (ServerSocketChannel other = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
          var _ = other.bind(UnixDomainSocketAddress.of(strange));
          move(strange, socket);
          // Who connects to it gets no answer: so it is looked at only once it is gone.
          awaitOther(socket, round, tally);
        }
        awaitHealed(round + " after a socket took its place", agent, tally);
      }
    }
  }

  private static void awaitOther(Path socket, String round, Tally tally) throws IOException {
    Object strange = Files.getAttribute(socket, "unix:ino");
    long start = System.nanoTime();
    while (System.nanoTime() - start < HEALED_NANOS) {
      if (Files.exists(socket) && !Files.getAttribute(socket, "unix:ino").equals(strange)) {
        tally.took("healing", System.nanoTime() - start);
        return;
      }
      LockSupport.parkNanos(500_000);
    }
    tally.broken(round + ": a strange socket still stands there after 10 s");
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
