package com.datanadhi.sdk.internal.appender;

import com.datanadhi.sdk.DataNadhi;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Submits the log events of a handler or appender to the process's one client for a directory. The
 * client is opened by the first event, not by the configuration of the logging library, during
 * which logging does not work yet. Thread-safe.
 */
public final class SharedClient {
  private static final ThreadLocal<SharedClient> OPENING = new ThreadLocal<>();

  private final Path directory;
  private final List<String> pipelines;
  private volatile Optional<DataNadhi> client = Optional.empty();

  /**
   * @param directory of the SDK's configuration
   * @param pipelines names, separated by commas
   */
  public SharedClient(String directory, String pipelines) {
    this.directory = Path.of(directory);
    this.pipelines =
        Arrays.stream(pipelines.split(",")).map(String::strip).filter(p -> !p.isEmpty()).toList();
  }

  /**
   * Submits the event; returns false if the client refused it. An event that is logged on this
   * thread while it opens a client is ignored, and true is returned.
   *
   * @throws com.datanadhi.sdk.ConfigurationException if the client cannot be opened
   */
  public boolean submit(EventPayload event) {
    DataNadhi open = client.orElse(null);
    if (open == null) {
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
    return open.submit(pipelines, event.fields());
  }
}
