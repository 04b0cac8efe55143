package com.datanadhi.echopost.bench;

import com.datanadhi.echopost.testkit.LoadClient;
import com.datanadhi.testkit.Directories;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;

/// Measures the latency of one call at a time, so that each record has its own commit.
///
/// Floors: the no-op service, and a write and fdatasync of one page to allocated blocks of a file,
/// as SQLite does when it reuses its WAL.
final class IngestLatency implements Benchmark {
  private static final int PAGE_BYTES = 4_096;
  private static final int FILE_PAGES = 1_024;

  private final TestBed testBed;
  private final RunSize size;
  private final MeasuredValues values = new MeasuredValues();
  private final Chart chart = Chart.ofLatencies("latency-single", "Latency, one call at a time");

  IngestLatency(TestBed testBed, RunSize size) {
    this.testBed = testBed;
    this.size = size;
  }

  @Override
  public String name() {
    return "ingest, one call at a time";
  }

  @Override
  public void round() throws Exception {
    testBed.onEach(this::measure);
    Path directory = testBed.newDirectory();
    measureSync(directory.resolve("pages"));
    Directories.delete(directory);
  }

  private void measure(RunningService service) throws InterruptedException {
    try (GrpcJavaSender sender = new GrpcJavaSender(service.socket())) {
      var _ = sender.pipelined(size.warmUpRecords());
      var _ = sender.single(size.singleRecords() / 3);
      LoadClient.Result result = sender.single(size.singleRecords());
      add(service.name(), result::latencyMillis, result.perSecond());
    }
  }

  private void add(String subject, DoubleUnaryOperator millis, double perSecond) {
    values.add("single_p50", subject, millis.applyAsDouble(0.5));
    values.add("single_p99", subject, millis.applyAsDouble(0.99));
    values.add("single_rate", subject, perSecond);
    chart.setLatencies(subject, millis);
  }

  private void measureSync(Path file) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      ByteBuffer page = ByteBuffer.allocateDirect(PAGE_BYTES);
      for (int i = 0; i < FILE_PAGES; i++) {
        write(channel, page, i);
      }
      channel.force(true);
      double[] millis = new double[size.singleRecords()];
      long start = System.nanoTime();
      for (int i = 0; i < millis.length; i++) {
        long before = System.nanoTime();
        write(channel, page, i % FILE_PAGES);
        channel.force(false);
        millis[i] = (System.nanoTime() - before) / 1e6;
      }
      double perSecond = millis.length / ((System.nanoTime() - start) / 1e9);
      Arrays.sort(millis);
      add(
          "write + fdatasync of 4 KiB",
          quantile -> millis[(int) (quantile * millis.length)],
          perSecond);
    }
  }

  private static void write(FileChannel channel, ByteBuffer page, int index) throws IOException {
    page.clear();
    int _ = channel.write(page, (long) index * PAGE_BYTES);
  }

  @Override
  public List<Figure> figures() {
    return List.of(
        values.figure("single_p50", "one call at a time: median latency", "ms"),
        values.figure("single_p99", "one call at a time: p99 latency", "ms"),
        values.figure("single_rate", "one call at a time: rate", "records/s"));
  }

  @Override
  public List<Chart> charts() {
    return List.of(chart);
  }
}
