package com.datanadhi.hub.grpc;

import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// The responses of a streaming call, sent by one virtual thread of its own: it waits while the
/// client does not read, so that nothing piles up. Only that thread sends.
final class Outbound<R> {
  private static final Duration FOREVER = Duration.ofNanos(Long.MAX_VALUE);

  private final ServerCallStreamObserver<R> call;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  /// Called while the handlers of the call may be set: within its method.
  Outbound(ServerCallStreamObserver<R> call, Runnable onCancel) {
    this.call = call;
    call.setOnReadyHandler(this::wake);
    call.setOnCancelHandler(() -> {
      wake();
      onCancel.run();
    });
  }

  private void wake() {
    lock.lock();
    try {
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  boolean isCancelled() {
    return call.isCancelled();
  }

  /// Waits until the client has room for a response, or the call is cancelled.
  ///
  /// @return false if it was not in time
  boolean awaitReady(Duration longest) throws InterruptedException {
    if (call.isReady()) {
      return true;
    }
    long left = longest.toNanos();
    lock.lockInterruptibly();
    try {
      while (!call.isReady() && !call.isCancelled()) {
        if (left <= 0) {
          return false;
        }
        left = changed.awaitNanos(left);
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  /// Sends a response once the client has room for it.
  ///
  /// @return false if the call is cancelled
  boolean send(R response) throws InterruptedException {
    boolean _ = awaitReady(FOREVER);
    if (call.isCancelled()) {
      return false;
    }
    call.onNext(response);
    return true;
  }

  void complete() {
    if (!call.isCancelled()) {
      call.onCompleted();
    }
  }

  void fail(Throwable status) {
    if (!call.isCancelled()) {
      call.onError(status);
    }
  }
}
