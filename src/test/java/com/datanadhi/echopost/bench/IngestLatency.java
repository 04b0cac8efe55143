package com.datanadhi.echopost.bench;

import com.datanadhi.echopost.testkit.Directories;
import com.datanadhi.echopost.testkit.LoadClient;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;

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
  private final Values values = new Values();
  private final Picture picture = Picture.ofLatencies("latency-single", "Latency, one at a time");

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
    bench.onEach(this::measure);
    Path directory = bench.newDirectory();
    measureSync(directory.resolve("pages"));
    Directories.delete(directory);
  }

  private void measure(Service service) throws InterruptedException {
    try (Sender sender = new Sender(service.socket())) {
      var _ = sender.pipelined(effort.warmUpRecords());
      var _ = sender.single(effort.singleRecords() / 3);
      LoadClient.Result result = sender.single(effort.singleRecords());
      add(service.name(), result::latencyMillis, result.perSecond());
    }
  }

  private void add(String whose, DoubleUnaryOperator millis, double perSecond) {
    values.add("single_p50", whose, millis.applyAsDouble(0.5));
    values.add("single_p99", whose, millis.applyAsDouble(0.99));
    values.add("single_rate", whose, perSecond);
    picture.latencies(whose, millis);
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
        values.figure("single_p50", "one at a time: median latency", "ms"),
        values.figure("single_p99", "one at a time: p99 latency", "ms"),
        values.figure("single_rate", "one at a time: rate", "records/s"));
  }

  @Override
  public List<Picture> pictures() {
    return List.of(picture);
  }
}
