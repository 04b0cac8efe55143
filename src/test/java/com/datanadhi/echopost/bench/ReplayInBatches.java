package com.datanadhi.echopost.bench;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.LoadClient;
import com.datanadhi.echopost.testkit.ProcessMemory;
import com.datanadhi.testkit.StubServer;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;

/// Measures replay of a backlog in batches to a server that only counts, on loopback and with a
/// round trip of 50 ms, from the first to the last delivery as seen by the server.
///
/// Floors: the same backlog one record a request; in packed batches; and a loop that only reads and
/// deletes the same rows.
final class ReplayInBatches implements Benchmark {
  private static final String ONE_BY_ONE = "one by one";
  private static final String PACKED = "batches, packed with gzip";
  private static final long ROUND_TRIP_NANOS = 50_000_000;

  /// One by one, a round trip each.
  private static final int DISTANT_RECORDS = 100;

  /// The batches of a distant server that are measured: those of the full size.
  private static final int FULL_BATCH = 1_000;

  private final TestBed testBed;
  private final RunSize size;
  private final MeasuredValues values = new MeasuredValues();

  ReplayInBatches(TestBed testBed, RunSize size) {
    this.testBed = testBed;
    this.size = size;
  }

  @Override
  public String name() {
    return "batches";
  }

  @Override
  public void round() throws Exception {
    MeasuredProgram program = testBed.programs().getFirst();
    int records = size.batchedRecords();
    near(program, ONE_BY_ONE, StubServer.Offer.NONE, records / 4);
    near(program, MeasuredProgram.ECHOPOST, StubServer.Offer.BATCHES, records);
    near(program, PACKED, StubServer.Offer.GZIP_BATCHES, records);
    readAndDelete(program, records);
    distant(program, ONE_BY_ONE, StubServer.Offer.NONE, DISTANT_RECORDS);
    distant(program, MeasuredProgram.ECHOPOST, StubServer.Offer.BATCHES, records / 2);
  }

  private void near(MeasuredProgram program, String subject, StubServer.Offer offer, int records)
      throws Exception {
    try (StubServer server = StubServer.down()) {
      Counted counted = new Counted(server, offer, 0);
      AgentProcess agent = withBacklog(program, server, records);
      ProcessMemory memory = new ProcessMemory(agent.agent().pid());
      CpuTime cpuTime = CpuTime.of(agent.agent());
      long up = System.nanoTime();
      server.comeUp();
      counted.await(records, agent);
      values.add("batches_first_delivery", subject, counted.millisToFirst(up));
      values.add("batches_processor", subject, cpuTime.microsPerRecord(records));
      values.add("batches_memory", subject, memory.peakResident() / ResidentMemory.MEBIBYTE);
      values.add("batches", subject, counted.perSecond());
      testBed.stop(agent);
    }
  }

  private void distant(MeasuredProgram program, String subject, StubServer.Offer offer, int records)
      throws Exception {
    try (StubServer server = StubServer.down()) {
      Counted counted = new Counted(server, offer, offer == StubServer.Offer.NONE ? 0 : FULL_BATCH);
      counted.delay(ROUND_TRIP_NANOS);
      AgentProcess agent = withBacklog(program, server, records);
      server.comeUp();
      counted.await(records, agent);
      values.add("batches_distant", subject, counted.perSecond());
      testBed.stop(agent);
    }
  }

  private void readAndDelete(MeasuredProgram program, int records) throws Exception {
    try (StubServer server = StubServer.down()) {
      AgentProcess agent = withBacklog(program, server, records);
      agent.kill();
      values.add(
          "batches",
          "read and delete the rows",
          Double.parseDouble(
              testBed.runFloor(ReadDeleteFloor.class, agent.directory().toString())));
      testBed.discard(agent);
    }
  }

  private AgentProcess withBacklog(MeasuredProgram program, StubServer server, int records)
      throws IOException, InterruptedException {
    AgentProcess agent = testBed.spawn(program, server.url(), Map.of());
    long _ = agent.awaitSocket();
    // One API key: only records with the same go together.
    try (LoadClient client = new LoadClient(agent.socket(), "key-0")) {
      LoadClient.Result result =
          client.run(
              new LoadClient.Load(
                  records,
                  RunSize.RECORD_BYTES,
                  GrpcJavaSender.CONNECTIONS,
                  GrpcJavaSender.IN_FLIGHT,
                  0,
                  0),
              _ -> {});
      if (result.acknowledged() != records) {
        throw new IllegalStateException("not stored: " + result.firstFailure());
      }
    }
    return agent;
  }

  /// Counts the records that a server gets.
  private static final class Counted {
    private static final String NDJSON = "application/x-ndjson";
    private static final String OFFER = "Accept-Post: application/json, " + NDJSON;
    private static final long TIMEOUT_NANOS = 120_000_000_000L;

    private final int fromBatchOf;
    private long delayNanos;
    private long count;
    private long firstNanos;
    private long lastNanos;
    private long before;

    /// @param fromBatchOf measures from the first batch of this size on
    Counted(StubServer server, StubServer.Offer offer, int fromBatchOf) {
      this.fromBatchOf = fromBatchOf;
      server.keep(false);
      // A batch is not taken apart.
      server.offer(StubServer.Offer.BY_TEST);
      String[] headers =
          switch (offer) {
            case BATCHES -> new String[] {OFFER};
            case GZIP_BATCHES -> new String[] {OFFER, "Accept-Encoding: gzip"};
            default -> new String[0];
          };
      server.onProbe(StubServer.Behaviour.status(200, "", headers));
      server.onDelivery((request, out) -> {
        boolean isBatch = NDJSON.equals(request.headers().get("content-type"));
        int records = isBatch ? lines(request.body()) : 1;
        delivered(records);
        String body = isBatch ? "{\"stored\":" + records + ",\"errors\":[]}" : "";
        return StubServer.Behaviour.status(200, body, headers).respond(request, out);
      });
    }

    private static int lines(byte[] body) {
      int lines = 0;
      for (byte b : body) {
        if (b == '\n') {
          lines++;
        }
      }
      return lines;
    }

    void delay(long nanos) {
      delayNanos = nanos;
    }

    private void delivered(int records) {
      if (delayNanos > 0) {
        LockSupport.parkNanos(delayNanos);
      }
      count(records);
    }

    private synchronized void count(int records) {
      lastNanos = System.nanoTime();
      count += records;
      if (firstNanos == 0 && records >= fromBatchOf) {
        firstNanos = lastNanos;
        before = count;
      }
      notifyAll();
    }

    synchronized void await(long records, AgentProcess agent)
        throws InterruptedException, TimeoutException {
      long deadline = System.nanoTime() + TIMEOUT_NANOS;
      while (count < records) {
        if (System.nanoTime() - deadline > 0) {
          throw new TimeoutException(count + " of " + records + ":\n" + agent.output());
        }
        wait(1_000);
      }
    }

    /// The time from `since`, by `System.nanoTime`, to the first delivery.
    synchronized double millisToFirst(long since) {
      return (firstNanos - since) / 1e6;
    }

    synchronized double perSecond() {
      return (count - before) / ((lastNanos - firstNanos) / 1e9);
    }
  }

  @Override
  public List<Figure> figures() {
    return List.of(
        values.figure("batches", "replay in batches", "records/s"),
        values.figure("batches_processor", "replay in batches: CPU time", "µs/record"),
        values.figure("batches_memory", "replay in batches: peak RSS", "MiB"),
        values.figure("batches_first_delivery", "first delivery after the server is back", "ms"),
        values.figure("batches_distant", "replay in batches, 50 ms round trip", "records/s"));
  }
}
