package com.datanadhi.echopost.logging;

import com.datanadhi.logging.EventRecord;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/// Writes events to the session log: a name of [EventNames], then the event's fields in the given
/// order.
///
/// Fields are pairs of a name and a value. A value is a number, a boolean, or any object, of which
/// `toString` is written; a null value omits its field. Payloads and API keys must not be logged.
/// Thread-safe.
public final class Events {
  /// This logger is not registered with the LogManager, which closes the handlers of its loggers at
  /// a signal, while the agent still logs.
  static final Logger LOGGER = new Logger("com.datanadhi.echopost", null) {};

  private Events() {}

  /// Logs an event of normal operation.
  public static void info(String event, @Nullable Object... fields) {
    log(Level.INFO, event, null, fields);
  }

  /// Logs an event that a person may want to examine; the agent continues.
  public static void warning(String event, @Nullable Object... fields) {
    log(Level.WARNING, event, null, fields);
  }

  /// Logs an event that a person must examine.
  public static void severe(String event, @Nullable Object... fields) {
    log(Level.SEVERE, event, null, fields);
  }

  /// The same, with the failure that caused it.
  public static void severe(String event, Throwable cause, @Nullable Object... fields) {
    log(Level.SEVERE, event, cause, fields);
  }

  private static void log(
      Level level, String event, @Nullable Throwable cause, @Nullable Object... fields) {
    EventRecord.log(LOGGER, level, event, cause, fields);
  }
}
