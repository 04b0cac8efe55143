package com.datanadhi.sdk.internal.delivery;

/** Where one thread stands still while another has its work. */
final class WorkerPause {
  private boolean closed;
  private boolean waitedAt;

  /** Returns once it is open. */
  synchronized void pass() throws InterruptedException {
    try {
      while (closed) {
        waitedAt = true;
        notifyAll();
        wait();
      }
    } finally {
      waitedAt = false;
    }
  }

  /** Lets nobody pass. */
  synchronized void close() {
    closed = true;
  }

  /** Returns once somebody stands at the closed gate, or it is open. */
  synchronized void awaitSomebody() throws InterruptedException {
    while (closed && !waitedAt) {
      wait();
    }
  }

  /** Lets everybody pass. */
  synchronized void open() {
    closed = false;
    notifyAll();
  }
}
