package com.datanadhi.sdk.internal.delivery;

/** Pauses the only worker between two deliveries while another thread delivers. Thread-safe. */
final class WorkerPause {
  private boolean active;
  private boolean workerWaits;

  /** Called by the worker: waits while a pause is active. */
  synchronized void awaitEnd() throws InterruptedException {
    try {
      while (active) {
        workerWaits = true;
        notifyAll();
        wait();
      }
    } finally {
      workerWaits = false;
    }
  }

  /** Begins a pause: the worker waits the next time it calls {@link #awaitEnd}. */
  synchronized void begin() {
    active = true;
  }

  /** Waits until the worker waits, or the pause has ended. */
  synchronized void awaitWorker() throws InterruptedException {
    while (active && !workerWaits) {
      wait();
    }
  }

  /** Ends the pause. */
  synchronized void end() {
    active = false;
    notifyAll();
  }
}
