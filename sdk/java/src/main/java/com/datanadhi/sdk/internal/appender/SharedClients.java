package com.datanadhi.sdk.internal.appender;

import com.datanadhi.sdk.ConfigurationException;
import com.datanadhi.sdk.DataNadhi;
import com.datanadhi.sdk.DataNadhiConfiguration;
import com.datanadhi.sdk.internal.config.ConfigurationLoader;
import com.datanadhi.sdk.internal.json.EncodedPayload;
import com.datanadhi.sdk.internal.logging.StandardError;
import com.datanadhi.sdk.internal.thread.ProcessEnd;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The clients that the appenders, the handlers and the code of a process share, one for each
 * directory. Thread-safe.
 *
 * <p>The lock of a directory is not held while anything is read, printed or logged: the logging
 * library can hold a lock of its own when it starts or stops an appender, and need it to log.
 */
public final class SharedClients {
  private static final Map<Path, SharedClients> BY_DIRECTORY = new ConcurrentHashMap<>();

  private static final long RECHECK_NANOS = TimeUnit.SECONDS.toNanos(30);

  private final Path directory;
  private final KeptRecords kept;
  private final Set<SharedClient> users = new LinkedHashSet<>();

  /** All clients so far, as long as the application holds them. */
  private final Set<DataNadhi> opened = Collections.newSetFromMap(new WeakHashMap<>());

  private @Nullable DataNadhi client;
  private boolean endsWithProcess;
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
    return Objects.requireNonNull(of(directory).open(null));
  }

  /** The open client of the same directory, if this shared one is closed; else the same. */
  public static DataNadhi successor(DataNadhi client) {
    SharedClients shared = BY_DIRECTORY.get(client.configuration().directory());
    return shared == null ? client : shared.successorOf(client);
  }

  private synchronized DataNadhi successorOf(DataNadhi earlier) {
    DataNadhi known = client;
    return known != null && earlier.isClosed() && opened.contains(earlier) ? known : earlier;
  }

  /** Adds a user, and opens a client if there is none and the configuration is valid. */
  void add(SharedClient user) {
    synchronized (this) {
      users.add(user);
    }
    try {
      DataNadhi open = open(user);
      Map<String, String> own = user.settings().ofClient();
      if (open != null && !own.isEmpty() && !isSame(load(own), open.configuration())) {
        StandardError.print(
            "The client for %s is open already, with %s: the key, host or service name of another appender for the same directory is not used. Give them a directory each, or the same settings"
                .formatted(directory, open.configuration().serverHost()));
      }
    } catch (ConfigurationException | OutOfMemoryError problem) {
      report(String.valueOf(problem.getMessage()));
    }
  }

  private DataNadhiConfiguration load(Map<String, String> ofAppenders) {
    return ConfigurationLoader.load(directory, System.getenv(), ofAppenders);
  }

  /** The settings of all appenders; if several have one, that of the first. */
  private synchronized Map<String, String> ofUsers() {
    Map<String, String> all = new HashMap<>();
    users.forEach(user -> user.settings().ofClient().forEach(all::putIfAbsent));
    return all;
  }

  /** Whether an appender needs no client of its own. */
  private static boolean isSame(DataNadhiConfiguration wanted, DataNadhiConfiguration open) {
    return wanted.apiKey().equals(open.apiKey())
        && wanted.serverHost().equals(open.serverHost())
        && wanted.fallbackHost().equals(open.fallbackHost())
        && (wanted.serviceName().isEmpty() || wanted.serviceName().equals(open.serviceName()));
  }

  /**
   * Returns the client as {@link #open}, but null while the configuration is invalid or no thread
   * can be made, and to a user that was removed. It is tried again at most every 30 s.
   */
  @Nullable DataNadhi openUnlessInvalid(SharedClient user) {
    synchronized (this) {
      if (!users.contains(user) || (invalid && System.nanoTime() - checkedAt < RECHECK_NANOS)) {
        return null;
      }
    }
    try {
      return open(user);
    } catch (ConfigurationException | OutOfMemoryError problem) {
      report(String.valueOf(problem.getMessage()));
      return null;
    }
  }

  /**
   * Keeps a record while the configuration is invalid, or submits it if another thread has opened a
   * client meanwhile. Returns false, and does nothing, for a user that was removed.
   */
  boolean keep(SharedClient user, List<String> pipelines, EncodedPayload payload) {
    DataNadhi open;
    synchronized (this) {
      if (!users.contains(user)) {
        return false;
      }
      kept.add(pipelines, payload);
      open = client;
    }
    if (open != null && !open.isClosed()) {
      kept.submitTo(open);
    }
    return true;
  }

  /** The first message is printed, since the logging library is being configured or is silent. */
  private void report(String problem) {
    synchronized (this) {
      checkedAt = System.nanoTime();
      if (invalid) {
        return;
      }
      invalid = true;
    }
    kept.begin();
    StandardError.print(
        "%s. Nothing is delivered before that: up to %d records are kept, and written to %s at the end"
            .formatted(problem, KeptRecords.MAX_RECORDS, directory.resolve("dropped")));
  }

  /**
   * Returns the client; opens one if there is none, or if it was closed, and submits the kept
   * records to it. Returns null to a user that was removed.
   *
   * @param user null for the application
   */
  private @Nullable DataNadhi open(@Nullable SharedClient user) {
    DataNadhi known = current(user);
    if (known != null) {
      return known;
    }
    DataNadhiConfiguration configuration = load(ofUsers());
    boolean ends = ProcessEnd.hasBegun();
    synchronized (this) {
      known = current(user);
      if (known != null || (user != null && !users.contains(user))) {
        return known;
      }
      // This takes no time and logs nothing.
      known = DataNadhi.open(configuration);
      client = known;
      opened.add(known);
      endsWithProcess = !ends;
      invalid = false;
      usedByApplication = user == null;
    }
    kept.submitTo(known);
    return known;
  }

  /** The client, unless another one must be opened. */
  private synchronized @Nullable DataNadhi current(@Nullable SharedClient user) {
    DataNadhi known = client;
    if (known == null || (known.isClosed() && !ProcessEnd.hasBegun())) {
      return null;
    }
    usedByApplication |= user == null;
    return known;
  }

  /**
   * Removes a user. After the last one, returns the client, which the caller closes, unless the
   * application uses it too, or it ends with the process anyway.
   */
  @Nullable DataNadhi remove(SharedClient user) {
    boolean ends = ProcessEnd.hasBegun();
    DataNadhi unused;
    synchronized (this) {
      if (!users.remove(user) || !users.isEmpty() || usedByApplication) {
        return null;
      }
      unused = client;
      if (ends && endsWithProcess) {
        unused = null;
      } else if (!ends) {
        client = null;
      }
    }
    kept.end();
    return unused;
  }
}
