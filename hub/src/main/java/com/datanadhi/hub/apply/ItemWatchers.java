package com.datanadhi.hub.apply;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/// Readers that wait for the next items of a pipeline. Thread-safe.
public final class ItemWatchers {
  private record Pipeline(String tenant, String name) {}

  /// Guarded by this.
  private final Map<Pipeline, Set<Semaphore>> watchers = new HashMap<>();

  /// Sees the items that arrive from now on. For one thread, which closes it.
  public final class Watch implements AutoCloseable {
    private final Pipeline pipeline;
    private final Semaphore arrivals = new Semaphore(0);

    private Watch(Pipeline pipeline) {
      this.pipeline = pipeline;
    }

    /// Waits until an item has arrived since the watch began, or since the last call.
    ///
    /// @return whether it was in time
    public boolean await(Duration timeout) throws InterruptedException {
      boolean inTime = arrivals.tryAcquire(timeout.toNanos(), TimeUnit.NANOSECONDS);
      int _ = arrivals.drainPermits();
      return inTime;
    }

    @Override
    public void close() {
      remove(pipeline, arrivals);
    }
  }

  public synchronized Watch watch(String tenant, String pipeline) {
    Watch watch = new Watch(new Pipeline(tenant, pipeline));
    watchers.computeIfAbsent(watch.pipeline, _ -> new HashSet<>()).add(watch.arrivals);
    return watch;
  }

  private synchronized void remove(Pipeline pipeline, Semaphore watcher) {
    Set<Semaphore> others = watchers.get(pipeline);
    if (others != null && others.remove(watcher) && others.isEmpty()) {
      watchers.remove(pipeline);
    }
  }

  /// Each of these pipelines has new items that can be read.
  public synchronized void arrived(String tenant, Collection<String> pipelines) {
    for (String pipeline : pipelines) {
      watchers.getOrDefault(new Pipeline(tenant, pipeline), Set.of()).forEach(Semaphore::release);
    }
  }

  synchronized boolean isEmpty() {
    return watchers.isEmpty();
  }
}
