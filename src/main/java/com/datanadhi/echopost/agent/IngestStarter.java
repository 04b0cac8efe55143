package com.datanadhi.echopost.agent;

import com.datanadhi.echopost.ingest.Ingest;
import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/// Creates ingest and binds its socket in a thread of its own, while the caller's thread locks the
/// directory and opens the buffer: loading Netty takes half of the start-up time, and SQLite most
/// of the rest (docs/performance-log.md).
///
/// Used by one thread.
final class IngestStarter implements AutoCloseable {
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().name("binder").factory());
  private final Future<Ingest> created;
  private @Nullable Future<Ingest> bound;
  private boolean closed;

  /// Starts creating ingest.
  ///
  /// @param creator must not touch the directory, which may be another agent's
  IngestStarter(Callable<Ingest> creator) {
    created = thread.submit(creator);
  }

  /// Starts binding the socket. The caller holds the directory's lock.
  void bind() {
    bound =
        thread.submit(() -> {
          Ingest ingest = created.get();
          ingest.bind();
          return ingest;
        });
    thread.shutdown();
  }

  /// Waits for ingest and its socket. Closing it or this has the same effect.
  ///
  /// @throws IllegalStateException when [#bind] was not called before
  Ingest await() throws IOException, InterruptedException {
    if (bound == null) {
      throw new IllegalStateException("bind was not called");
    }
    try {
      return bound.get();
    } catch (ExecutionException failed) {
      throw causeOf(failed);
    }
  }

  /// Ingest, when [#await] failed because its socket could not be bound. It binds one when it is
  /// published.
  Ingest unbound() throws IOException, InterruptedException {
    try {
      return created.get();
    } catch (ExecutionException failed) {
      throw causeOf(failed);
    }
  }

  private static IOException causeOf(ExecutionException failed) throws InterruptedException {
    return switch (failed.getCause()) {
      case ExecutionException creating -> causeOf(creating);
      case RuntimeException broken -> throw broken;
      case Error broken -> throw broken;
      case InterruptedException interrupted -> throw interrupted;
      case IOException io -> io;
      case null, default -> throw new IllegalStateException(failed);
    };
  }

  /// Closes ingest if it was created. Only the first call has an effect: later the directory can be
  /// another agent's.
  @Override
  public void close() throws IOException, InterruptedException {
    if (closed) {
      return;
    }
    closed = true;
    thread.close();
    if (created.state() == Future.State.SUCCESS) {
      created.resultNow().close();
    }
  }
}
