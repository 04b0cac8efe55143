package com.datanadhi.echopost.logging;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/// Writes the events of the session log: a name in snake_case, then the event's own fields in the
/// order given.
///
/// Fields come as name, value pairs; a value is a number, a boolean, or anything with a `toString`;
/// a null value leaves its field out. Never hand over a payload or an API key. Thread-safe.
public final class Events {
  /// Not registered with the LogManager, which closes the handlers of those it knows as soon as a
  /// signal comes, while the agent still has its last lines to write.
  static final Logger LOGGER = new Logger("com.datanadhi.echopost", null) {};

  private Events() {}

  /// An event of the normal course.
  public static void info(String event, @Nullable Object... fields) {
    log(Level.INFO, event, null, fields);
  }

  /// Something a person may want to look at; the agent goes on.
  public static void warning(String event, @Nullable Object... fields) {
    log(Level.WARNING, event, null, fields);
  }

  /// Something a person must look at.
  public static void severe(String event, @Nullable Object... fields) {
    log(Level.SEVERE, event, null, fields);
  }

  /// As [#severe], with the failure behind it.
  public static void severe(String event, Throwable cause, @Nullable Object... fields) {
    log(Level.SEVERE, event, cause, fields);
  }

  private static void log(
      Level level, String event, @Nullable Throwable cause, @Nullable Object... fields) {
    Map<String, Object> map = new LinkedHashMap<>();
    for (int i = 0; i + 1 < fields.length; i += 2) {
      Object value = fields[i + 1];
      if (value != null) {
        map.put(String.valueOf(fields[i]), value);
      }
    }
    LogRecord line = new LogRecord(level, event);
    line.setLoggerName(LOGGER.getName());
    line.setParameters(new Object[] {map});
    line.setThrown(cause);
    LOGGER.log(line);
  }
}
