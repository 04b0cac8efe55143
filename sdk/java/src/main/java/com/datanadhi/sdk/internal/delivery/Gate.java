package com.datanadhi.sdk.internal.delivery;

/** Where one thread stands still while another has its work. */
final class Gate {
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

  /** Whether somebody stands at the closed gate, or comes within {@code millis}. */
  synchronized boolean isWaitedAt(long millis) throws InterruptedException {
    if (!waitedAt) {
      wait(millis);
    }
    return waitedAt;
  }

  /** Lets everybody pass. */
  synchronized void open() {
    closed = false;
    notifyAll();
  }
}
