package com.datanadhi.sdk.internal.appender;

import com.datanadhi.sdk.internal.logging.RateLimitedLog;
import com.datanadhi.sdk.internal.thread.SdkThread;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A log event as a payload, with the field names that the Python SDK's payloads have. What a
 * library does not know of an event is left out.
 */
public final class EventPayload {
  private static final int LONGEST_STACK_TRACE = 64 << 10;

  private final Map<String, Object> fields = new LinkedHashMap<>();
  private final Map<String, Object> record = new LinkedHashMap<>();
  private final Map<String, Object> context = new LinkedHashMap<>();

  /** The fields that every event has. */
  public EventPayload(Instant time, String level, String logger, String thread, String message) {
    fields.put("message", message);
    fields.put("timestamp", time.toString());
    fields.put("module_name", logger);
    record.put("level", level);
    record.put("logger", logger);
    record.put("thread", thread);
  }

  /**
   * Whether an event is the SDK's own, or logged on one of its threads: those are not delivered.
   */
  public static boolean isOurs(@Nullable String logger) {
    return SdkThread.isCurrent()
        || (logger != null
            && (logger.equals(RateLimitedLog.LOGGER)
                || logger.startsWith(RateLimitedLog.LOGGER + ".")));
  }

  /** Where it was logged. */
  public EventPayload at(
      @Nullable String type, @Nullable String method, @Nullable String file, int line) {
    put(record, "class_name", type);
    put(record, "function_name", method);
    put(record, "filename", file);
    if (line > 0) {
      record.put("line_number", line);
    }
    return this;
  }

  /** A value of the mapped diagnostic context, or one that the caller gave with the message. */
  public EventPayload with(String name, @Nullable Object value) {
    if (name.equals("trace_id")) {
      put(fields, name, value);
    } else {
      context.put(name, value);
    }
    return this;
  }

  /** What was thrown: its type, message, stack trace, and where it was thrown. */
  public EventPayload thrown(@Nullable Throwable thrown) {
    if (thrown != null) {
      Map<String, Object> error = new LinkedHashMap<>();
      error.put("type", thrown.getClass().getName());
      put(error, "message", thrown.getMessage());
      StringWriter trace = new StringWriter();
      thrown.printStackTrace(new PrintWriter(trace));
      String text = trace.toString();
      error.put("stacktrace", text.substring(0, Math.min(text.length(), LONGEST_STACK_TRACE)));
      StackTraceElement[] frames = thrown.getStackTrace();
      if (frames.length > 0) {
        put(error, "file", frames[0].getFileName());
        error.put("line", frames[0].getLineNumber());
        error.put("function", frames[0].getClassName() + "." + frames[0].getMethodName());
      }
      context.put("error", error);
    }
    return this;
  }

  /** All of it. */
  public Map<String, Object> payload() {
    fields.put("log_record", record);
    fields.put("context", context);
    return fields;
  }

  private static void put(Map<String, Object> to, String name, @Nullable Object value) {
    if (value != null) {
      to.put(name, value);
    }
  }
}
