package com.datanadhi.sdk.jul;

import com.datanadhi.sdk.internal.appender.EventPayload;
import com.datanadhi.sdk.internal.appender.SharedClient;
import java.util.logging.ErrorManager;
import java.util.logging.Formatter;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;
import java.util.logging.SimpleFormatter;

/**
 * Delivers what is logged with java.util.logging. In {@code logging.properties}:
 *
 * <pre>
 * handlers = com.datanadhi.sdk.jul.DataNadhiHandler
 * com.datanadhi.sdk.jul.DataNadhiHandler.directory = .datanadhi
 * com.datanadhi.sdk.jul.DataNadhiHandler.pipelines = orders,audit
 * com.datanadhi.sdk.jul.DataNadhiHandler.level = INFO
 * </pre>
 *
 * <p>An event that is not taken, or a configuration that cannot be used, is reported to the
 * handler's {@link ErrorManager}, which prints the first.
 */
public final class DataNadhiHandler extends Handler {
  private final SharedClient sink;
  private final Formatter messages = new SimpleFormatter();

  /** By {@code logging.properties}. */
  public DataNadhiHandler() {
    this(property("directory", ".datanadhi"), property("pipelines", ""));
    setLevel(Level.parse(property("level", "ALL")));
  }

  /**
   * In code.
   *
   * @param directory where the SDK's configuration is
   * @param pipelines their names, with commas between them
   */
  public DataNadhiHandler(String directory, String pipelines) {
    this.sink = new SharedClient(directory, pipelines);
  }

  private static String property(String name, String otherwise) {
    String value =
        LogManager.getLogManager().getProperty(DataNadhiHandler.class.getName() + "." + name);
    return value == null ? otherwise : value.strip();
  }

  @Override
  public void publish(LogRecord record) {
    if (!isLoggable(record) || EventPayload.isOurs(record.getLoggerName())) {
      return;
    }
    try {
      EventPayload event =
          new EventPayload(
                  record.getInstant(),
                  record.getLevel().getName(),
                  String.valueOf(record.getLoggerName()),
                  Thread.currentThread().getName(),
                  messages.formatMessage(record))
              .at(record.getSourceClassName(), record.getSourceMethodName(), null, 0)
              .thrown(record.getThrown());
      if (!sink.put(event)) {
        reportError("a record was not taken", null, ErrorManager.WRITE_FAILURE);
      }
    } catch (RuntimeException bad) {
      reportError(bad.getMessage(), bad, ErrorManager.WRITE_FAILURE);
    }
  }

  @Override
  public void flush() {
    // The client delivers by itself; nobody is to wait for it here.
  }

  @Override
  public void close() {
    // The end of the process closes the client, which other handlers may share.
  }
}
