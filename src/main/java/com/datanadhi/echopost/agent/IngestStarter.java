package com.datanadhi.echopost.agent;

import com.datanadhi.echopost.ingest.Ingest;
import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/// Makes ingest, and binds its socket, on a thread of its own, while the agent's takes the
/// directory and opens the buffer: Netty is half of a start, SQLite most of the rest (see
/// docs/PERFORMANCE.md).
///
/// Used by one thread.
final class IngestStarter implements AutoCloseable {
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().name("binder").factory());
  private final Future<Ingest> made;
  private @Nullable Future<Ingest> bound;
  private boolean closed;

  /// Begins to make it.
  ///
  /// @param maker must leave the directory alone, which may be another agent's
  IngestStarter(Callable<Ingest> maker) {
    made = thread.submit(maker);
  }

  /// The directory is ours: binds as soon as it is made.
  void bind() {
    bound =
        thread.submit(() -> {
          Ingest ingest = made.get();
          ingest.bind();
          return ingest;
        });
    thread.shutdown();
  }

  /// The bound one. To close it, or this, or both, is the same.
  ///
  /// @throws IllegalStateException without [#bind] before
  Ingest await() throws IOException, InterruptedException {
    if (bound == null) {
      throw new IllegalStateException("nothing is being bound");
    }
    try {
      return bound.get();
    } catch (ExecutionException failed) {
      throw rootOf(failed);
    }
  }

  private static IOException rootOf(ExecutionException failed) throws InterruptedException {
    return switch (failed.getCause()) {
      case ExecutionException making -> rootOf(making);
      case RuntimeException broken -> throw broken;
      case Error broken -> throw broken;
      case InterruptedException interrupted -> throw interrupted;
      case IOException io -> io;
      case null, default -> throw new IllegalStateException(failed);
    };
  }

  /// Ends ingest, however far it has come. Only the first time counts: later the directory can be
  /// another agent's.
  @Override
  public void close() throws IOException, InterruptedException {
    if (closed) {
      return;
    }
    closed = true;
    thread.close();
    if (made.state() == Future.State.SUCCESS) {
      made.resultNow().close();
    }
  }
}
