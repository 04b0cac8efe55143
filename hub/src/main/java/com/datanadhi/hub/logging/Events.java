package com.datanadhi.hub.logging;

import com.datanadhi.logging.EventRecord;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/// Writes events to the hub's log, one JSON object a line: a name in snake_case, then the event's
/// fields in the given order.
///
/// Fields are pairs of a name and a value: a number, a boolean, or any object, of which `toString`
/// is written; a null value omits its field. Payloads and API keys are never logged. Thread-safe.
public final class Events {
  private static final Logger LOGGER = Logger.getLogger("com.datanadhi.hub");

  private Events() {}

  /// Logs an event of normal operation.
  public static void info(String event, @Nullable Object... fields) {
    log(Level.INFO, event, null, fields);
  }

  /// Logs an event that a person may want to examine; the hub continues.
  public static void warning(String event, @Nullable Object... fields) {
    log(Level.WARNING, event, null, fields);
  }

  /// Logs an event that a person must examine.
  public static void severe(String event, @Nullable Throwable cause, @Nullable Object... fields) {
    log(Level.SEVERE, event, cause, fields);
  }

  private static void log(
      Level level, String event, @Nullable Throwable cause, @Nullable Object... fields) {
    EventRecord.log(LOGGER, level, event, cause, fields);
  }
}
