package com.datanadhi.sdk.internal.appender;

import com.datanadhi.sdk.DataNadhi;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Where the handlers of all logging libraries put their events: the process's client for a
 * directory. It is opened with the first event: while a logging library configures itself is no
 * time to log.
 */
public final class SharedClient {
  private static final ThreadLocal<SharedClient> OPENING = new ThreadLocal<>();

  private final Path directory;
  private final List<String> pipelines;
  private volatile Optional<DataNadhi> client = Optional.empty();

  /**
   * @param pipelines their names, with commas between them
   */
  public SharedClient(String directory, String pipelines) {
    this.directory = Path.of(directory);
    this.pipelines =
        Arrays.stream(pipelines.split(",")).map(String::strip).filter(p -> !p.isEmpty()).toList();
  }

  /**
   * Submits it; false when it was not taken.
   *
   * @throws com.datanadhi.sdk.ConfigurationException when no client can be opened
   */
  public boolean put(EventPayload event) {
    DataNadhi open = client.orElse(null);
    if (open == null) {
      // What is logged while a client is opened, by whomever, has no client to go to.
      if (OPENING.get() != null) {
        return true;
      }
      OPENING.set(this);
      try {
        open = DataNadhi.shared(directory);
      } finally {
        OPENING.remove();
      }
      client = Optional.of(open);
    }
    return open.submit(pipelines, event.payload());
  }
}
