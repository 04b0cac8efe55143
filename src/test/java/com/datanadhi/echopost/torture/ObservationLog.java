package com.datanadhi.echopost.torture;

import com.datanadhi.testkit.DiskShim;
import com.datanadhi.testkit.StubServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// The acknowledgements that clients received and the deliveries that the server accepted, each
/// with the length of the disk journal at that moment, so that a checker can be given what was
/// visible from outside at any point of the journal. Thread-safe.
final class ObservationLog implements AcknowledgementListener {
  private sealed interface Observation {
    long journalLength();
  }

  private record Acknowledged(long journalLength, int client, int seq) implements Observation {}

  private record Delivered(long journalLength, StubServer.Request request) implements Observation {}

  private final DiskShim shim;
  private final List<Observation> observations = new ArrayList<>();
  private final Set<String> deliveredKeys = new HashSet<>();
  private long acknowledged;

  ObservationLog(DiskShim shim) {
    this.shim = shim;
  }

  @Override
  public synchronized void acknowledged(int client, int seq) {
    observations.add(new Acknowledged(shim.journalLength(), client, seq));
    acknowledged++;
    notifyAll();
  }

  /// Waits until `more` further records are acknowledged.
  synchronized void awaitAcknowledged(long more, Duration timeout)
      throws InterruptedException, TimeoutException {
    long target = acknowledged + more;
    long end = System.nanoTime() + timeout.toNanos();
    while (acknowledged < target) {
      long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
      if (left <= 0) {
        throw new TimeoutException("only " + acknowledged + " of " + target + " acknowledged");
      }
      wait(left);
    }
  }

  /// A server that accepts everything, and logs each delivery before it answers.
  StubServer.Behaviour recordThenAccept() {
    return (request, out) -> {
      delivered(request);
      return StubServer.OK.respond(request, out);
    };
  }

  private synchronized void delivered(StubServer.Request request) {
    if (deliveredKeys.add(request.key())) {
      observations.add(new Delivered(shim.journalLength(), request));
    }
  }

  /// Gives `checker` what was observed up to the moment when the journal had this length.
  synchronized void replayUntil(long journalLength, DeliveryChecker checker) {
    for (Observation observation : observations) {
      if (observation.journalLength() > journalLength) {
        return;
      }
      switch (observation) {
        case Acknowledged(long _, int client, int seq) -> checker.acknowledged(client, seq);
        case Delivered(long _, StubServer.Request request) -> checker.delivered(request);
      }
    }
  }
}
