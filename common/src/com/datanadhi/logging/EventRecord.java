package com.datanadhi.logging;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/// Makes the log records that [JsonFormatter] writes as events.
public final class EventRecord {
  private EventRecord() {}

  /// Logs an event.
  ///
  /// @param fields pairs of a name and a value; a null value omits its field
  public static void log(
      Logger logger,
      Level level,
      String event,
      @Nullable Throwable cause,
      @Nullable Object... fields) {
    Map<String, Object> map = new LinkedHashMap<>();
    for (int i = 0; i + 1 < fields.length; i += 2) {
      Object value = fields[i + 1];
      if (value != null) {
        map.put(String.valueOf(fields[i]), value);
      }
    }
    LogRecord line = new LogRecord(level, event);
    line.setLoggerName(logger.getName());
    line.setParameters(new Object[] {map});
    line.setThrown(cause);
    logger.log(line);
  }
}
