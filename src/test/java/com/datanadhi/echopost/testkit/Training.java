package com.datanadhi.echopost.testkit;

import com.datanadhi.testkit.AotTraining;
import com.datanadhi.testkit.Directories;
import com.datanadhi.testkit.StubServer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/// Creates the AOT cache that the agent ships with (see [AotTraining]). The agent does its whole
/// job in the training run: it starts on an empty directory, which loads the most classes, accepts
/// records, waits for the main server, replays, drains and exits. A second run checks the cache: an
/// agent is killed, and another one delivers the records that the first one left behind.
public final class Training {
  private static final int RECORDS = 10_000;
  private static final Duration DRAIN_TIMEOUT = Duration.ofMinutes(2);

  private Training() {}

  /// `Training CACHE COMMAND…`: COMMAND starts the agent.
  public static void main(String[] args) throws Exception {
    AotTraining.create(Path.of(args[0]), List.of(args).subList(1, args.length), Training::run);
  }

  private static void run(String when, List<String> command, boolean kill) throws Exception {
    // A short name: temporary directories have long paths on macOS, and the path of a socket has a
    // length limit.
    Path directory = Files.createTempDirectory("echopost");
    try (StubServer server = StubServer.down()) {
      if (kill) {
        try (AgentProcess killed = AgentProcess.spawn(command, directory, server.url())) {
          send(killed);
          killed.kill();
        }
      }
      try (AgentProcess agent = AgentProcess.spawn(command, directory, server.url())) {
        if (!kill) {
          send(agent);
        }
        agent.awaitReady();
        server.comeUp();
        int exit = agent.awaitExit(DRAIN_TIMEOUT);
        if (exit != 0) {
          throw new IllegalStateException("exit status " + exit + ":\n" + agent.output());
        }
      }
      if (server.distinct() != RECORDS) {
        throw new IllegalStateException("the agent did not deliver all records " + when);
      }
    } finally {
      Directories.delete(directory);
    }
  }

  private static void send(AgentProcess agent) throws InterruptedException {
    agent.awaitReady();
    try (LoadClient client = new LoadClient(agent.socket())) {
      var _ = client.run(new LoadClient.Load(RECORDS, 330, 4, 64, 0, 0), _ -> {});
    }
  }
}
