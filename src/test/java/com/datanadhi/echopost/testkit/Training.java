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

/// Makes the AOT cache that the program ships with: the JVM records what the agent loads, links and
/// how it runs while it does its whole job, from an empty directory (which needs the most) to its
/// end: it takes records, waits for its server, replays, drains and leaves. Then the cache is
/// tried: an agent that is killed, and one that starts on what that left.
///
/// All of it is done once more before that, for the forms of method handles that the JDK has not
/// compiled beforehand. Each start would compile them, since who makes a cache takes such forms
/// from the JDK's list of classes alone: they are added to it.
public final class Training {
  private static final int RECORDS = 10_000;
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final String FORM = "@lambda-form-invoker";

  private Training() {}

  /// `Training CACHE COMMAND…`: COMMAND starts the agent; its first word is the JVM, whose list of
  /// classes is added to.
  public static void main(String[] args) throws Exception {
    Path cache = Path.of(args[0]);
    List<String> command = List.of(args).subList(1, args.length);
    addForms(command);
    run("while it was recorded", with(command, "-XX:AOTCacheOutput=" + cache), false);
    run("with its AOT cache", with(command, "-XX:AOTCache=" + cache, "-XX:AOTMode=on"), true);
  }

  private static void addForms(List<String> command) throws Exception {
    Path ours = Files.createTempFile("echopost", ".classlist");
    Path jdks = Path.of(command.getFirst()).resolveSibling("../lib/classlist");
    try {
      run("while its classes were listed", with(command, "-XX:DumpLoadedClassList=" + ours), false);
      try (Stream<String> lines = Files.lines(ours)) {
        List<String> forms = lines.filter(line -> line.startsWith(FORM)).toList();
        if (forms.isEmpty()) {
          throw new IllegalStateException("the JVM lists no forms of method handles any more");
        }
        Files.write(jdks, forms, StandardOpenOption.APPEND);
      }
    } finally {
      Files.delete(ours);
    }
  }

  private static List<String> with(List<String> command, String... options) {
    List<String> longer = new ArrayList<>(command);
    longer.addAll(1, List.of(options));
    return longer;
  }

  private static void run(String when, List<String> command, boolean kill) throws Exception {
    // Short: on macOS the place for such directories has a long name, and a socket must go below
    // it.
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
        int exit = agent.awaitExit(PATIENCE);
        if (exit != 0) {
          throw new IllegalStateException("exit status " + exit + ":\n" + agent.output());
        }
      }
      if (server.distinct() != RECORDS) {
        throw new IllegalStateException("the agent did not do its job " + when);
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
