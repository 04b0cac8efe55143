package com.datanadhi.hub.hub;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import sun.misc.Signal;

/// The signals of the process: TERM and INT stop the hub, HUP rotates the log.
final class StopSignal {
  private final BlockingQueue<Boolean> signals = new LinkedBlockingQueue<>();

  private StopSignal() {}

  static StopSignal install() {
    StopSignal stop = new StopSignal();
    Signal.handle(new Signal("TERM"), _ -> stop.signals.add(true));
    Signal.handle(new Signal("INT"), _ -> stop.signals.add(true));
    Signal.handle(new Signal("HUP"), _ -> stop.signals.add(false));
    return stop;
  }

  /// Waits for the next signal.
  ///
  /// @return whether the hub is to stop; if not, its log is to be rotated
  boolean await() throws InterruptedException {
    return signals.take();
  }
}
