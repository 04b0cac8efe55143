package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.ProcessMemory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/// The resident memory and the open file descriptors of a process, sampled from now until closed.
/// Thread-safe.
final class ResourceUsage implements AutoCloseable {
  private static final long SAMPLE_INTERVAL_NANOS = 50_000_000;
  private static final int MIB = 1 << 20;

  private final Path process;
  private final ProcessMemory memory;
  private final long residentMibBefore;
  private final long descriptorsBefore;
  private final Thread sampler;
  private volatile long peakDescriptors;
  private volatile boolean closed;

  /// Starts to sample an agent that is ready.
  ResourceUsage(AgentProcess agent) throws IOException {
    this(agent.agent().pid());
  }

  /// Starts to sample a process.
  ResourceUsage(long pid) throws IOException {
    process = Path.of("/proc/" + pid);
    memory = new ProcessMemory(pid);
    residentMibBefore = memory.resident() / MIB;
    descriptorsBefore = descriptors();
    peakDescriptors = descriptorsBefore;
    sampler = Thread.ofPlatform().name("resource-usage").start(this::sample);
  }

  private void sample() {
    while (!closed) {
      try {
        peakDescriptors = Math.max(peakDescriptors, descriptors());
      } catch (IOException | UncheckedIOException missing) {
        return;
      }
      LockSupport.parkNanos(SAMPLE_INTERVAL_NANOS);
    }
  }

  /// How many descriptors are open now.
  long descriptors() throws IOException {
    try (Stream<Path> open = Files.list(process.resolve("fd"))) {
      return open.count();
    }
  }

  long descriptorsBefore() {
    return descriptorsBefore;
  }

  /// The most descriptors in one sample; a shorter peak can be missed.
  long peakDescriptors() {
    return peakDescriptors;
  }

  /// The peak since the process started, as counted by the kernel.
  long peakResidentMib() throws IOException {
    return memory.peakResident() / MIB;
  }

  /// Adds the values before, at their peak, and now to the result.
  void addTo(CampaignResult result) throws IOException {
    result.recordMaximum("resident MiB before", residentMibBefore);
    result.recordMaximum("resident MiB at peak", peakResidentMib());
    result.recordMaximum("resident MiB after", memory.resident() / MIB);
    result.recordMaximum("descriptors before", descriptorsBefore);
    result.recordMaximum("descriptors at peak", peakDescriptors);
    result.recordMaximum("descriptors after", descriptors());
  }

  @Override
  public String toString() {
    try {
      return "resident MiB: before %d, peak %d, now %d; descriptors: before %d, peak %d, now %d"
          .formatted(
              residentMibBefore,
              peakResidentMib(),
              memory.resident() / MIB,
              descriptorsBefore,
              peakDescriptors,
              descriptors());
    } catch (IOException missing) {
      return "the process has ended: " + missing;
    }
  }

  @Override
  public void close() throws InterruptedException {
    closed = true;
    sampler.join();
  }
}
