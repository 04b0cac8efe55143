package com.datanadhi.echopost.bench;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.StubServer;
import java.util.List;

/// The time from the spawn to the socket file, in an empty directory, the program's file in the
/// page cache.
///
/// Floor: the JDK's own `java -version`, spawn to exit.
final class StartUp implements Measurement {
  private final Workbench bench;
  private final Series agent = new Series();
  private final Series java = new Series();

  StartUp(Workbench bench) {
    this.bench = bench;
  }

  @Override
  public String name() {
    return "start-up";
  }

  @Override
  public void round() throws Exception {
    try (StubServer server = StubServer.down()) {
      long start = System.nanoTime();
      AgentProcess process = bench.spawnAgent(bench.newDirectory(), server.url());
      process.awaitSocket();
      agent.add((System.nanoTime() - start) / 1e6);
      bench.stop(process);
    }
    long start = System.nanoTime();
    Process version =
        new ProcessBuilder(Workbench.javaCommand(), "-version")
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    int exit = version.waitFor();
    java.add((System.nanoTime() - start) / 1e6);
    if (exit != 0) {
      throw new IllegalStateException("java -version failed");
    }
  }

  @Override
  public List<Figure> figures() {
    return List.of(
        new Figure(
            "socket_ready",
            "socket ready after spawn",
            "ms",
            agent,
            List.of(new Figure.Floor("java -version", java))));
  }
}
