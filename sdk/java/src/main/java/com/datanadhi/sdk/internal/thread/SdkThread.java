package com.datanadhi.sdk.internal.thread;

import java.security.AccessController;
import java.security.PrivilegedAction;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A thread that belongs to the SDK. It is a daemon and does not hold the application's class
 * loader. The log handlers skip events from such a thread, so the SDK never delivers its own
 * messages. An asynchronous appender passes events on from another thread: so their threads are
 * recognised by their names.
 */
public final class SdkThread extends Thread {
  /** The names of all threads so far, without the numbers at their ends. */
  private static final Set<String> NAMES = ConcurrentHashMap.newKeySet();

  private SdkThread(@Nullable ThreadGroup group, Runnable work, String name) {
    super(group, work, name, 0, false);
    NAMES.add(withoutNumber(name));
    setDaemon(true);
    setContextClassLoader(SdkThread.class.getClassLoader());
  }

  /**
   * Before Java 24 a thread holds the classes that have led to its making, the application's too,
   * but for those outside a privileged action.
   */
  @SuppressWarnings("removal")
  private static Thread make(@Nullable ThreadGroup group, Runnable work, String name) {
    return AccessController.doPrivileged(
        (PrivilegedAction<Thread>) () -> new SdkThread(group, work, name));
  }

  /** Makes a thread, which the caller starts. */
  public static Thread named(String name, Runnable work) {
    return make(null, work, name);
  }

  /** As {@link #named}, in {@code group}; threads that it starts are in that group too. */
  public static Thread inGroup(ThreadGroup group, String name, Runnable work) {
    return make(group, work, name);
  }

  /** A cached pool: it adds a thread when all are busy, and idle threads end after a minute. */
  public static ExecutorService pool(String name) {
    return Executors.newCachedThreadPool(factory(name));
  }

  /** Makes threads named {@code name-1}, {@code name-2} and so on. */
  public static ThreadFactory factory(String name) {
    AtomicInteger count = new AtomicInteger();
    return work -> make(null, work, name + "-" + count.incrementAndGet());
  }

  /**
   * Starts the thread. The system can have none to give for a while: the caller tries again later,
   * with the same thread if it likes.
   *
   * @return whether it runs
   */
  public static boolean start(Thread thread) {
    try {
      thread.start();
      return true;
    } catch (RuntimeException | Error noThread) {
      return false;
    }
  }

  /** Runs {@code work} on a thread of its own, or on this one if none can be made. */
  public static void startOrRun(String name, Runnable work) {
    if (!start(named(name, work))) {
      work.run();
    }
  }

  /**
   * Runs {@code work} on a thread of its own and waits for its end: an interrupt of the caller does
   * not cut it short, and stays for the caller. It runs on the caller if no thread can be made.
   */
  public static void runToEnd(String name, Runnable work) {
    Thread thread = named(name, work);
    boolean interrupted = Thread.interrupted();
    if (!start(thread)) {
      work.run();
    }
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException remembered) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Whether a thread of the SDK has this name. */
  public static boolean isName(@Nullable String name) {
    return name != null && NAMES.contains(withoutNumber(name));
  }

  private static String withoutNumber(String name) {
    int end = name.length();
    while (end > 0 && Character.isDigit(name.charAt(end - 1))) {
      end--;
    }
    return name.substring(0, end);
  }
}
