package com.datanadhi.sdk.internal.appender;

import com.datanadhi.sdk.Configuration;
import com.datanadhi.sdk.ConfigurationException;
import com.datanadhi.sdk.DataNadhi;
import com.datanadhi.sdk.internal.json.EncodedPayload;
import com.datanadhi.sdk.internal.logging.StandardError;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The clients that the appenders, the handlers and the code of a process share, one for each
 * directory. Thread-safe.
 */
public final class SharedClients {
  private static final Map<Path, SharedClients> BY_DIRECTORY = new ConcurrentHashMap<>();

  private static final long RECHECK_NANOS = TimeUnit.SECONDS.toNanos(30);

  private final Path directory;
  private final KeptRecords kept;
  private final Set<SharedClient> users = new HashSet<>();
  private @Nullable DataNadhi client;
  private boolean usedByApplication;
  private boolean invalid;
  private long checkedAt;

  private SharedClients(Path directory) {
    this.directory = directory;
    this.kept = new KeptRecords(directory);
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

  /** Adds a user, and checks the configuration if there is no client yet. */
  synchronized void add(SharedClient user) {
    users.add(user);
    if (client == null) {
      try {
        Configuration unused = Configuration.load(directory);
        invalid = false;
      } catch (ConfigurationException problem) {
        report(problem);
      }
    }
  }

  /**
   * As {@link #open}, but returns null while the configuration is invalid, and to a user that was
   * removed. The configuration is read again at most every 30 s.
   */
  synchronized @Nullable DataNadhi openUnlessInvalid(SharedClient user) {
    if (!users.contains(user) || (invalid && System.nanoTime() - checkedAt < RECHECK_NANOS)) {
      return null;
    }
    try {
      return open();
    } catch (ConfigurationException problem) {
      report(problem);
      return null;
    }
  }

  /**
   * Keeps a record while the configuration is invalid, or submits it if another thread has opened a
   * client meanwhile. Returns false, and does nothing, for a user that was removed.
   */
  synchronized boolean keep(SharedClient user, List<String> pipelines, EncodedPayload payload) {
    if (!users.contains(user)) {
      return false;
    }
    kept.add(pipelines, payload);
    DataNadhi open = client;
    if (open != null && !open.isClosed()) {
      kept.submitTo(open);
    }
    return true;
  }

  /** The first message is printed, since the logging library is being configured or is silent. */
  private void report(ConfigurationException problem) {
    checkedAt = System.nanoTime();
    if (!invalid) {
      invalid = true;
      StandardError.print(
          ("%s. Nothing is delivered before that: up to %d records are kept, and written to %s at"
                  + " the end")
              .formatted(
                  problem.getMessage(), KeptRecords.MAX_RECORDS, directory.resolve("dropped")));
    }
  }

  /**
   * Returns the client; opens one if there is none, or if it was closed, and submits the kept
   * records to it.
   */
  synchronized DataNadhi open() {
    DataNadhi known = client;
    if (known != null && (!known.isClosed() || isExiting())) {
      return known;
    }
    DataNadhi opened = DataNadhi.open(directory);
    client = opened;
    invalid = false;
    usedByApplication = false;
    kept.submitTo(opened);
    return opened;
  }

  /**
   * Removes a user. After the last one, returns the client, which the caller closes, unless the
   * application uses it too.
   */
  @Nullable DataNadhi remove(SharedClient user) {
    DataNadhi unused;
    synchronized (this) {
      if (!users.remove(user) || !users.isEmpty() || usedByApplication) {
        return null;
      }
      unused = client;
      if (!isExiting()) {
        client = null;
      }
    }
    kept.end();
    return unused;
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
