package com.datanadhi.sdk.internal.thread;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The end of the process. The JVM runs all shutdown hooks at the same time, and hooks of the
 * application still log: a hook of the SDK waits for the last records before it refuses others.
 * Thread-safe.
 */
public final class ProcessEnd {
  private static final Duration LONGEST_START_OF_HOOKS = Duration.ofSeconds(1);
  private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
  private static final Set<Runnable> BUFFERS = ConcurrentHashMap.newKeySet();

  /** Threads that ran at the last look, by their ids. */
  private static volatile Set<Long> earlierThreads = Set.of();

  private static @Nullable List<Thread> emptying;

  private ProcessEnd() {}

  /** Whether the JVM is shutting down. */
  public static boolean hasBegun() {
    return !addHook(new Thread(() -> {}, "datanadhi-check"), true);
  }

  /** Runs {@code hook} at the end of the process; returns false if that has begun. */
  public static boolean addHook(Thread hook) {
    return addHook(hook, false);
  }

  private static boolean addHook(Thread hook, boolean removeAgain) {
    try {
      Runtime.getRuntime().addShutdownHook(hook);
      if (removeAgain) {
        removeHook(hook);
      }
      return true;
    } catch (IllegalStateException shuttingDown) {
      return false;
    }
  }

  /** Does not run {@code hook}, unless the end of the process has begun. */
  public static void removeHook(Thread hook) {
    try {
      boolean unused = Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException shuttingDown) {
      // The hook runs.
    }
  }

  /**
   * Adds what empties the buffer of a logging library, so that its events reach the SDK. It runs at
   * the end of the process when the application's hooks have ended.
   */
  public static void addBuffer(Runnable empty) {
    BUFFERS.add(empty);
  }

  /** Removes what was added with {@link #addBuffer}. */
  public static void removeBuffer(Runnable empty) {
    BUFFERS.remove(empty);
  }

  /**
   * Remembers which threads run now: they are no shutdown hooks. To be called about twice a second.
   */
  public static void lookAtThreads() {
    Set<Long> now = threads().map(Thread::getId).collect(Collectors.toSet());
    if (!hasBegun()) {
      earlierThreads = now;
    }
  }

  /**
   * Waits, in a shutdown hook, until the hooks of the application have ended and the buffers of the
   * logging libraries are empty, for at most {@code longest}.
   */
  public static void awaitLastRecords(Duration longest) throws InterruptedException {
    long begin = System.nanoTime();
    long end = begin + longest.toNanos();
    // A virtual thread that ends the process is in no list of threads.
    long startLimit = begin + Math.min(longest.toNanos() / 2, LONGEST_START_OF_HOOKS.toNanos());
    while (!areHooksStarted() && System.nanoTime() - startLimit < 0) {
      Thread.sleep(1);
    }
    // Slow hooks leave some time for what the buffers hold.
    long hooksEnd = end - longest.toNanos() / 5;
    Optional<Thread> hook = runningHook();
    while (hook.isPresent() && System.nanoTime() - hooksEnd < 0) {
      // Not until its end: a thread of a pool may become idle.
      long nextLook = System.nanoTime() + LOOK_NANOS;
      join(hook.get(), nextLook - hooksEnd < 0 ? nextLook : hooksEnd);
      hook = runningHook();
    }
    if (System.nanoTime() - end < 0) {
      for (Thread thread : emptyBuffers()) {
        join(thread, end);
      }
    }
  }

  private static void join(Thread thread, long end) throws InterruptedException {
    // Rounded up, since 0 means to wait for ever.
    thread.join(TimeUnit.NANOSECONDS.toMillis(Math.max(0, end - System.nanoTime())) + 1);
  }

  /**
   * Once in a process, whoever asks first. On a thread for each, so that one that fails or does not
   * end does not hold up the others; not at all if no thread can be made.
   */
  private static synchronized List<Thread> emptyBuffers() {
    List<Thread> known = emptying;
    if (known == null) {
      known =
          BUFFERS.stream()
              .map(empty -> SdkThread.named("datanadhi-last", empty))
              .filter(SdkThread::start)
              .toList();
      emptying = known;
    }
    return known;
  }

  /**
   * The thread that ends the process starts all hooks, one after the other, and then joins them.
   */
  private static boolean areHooksStarted() {
    return Thread.getAllStackTraces().values().stream()
        .anyMatch(stack ->
            isEndingTheProcess(stack)
                && Arrays.stream(stack)
                    .anyMatch(frame ->
                        frame.getClassName().equals("java.lang.Thread")
                            && frame.getMethodName().equals("join")));
  }

  /**
   * A hook of the application, or a thread that one of its hooks has started. The JVM does not tell
   * which threads are hooks; but a hook is a thread that did not run before, and no daemon.
   */
  private static Optional<Thread> runningHook() {
    Set<Long> earlier = earlierThreads;
    return threads()
        .filter(thread -> !thread.isDaemon() && !earlier.contains(thread.getId()))
        .filter(thread -> thread.isAlive() && mayBeHook(thread.getStackTrace()))
        .findAny();
  }

  private static boolean mayBeHook(StackTraceElement[] stack) {
    return !isEndingTheProcess(stack) && !isIdleInPool(stack);
  }

  /** Whether the thread waits for a task: short programs often end without closing their pools. */
  private static boolean isIdleInPool(StackTraceElement[] stack) {
    return Arrays.stream(stack)
        .anyMatch(frame ->
            frame.getClassName().equals("java.util.concurrent.ThreadPoolExecutor")
                && frame.getMethodName().equals("getTask"));
  }

  /** Whether the thread runs all hooks, such as the one that called {@link System#exit}. */
  private static boolean isEndingTheProcess(StackTraceElement[] stack) {
    return Arrays.stream(stack)
        .anyMatch(frame -> frame.getClassName().equals("java.lang.Shutdown"));
  }

  private static Stream<Thread> threads() {
    ThreadGroup root = Thread.currentThread().getThreadGroup();
    while (root.getParent() != null) {
      root = root.getParent();
    }
    Thread[] found = new Thread[root.activeCount() + 16];
    int count = root.enumerate(found, true);
    while (count == found.length) {
      found = new Thread[2 * found.length];
      count = root.enumerate(found, true);
    }
    return Arrays.stream(found, 0, count);
  }
}
