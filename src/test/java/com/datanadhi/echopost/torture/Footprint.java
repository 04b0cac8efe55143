package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.ProcessMemory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/// What an agent's own process takes of the machine, from now until closed: memory, and
/// descriptors. Thread-safe.
final class Footprint implements AutoCloseable {
  private static final long LOOK_AGAIN_NANOS = 50_000_000;
  private static final int MIB = 1 << 20;

  private final Path process;
  private final ProcessMemory memory;
  private final long residentBefore;
  private final long descriptorsBefore;
  private final Thread looking;
  private volatile long peakDescriptors;
  private volatile boolean closed;

  /// Begins to look, at an agent that serves.
  Footprint(AgentProcess agent) throws IOException {
    process = Path.of("/proc/" + agent.agent().pid());
    memory = new ProcessMemory(agent.agent().pid());
    residentBefore = memory.resident() / MIB;
    descriptorsBefore = descriptors();
    peakDescriptors = descriptorsBefore;
    looking = Thread.ofPlatform().name("footprint").start(this::look);
  }

  private void look() {
    while (!closed) {
      try {
        peakDescriptors = Math.max(peakDescriptors, descriptors());
      } catch (IOException | UncheckedIOException gone) {
        return;
      }
      LockSupport.parkNanos(LOOK_AGAIN_NANOS);
    }
  }

  /// Open now.
  long descriptors() throws IOException {
    try (Stream<Path> open = Files.list(process.resolve("fd"))) {
      return open.count();
    }
  }

  long descriptorsBefore() {
    return descriptorsBefore;
  }

  /// The most that were seen; one that was open for a moment may have been missed.
  long peakDescriptors() {
    return peakDescriptors;
  }

  /// The most that there ever was, by the kernel's account.
  long peakResidentMib() throws IOException {
    return memory.peakResident() / MIB;
  }

  /// Tells the figures as they are now.
  void tell(Tally tally) throws IOException {
    tally.peak("MiB resident before", residentBefore);
    tally.peak("MiB resident at peak", peakResidentMib());
    tally.peak("MiB resident after", memory.resident() / MIB);
    tally.peak("descriptors before", descriptorsBefore);
    tally.peak("descriptors at peak", peakDescriptors);
    tally.peak("descriptors after", descriptors());
  }

  @Override
  public String toString() {
    try {
      return "MiB resident: before %d, at peak %d, now %d; descriptors: before %d, at peak %d, now %d"
          .formatted(
              residentBefore,
              peakResidentMib(),
              memory.resident() / MIB,
              descriptorsBefore,
              peakDescriptors,
              descriptors());
    } catch (IOException gone) {
      return "the agent has gone: " + gone;
    }
  }

  @Override
  public void close() throws InterruptedException {
    closed = true;
    looking.join();
  }
}
