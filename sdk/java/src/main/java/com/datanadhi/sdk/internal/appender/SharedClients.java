package com.datanadhi.sdk.internal.appender;

import com.datanadhi.sdk.DataNadhi;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The clients that the appenders, the handlers and the code of a process share, one for each
 * directory. Thread-safe.
 */
public final class SharedClients {
  private static final Map<Path, SharedClients> BY_DIRECTORY = new ConcurrentHashMap<>();

  private final Path directory;
  private final Set<SharedClient> users = new HashSet<>();
  private @Nullable DataNadhi client;
  private boolean usedByApplication;

  private SharedClients(Path directory) {
    this.directory = directory;
  }

  static SharedClients of(Path directory) {
    return BY_DIRECTORY.computeIfAbsent(directory.toAbsolutePath().normalize(), SharedClients::new);
  }

  /**
   * Returns the open client for the application's own use: it stays open when the last appender is
   * closed.
   *
   * @throws com.datanadhi.sdk.ConfigurationException if it cannot be opened
   */
  public static DataNadhi forApplication(Path directory) {
    SharedClients shared = of(directory);
    synchronized (shared) {
      DataNadhi open = shared.open();
      shared.usedByApplication = true;
      return open;
    }
  }

  synchronized void add(SharedClient user) {
    users.add(user);
  }

  /** Returns the client; opens one if there is none, or if it was closed. */
  synchronized DataNadhi open() {
    DataNadhi known = client;
    if (known != null && (!known.isClosed() || isExiting())) {
      return known;
    }
    DataNadhi opened = DataNadhi.open(directory);
    client = opened;
    usedByApplication = false;
    return opened;
  }

  /** Closes the client after its last user, unless the application uses it too. */
  void remove(SharedClient user) {
    DataNadhi unused;
    synchronized (this) {
      if (!users.remove(user) || !users.isEmpty() || usedByApplication) {
        return;
      }
      unused = client;
      if (!isExiting()) {
        client = null;
      }
    }
    // Not under the lock: it can take as long as the exit time-out.
    if (unused != null) {
      unused.close();
    }
  }

  /** At the end of the process nothing is opened again: nobody would close it. */
  private static boolean isExiting() {
    Thread probe = new Thread(() -> {});
    try {
      Runtime.getRuntime().addShutdownHook(probe);
      boolean unused = Runtime.getRuntime().removeShutdownHook(probe);
      return false;
    } catch (IllegalStateException exiting) {
      return true;
    }
  }
}
