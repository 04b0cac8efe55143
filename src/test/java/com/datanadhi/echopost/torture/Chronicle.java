package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.testkit.StubServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// What clients were told is stored and what the server took, each with the length that the disk's
/// journal had by then, so that it can be told again as it stood at any moment. Thread-safe.
final class Chronicle implements Acknowledgements {
  private sealed interface Event {
    long journalLength();
  }

  private record Acknowledged(long journalLength, int client, int seq) implements Event {}

  private record Arrived(long journalLength, StubServer.Request request) implements Event {}

  private final DiskShim shim;
  private final List<Event> events = new ArrayList<>();
  private final Set<String> arrived = new HashSet<>();
  private long acknowledged;

  Chronicle(DiskShim shim) {
    this.shim = shim;
  }

  @Override
  public synchronized void acknowledged(int client, int seq) {
    events.add(new Acknowledged(shim.journalLength(), client, seq));
    acknowledged++;
    notifyAll();
  }

  /// Returns once so many records more are acknowledged.
  synchronized void awaitAcknowledged(long more, Duration patience)
      throws InterruptedException, TimeoutException {
    long enough = acknowledged + more;
    long end = System.nanoTime() + patience.toNanos();
    while (acknowledged < enough) {
      long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
      if (left <= 0) {
        throw new TimeoutException("only " + acknowledged + " of " + enough + " acknowledged");
      }
      wait(left);
    }
  }

  /// A server that writes down what it takes, before it says so.
  StubServer.Behaviour recording() {
    return (request, out) -> {
      arrived(request);
      return StubServer.OK.answer(request, out);
    };
  }

  private synchronized void arrived(StubServer.Request request) {
    if (arrived.add(request.key())) {
      events.add(new Arrived(shim.journalLength(), request));
    }
  }

  /// Tells `witness` what had happened when the journal was `length` long.
  synchronized void tell(Witness witness, long length) {
    for (Event event : events) {
      if (event.journalLength() > length) {
        return;
      }
      switch (event) {
        case Acknowledged(long _, int client, int seq) -> witness.acknowledged(client, seq);
        case Arrived(long _, StubServer.Request request) -> witness.arrived(request);
      }
    }
  }
}
