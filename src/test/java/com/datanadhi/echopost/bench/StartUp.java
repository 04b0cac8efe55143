package com.datanadhi.echopost.bench;

import java.io.IOException;
import java.util.List;

/// The time from the spawn to the socket file, in an empty directory, the program's file in the
/// page cache; and from there until the first record, sent on a new connection, is acknowledged.
///
/// Floors: the JDK's own `java -version`, spawn to exit; and a second record, on a new connection
/// too. The no-op service, whose JVM has no AOT cache, starts too late to be one.
final class StartUp implements Measurement {
  private final Workbench bench;
  private final Values values = new Values();

  StartUp(Workbench bench) {
    this.bench = bench;
  }

  @Override
  public String name() {
    return "start-up";
  }

  @Override
  public void round() throws Exception {
    bench.onPrograms(this::measure);
    long start = System.nanoTime();
    Process version =
        new ProcessBuilder(Workbench.javaCommand(), "-version")
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    int exit = version.waitFor();
    values.add("socket_ready", "java -version", (System.nanoTime() - start) / 1e6);
    if (exit != 0) {
      throw new IOException("java -version failed");
    }
  }

  private void measure(Service service) {
    try (Sender sender = new Sender(service.socket())) {
      values.add("first_record", service.name(), millisToSendOne(sender));
      if (service.name().equals(Program.ECHOPOST)) {
        values.add("first_record", "the second record", millisToSendOne(sender));
      }
    }
    values.add(
        "socket_ready", service.name(), (service.readyNanos() - service.spawnedNanos()) / 1e6);
  }

  private static double millisToSendOne(Sender sender) {
    long start = System.nanoTime();
    sender.one();
    return (System.nanoTime() - start) / 1e6;
  }

  @Override
  public List<Figure> figures() {
    return List.of(
        values.figure("socket_ready", "socket ready after spawn", "ms"),
        values.figure("first_record", "first record acknowledged after that", "ms"));
  }
}
