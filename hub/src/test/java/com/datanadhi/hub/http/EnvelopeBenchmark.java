package com.datanadhi.hub.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.datanadhi.hub.intake.Admission;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Objects;

/// Measures the parsing of batches alone: 1,000 lines of about 400 bytes. Run as a program.
final class EnvelopeBenchmark {
  private EnvelopeBenchmark() {}

  public static void main(String[] args) throws Exception {
    StringBuilder batch = new StringBuilder();
    for (int i = 1; i <= 1_000; i++) {
      batch
          .append("{\"key\":\"0123456789abcdef0123456789abcdef-")
          .append(i)
          .append("\",\"pipelines\":[\"audit\",\"billing\"],\"log_data\":{\"message\":\"")
          .append("order accepted by the warehouse ".repeat(8))
          .append("\",\"level\":\"INFO\",\"count\":")
          .append(i)
          .append(",\"tags\":[1,2,3]}}\n");
    }
    Admission.Lease lease =
        Objects.requireNonNull(new Admission(Long.MAX_VALUE).tryAcquire("acme", 0));
    byte[] text = batch.toString().getBytes(UTF_8);
    System.err.println(text.length / 1_000 + " bytes a line");
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    for (int round = 0; round < 8; round++) {
      // The processor's time, so that other programs on the machine do not count.
      long begin = threads.getCurrentThreadCpuTime();
      long lines = 0;
      while (threads.getCurrentThreadCpuTime() - begin < 1_000_000_000L) {
        lines += Lines.parse(text, lease, 1_000, true).submissions().size();
      }
      System.err.printf(
          "%,d lines/s%n", lines * 1_000_000_000L / (threads.getCurrentThreadCpuTime() - begin));
    }
  }
}
