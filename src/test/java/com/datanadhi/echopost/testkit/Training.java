package com.datanadhi.echopost.testkit;

import com.datanadhi.testkit.Directories;
import com.datanadhi.testkit.StubServer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// Creates the AOT cache that the program ships with. In the training run, the JVM records which
/// classes the agent loads and links, and profiles its methods. The agent does its whole job in it:
/// it starts on an empty directory, which loads the most classes, accepts records, waits for the
/// main server, replays, drains and exits. A second run checks the cache: an agent is killed, and
/// another one delivers the records that the first one left behind.
///
/// Before the training run, another run lists the lambda forms that the agent uses. The JDK takes
/// the lambda forms of a cache only from its own class list, and each start would generate all
/// others. So they are added to that list.
public final class Training {
  private static final int RECORDS = 10_000;
  private static final Duration DRAIN_TIMEOUT = Duration.ofMinutes(2);
  private static final String LAMBDA_FORM = "@lambda-form-invoker";

  private Training() {}

  /// `Training CACHE COMMAND…`: COMMAND starts the agent. Its first word is the JVM whose class
  /// list is extended.
  public static void main(String[] args) throws Exception {
    Path cache = Path.of(args[0]);
    List<String> command = List.of(args).subList(1, args.length);
    addLambdaForms(command);
    run("in the training run", with(command, "-XX:AOTCacheOutput=" + cache), false);
    run("with its AOT cache", with(command, "-XX:AOTCache=" + cache, "-XX:AOTMode=on"), true);
  }

  private static void addLambdaForms(List<String> command) throws Exception {
    Path agentClasses = Files.createTempFile("echopost", ".classlist");
    Path jdkClasses = Path.of(command.getFirst()).resolveSibling("../lib/classlist");
    try {
      run(
          "while its classes were listed",
          with(command, "-XX:DumpLoadedClassList=" + agentClasses),
          false);
      try (Stream<String> lines = Files.lines(agentClasses)) {
        List<String> forms = lines.filter(line -> line.startsWith(LAMBDA_FORM)).toList();
        if (forms.isEmpty()) {
          throw new IllegalStateException(
              "the class list of the JVM has no lambda forms: check the option that creates it");
        }
        Files.write(jdkClasses, forms, StandardOpenOption.APPEND);
      }
    } finally {
      Files.delete(agentClasses);
    }
  }

  private static List<String> with(List<String> command, String... options) {
    List<String> extended = new ArrayList<>(command);
    extended.addAll(1, List.of(options));
    return extended;
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
