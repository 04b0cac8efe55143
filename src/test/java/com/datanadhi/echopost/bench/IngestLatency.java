package com.datanadhi.echopost.bench;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.LoadClient;
import com.datanadhi.echopost.testkit.StubServer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;

/// How long one record waits for its acknowledgement when nobody else sends: each has a commit of
/// its own.
///
/// Floors: the no-op service, and the file system's own write and fdatasync of one page, in place
/// in a file that has its blocks already, as a write-ahead log has that was begun anew.
final class IngestLatency implements Measurement {
  private static final int PAGE_BYTES = 4_096;
  private static final int FILE_PAGES = 1_024;

  private final Workbench bench;
  private final Effort effort;
  private final Values agent = new Values();
  private final Values noOp = new Values();
  private final Values sync = new Values();

  private static final class Values {
    final Series median = new Series();
    final Series p99 = new Series();
    final Series rate = new Series();

    void add(double medianMillis, double p99Millis, double perSecond) {
      median.add(medianMillis);
      p99.add(p99Millis);
      rate.add(perSecond);
    }
  }

  IngestLatency(Workbench bench, Effort effort) {
    this.bench = bench;
    this.effort = effort;
  }

  @Override
  public String name() {
    return "ingest, one at a time";
  }

  @Override
  public void round() throws Exception {
    try (StubServer server = StubServer.down()) {
      AgentProcess process = bench.spawnAgent(bench.newDirectory(), server.url());
      process.awaitSocket();
      measure(process.socket(), agent);
      bench.stop(process);
    }
    Path directory = bench.newDirectory();
    measureSync(directory.resolve("pages"));
    bench.delete(directory);
    NoOpService.Running service = NoOpService.start(bench);
    measure(service.socket(), noOp);
    bench.stop(service.process());
  }

  private void measure(Path socket, Values values) throws InterruptedException {
    try (Sender sender = new Sender(socket)) {
      var _ = sender.pipelined(effort.warmUpRecords());
      var _ = sender.single(effort.singleRecords() / 3);
      LoadClient.Result result = sender.single(effort.singleRecords());
      values.add(result.latencyMillis(0.5), result.latencyMillis(0.99), result.perSecond());
    }
  }

  private void measureSync(Path file) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      ByteBuffer page = ByteBuffer.allocateDirect(PAGE_BYTES);
      for (int i = 0; i < FILE_PAGES; i++) {
        write(channel, page, i);
      }
      channel.force(true);
      double[] millis = new double[effort.singleRecords()];
      long start = System.nanoTime();
      for (int i = 0; i < millis.length; i++) {
        long before = System.nanoTime();
        write(channel, page, i % FILE_PAGES);
        channel.force(false);
        millis[i] = (System.nanoTime() - before) / 1e6;
      }
      double perSecond = millis.length / ((System.nanoTime() - start) / 1e9);
      Arrays.sort(millis);
      sync.add(millis[millis.length / 2], millis[millis.length * 99 / 100], perSecond);
    }
  }

  private static void write(FileChannel channel, ByteBuffer page, int index) throws IOException {
    page.clear();
    int _ = channel.write(page, (long) index * PAGE_BYTES);
  }

  @Override
  public List<Figure> figures() {
    return List.of(
        figure(
            "single_p50",
            "one at a time: median latency",
            "ms",
            agent.median,
            noOp.median,
            sync.median),
        figure("single_p99", "one at a time: p99 latency", "ms", agent.p99, noOp.p99, sync.p99),
        figure(
            "single_rate", "one at a time: rate", "records/s", agent.rate, noOp.rate, sync.rate));
  }

  private static Figure figure(
      String name, String what, String unit, Series values, Series noOp, Series sync) {
    return new Figure(
        name,
        what,
        unit,
        values,
        List.of(
            new Figure.Floor("write + fdatasync of 4 KiB", sync),
            new Figure.Floor("no-op service", noOp)));
  }
}
