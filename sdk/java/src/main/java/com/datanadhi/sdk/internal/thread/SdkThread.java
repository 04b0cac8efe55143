package com.datanadhi.sdk.internal.thread;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A thread of the SDK's own: it keeps no process alive, holds no class loader of the application's,
 * and what is logged on it is never delivered, so that the SDK cannot feed itself.
 */
public final class SdkThread extends Thread {
  private SdkThread(Runnable work, String name) {
    super(null, work, name, 0, false);
    setDaemon(true);
    setContextClassLoader(SdkThread.class.getClassLoader());
  }

  /** Not started yet. */
  public static Thread named(String name, Runnable work) {
    return new SdkThread(work, name);
  }

  /** As many threads as there is work at once, which end when they are idle. */
  public static ExecutorService pool(String name) {
    return Executors.newCachedThreadPool(factory(name));
  }

  /** Names threads {@code name-1} and so on. */
  public static ThreadFactory factory(String name) {
    AtomicInteger count = new AtomicInteger();
    return work -> new SdkThread(work, name + "-" + count.incrementAndGet());
  }

  /** Whether the calling thread is one. */
  public static boolean isCurrent() {
    return Thread.currentThread() instanceof SdkThread;
  }
}
