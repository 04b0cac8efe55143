package com.datanadhi.sdk.jul;

import com.datanadhi.sdk.DataNadhi;
import com.datanadhi.sdk.SubmitResult;
import com.datanadhi.sdk.internal.appender.AppenderSettings;
import com.datanadhi.sdk.internal.appender.EventClient;
import com.datanadhi.sdk.internal.appender.EventPayload;
import com.datanadhi.sdk.internal.appender.FirstEvent;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.util.Arrays;
import java.util.Date;
import java.util.Objects;
import java.util.logging.ErrorManager;
import java.util.logging.Formatter;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;
import java.util.logging.SimpleFormatter;
import org.jspecify.annotations.Nullable;

/**
 * Delivers log records of java.util.logging. It is configured in {@code logging.properties}:
 *
 * <pre>
 * handlers = com.datanadhi.sdk.jul.DataNadhiHandler
 * com.datanadhi.sdk.jul.DataNadhiHandler.directory = .datanadhi
 * com.datanadhi.sdk.jul.DataNadhiHandler.pipelines = orders,audit
 * com.datanadhi.sdk.jul.DataNadhiHandler.level = INFO
 * com.datanadhi.sdk.jul.DataNadhiHandler.maxWaitMillis = 0
 * com.datanadhi.sdk.jul.DataNadhiHandler.beforeSend = shop.Redact
 * com.datanadhi.sdk.jul.DataNadhiHandler.location = false
 * </pre>
 *
 * <p>A log record that the client refuses is reported to the handler's {@link ErrorManager}, which
 * prints the first error only. An invalid configuration is reported once, on {@link System#err}.
 */
public final class DataNadhiHandler extends Handler {
  private final EventClient client;
  private final Formatter formatter = new SimpleFormatter();
  private volatile boolean location;

  /** Makes a handler with the settings in {@code logging.properties}. */
  public DataNadhiHandler() {
    this(
        new AppenderSettings(
            property("directory", ".datanadhi"),
            property("pipelines", ""),
            property("apiKey", ""),
            property("serverHost", ""),
            property("fallbackHost", ""),
            property("serviceName", ""),
            Long.parseLong(property("maxWaitMillis", "0")),
            property("beforeSend", "")),
        null);
    setLevel(Level.parse(property("level", "ALL")));
    setLocation(Boolean.parseBoolean(property("location", "false")));
  }

  /**
   * Makes a handler in code.
   *
   * @param directory the directory of the SDK's configuration
   * @param pipelines the names of the pipelines, separated by commas
   */
  public DataNadhiHandler(String directory, String pipelines) {
    this(directory, pipelines, 0);
  }

  /**
   * Makes a handler in code whose threads wait if the queue is full.
   *
   * @param directory the directory of the SDK's configuration
   * @param pipelines the names of the pipelines, separated by commas
   * @param maxWaitMillis how long a thread that logs waits at most for space in the queue
   */
  public DataNadhiHandler(String directory, String pipelines, long maxWaitMillis) {
    this(new AppenderSettings(directory, pipelines, "", "", "", "", maxWaitMillis, ""), null);
  }

  /**
   * Makes a handler that delivers through a client of the application. To close the handler does
   * not close the client: the application does that, after the last record was logged. At the end
   * of the process, an open client is closed by itself.
   *
   * @param client which delivers the records
   * @param pipelines the names of the pipelines, separated by commas
   * @param maxWaitMillis how long a thread that logs waits at most for space in the queue
   */
  public DataNadhiHandler(DataNadhi client, String pipelines, long maxWaitMillis) {
    this(
        new AppenderSettings("", pipelines, "", "", "", "", maxWaitMillis, ""),
        Objects.requireNonNull(client));
  }

  private DataNadhiHandler(AppenderSettings settings, @Nullable DataNadhi own) {
    EventClient first = new FirstEvent();
    FirstEvent.rehearse(() -> publish(example(), first));
    this.client = EventClient.of(own, settings, () -> {});
  }

  private static LogRecord example() {
    LogRecord example = new LogRecord(Level.SEVERE, "example {0}");
    example.setLoggerName("example");
    example.setParameters(new Object[] {1});
    return example;
  }

