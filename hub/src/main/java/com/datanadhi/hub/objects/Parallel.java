package com.datanadhi.hub.objects;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/// The same work for many things, several at a time, for stores whose answers take longer than the
/// work.
public final class Parallel {
  private Parallel() {}

  /// Work on one thing.
  ///
  /// @param <T> the thing
  /// @param <R> the result
  @FunctionalInterface
  public interface Work<T, R> {
    /// Does it.
    R on(T thing) throws ObjectStoreException, InterruptedException;
  }

  /// Does the work on virtual threads, in the order of the things. The first failure ends it: what
  /// has not begun then is left, and what has is interrupted and waited for.
  ///
  /// @param atATime how many at most
  /// @return the results, in the same order
  public static <T, R> List<R> map(List<T> things, int atATime, Work<T, R> work)
      throws ObjectStoreException, InterruptedException {
    List<R> results = new ArrayList<>(Collections.nCopies(things.size(), null));
    AtomicInteger next = new AtomicInteger();
    List<Future<?>> workers = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      try {
        for (int i = 0; i < Math.min(atATime, things.size()); i++) {
          workers.add(
              threads.submit(() -> {
                for (int at = next.getAndIncrement();
                    at < things.size();
                    at = next.getAndIncrement()) {
                  // Each place belongs to one thread.
                  results.set(at, work.on(things.get(at)));
                }
                return null;
              }));
        }
        for (Future<?> worker : workers) {
          worker.get();
        }
      } finally {
        threads.shutdownNow();
      }
    } catch (ExecutionException failed) {
      switch (failed.getCause()) {
        case ObjectStoreException store -> throw store;
        case RuntimeException fault -> throw fault;
        case Error fault -> throw fault;
        case null, default -> throw new IllegalStateException(failed);
      }
    }
    return results;
  }
}
