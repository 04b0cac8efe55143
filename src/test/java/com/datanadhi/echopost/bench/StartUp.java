package com.datanadhi.echopost.bench;

import java.io.IOException;
import java.util.List;

/// Measures the time from spawn to socket, with an empty directory and the program in the page
/// cache; and the time from there until the first record, on a new connection, is acknowledged.
///
/// Floors: `java -version` of this JDK, from spawn to exit; and the second record, on a new
/// connection too. The no-op service is no floor here: its JVM has no AOT cache and starts later.
final class StartUp implements Benchmark {
  private final TestBed testBed;
  private final MeasuredValues values = new MeasuredValues();

  StartUp(TestBed testBed) {
    this.testBed = testBed;
  }

  @Override
  public String name() {
    return "start-up";
  }

  @Override
  public void round() throws Exception {
    testBed.onPrograms(this::measure);
    long start = System.nanoTime();
    Process version =
        new ProcessBuilder(TestBed.javaCommand(), "-version")
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    int exit = version.waitFor();
    values.add("socket_ready", "java -version", (System.nanoTime() - start) / 1e6);
    if (exit != 0) {
      throw new IOException("java -version failed");
    }
  }

  private void measure(RunningService service) {
    try (GrpcJavaSender sender = new GrpcJavaSender(service.socket())) {
      values.add("first_record", service.name(), millisToSendOne(sender));
      if (service.name().equals(MeasuredProgram.ECHOPOST)) {
        values.add("first_record", "the second record", millisToSendOne(sender));
      }
    }
    values.add(
        "socket_ready", service.name(), (service.readyNanos() - service.spawnedNanos()) / 1e6);
  }

  private static double millisToSendOne(GrpcJavaSender sender) {
    long start = System.nanoTime();
    sender.sendOne();
    return (System.nanoTime() - start) / 1e6;
  }

  @Override
  public List<Figure> figures() {
    return List.of(
        values.figure("socket_ready", "socket ready after spawn", "ms"),
        values.figure("first_record", "first record acknowledged after socket ready", "ms"));
  }
}