  /**
   * Sets whether records have the class and method that logged them; default false. The JDK walks
   * the stack for that, unless the application has given both.
   */
  public void setLocation(boolean location) {
    this.location = location;
  }

  private static String property(String name, String defaultValue) {
    String value =
        LogManager.getLogManager().getProperty(DataNadhiHandler.class.getName() + "." + name);
    return value == null ? defaultValue : value.strip();
  }

  @Override
  public void publish(LogRecord record) {
    publish(record, client);
  }

  private void publish(LogRecord record, EventClient to) {
    try {
      if (!isLoggable(record)) {
        return;
      }
      String thread = threadName(record.getLongThreadID());
      if (EventPayload.isFromSdk(record.getLoggerName(), thread)) {
        return;
      }
      EventPayload event =
          new EventPayload(
                  record.getInstant(),
                  record.getLevel().getName(),
                  severity(record.getLevel().intValue()),
                  String.valueOf(record.getLoggerName()),
                  thread,
                  message(record))
              .thrown(record.getThrown());
      if (location) {
        event.at(record.getSourceClassName(), record.getSourceMethodName());
      }
      SubmitResult result = to.submit(event);
      if (!result.isAccepted()) {
        reportError(EventClient.reason(result), null, ErrorManager.WRITE_FAILURE);
      }
    } catch (RuntimeException failed) {
      reportError(failed.getMessage(), failed, ErrorManager.WRITE_FAILURE);
    }
  }

  /**
   * OpenTelemetry's number for a level, by its mapping for java.util.logging. A level of the
   * application has that of the standard level below it.
   */
  private static int severity(int level) {
    if (level >= Level.SEVERE.intValue()) {
      return 17;
    } else if (level >= Level.WARNING.intValue()) {
      return 13;
    } else if (level >= Level.INFO.intValue()) {
      return 9;
    } else if (level >= Level.CONFIG.intValue()) {
      return 7;
    } else if (level >= Level.FINE.intValue()) {
      return 6;
    } else {
      return level >= Level.FINER.intValue() ? 5 : 1;
    }
  }

  /** A parameter whose {@code toString} throws is replaced by a text. */
  private String message(LogRecord record) {
    Object[] parameters = record.getParameters();
    if (parameters == null || Arrays.stream(parameters).allMatch(DataNadhiHandler::isReadable)) {
      return formatter.formatMessage(record);
    }
    LogRecord readable = new LogRecord(record.getLevel(), record.getMessage());
    readable.setResourceBundle(record.getResourceBundle());
    readable.setParameters(
        Arrays.stream(parameters)
            .map(value ->
                isReadable(value)
                    ? value
                    : String.valueOf(EventPayload.read(value, value::toString)))
            .toArray());
    return formatter.formatMessage(readable);
  }

  /** Whether a format takes the value itself, or none of its methods can throw. */
  private static boolean isReadable(@Nullable Object value) {
    return value == null
        || value instanceof String
        || value instanceof Number
        || value instanceof Date
        || value instanceof Boolean;
  }

  /** Another handler can pass a record on from another thread than the one that logged it. */
  private static String threadName(long id) {
    Thread current = Thread.currentThread();
    if (current.getId() == id) {
      return current.getName();
    }
    try {
      ThreadInfo found = ManagementFactory.getThreadMXBean().getThreadInfo(id);
      return found == null ? "thread " + id : found.getThreadName();
    } catch (RuntimeException | LinkageError unknown) {
      // A record that was read or made by hand has any number; a small runtime has no threads bean.
      return "thread " + id;
    }
  }

  @Override
  public void flush() {
    // The client delivers in the background, and a logging thread must not wait for it.
  }

  /**
   * Starts to close the client, unless another handler or the application uses it too, and returns
   * at once: the client delivers its records in the background, for up to the exit time-out. If the
   * process ends meanwhile, its end waits for that.
   */
  @Override
  public void close() {
    // The LogManager can hold its lock here, which the client needs in order to log.
    client.closeInBackground();
  }
}
