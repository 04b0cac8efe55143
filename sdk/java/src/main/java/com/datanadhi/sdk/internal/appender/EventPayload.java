package com.datanadhi.sdk.internal.appender;

import com.datanadhi.sdk.internal.json.Unreadable;
import com.datanadhi.sdk.internal.logging.RateLimitedLog;
import com.datanadhi.sdk.internal.thread.SdkThread;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Builds the payload of a log event, with the field names of the Python SDK, and those of
 * OpenTelemetry for what that SDK has no name for. Fields that the logging library has no value for
 * are omitted. Not thread-safe.
 */
public final class EventPayload {
  private static final int MAX_STACK_TRACE_CHARS = 64 << 10;

  /**
   * The loggers of the SDK and of what it uses. The JDK's HTTP client logs on threads of its own
   * too. The last two are relocated with their libraries into the jar: an application that uses
   * them itself gets its events delivered.
   */
  private static final List<String> LOGGERS =
      List.of(
          RateLimitedLog.LOGGER, "jdk.httpclient", "jdk.internal.httpclient", "io.grpc", "okio");

  private static final String TRACE_ID = "trace_id";
  private static final String SPAN_ID = "span_id";

  private final Map<String, Object> fields = new LinkedHashMap<>();
  private final Map<String, Object> record = new LinkedHashMap<>();
  private final Map<String, Object> context = new LinkedHashMap<>();

  /**
   * An event with the fields that every logging library has.
   *
   * @param severity the level as a number of OpenTelemetry's scale, from 1 to 24
   * @param message a text, or what {@link #read} returned in its place
   */
  public EventPayload(
      Instant time,
      String level,
      int severity,
      String logger,
      String thread,
      @Nullable Object message) {
    fields.put("message", message);
    fields.put("timestamp", time.toString());
    fields.put("module_name", logger);
    record.put("level", level);
    record.put("severity_number", severity);
    record.put("logger", logger);
    record.put("thread", thread);
  }

  /**
   * Whether an event comes from the SDK: by its logger, or by the thread that logged it, which is
   * not the calling one behind an asynchronous appender. Handlers ignore such events: each record
   * that is delivered would cause others.
   *
   * @param thread the name of the thread that logged the event
   */
  public static boolean isFromSdk(@Nullable String logger, @Nullable String thread) {
    return SdkThread.isName(thread)
        || (logger != null && LOGGERS.stream().anyMatch(parent -> isBelow(parent, logger)));
  }

  private static boolean isBelow(String parent, String logger) {
    return logger.startsWith(parent)
        && (logger.length() == parent.length() || logger.charAt(parent.length()) == '.');
  }

  /** Adds where the event was logged. */
  public EventPayload at(StackTraceElement place) {
    at(place.getClassName(), place.getMethodName());
    put(record, "filename", place.getFileName());
    if (place.getLineNumber() > 0) {
      record.put("line_number", place.getLineNumber());
    }
    return this;
  }

  /** Adds the class and method in which the event was logged. */
  public EventPayload at(@Nullable String type, @Nullable String method) {
    put(record, "class_name", type);
    put(record, "function_name", method);
    return this;
  }

  /** Adds the names of markers, unless there are none. */
  public EventPayload marked(Collection<String> markers) {
    if (!markers.isEmpty()) {
      record.put("markers", markers);
    }
    return this;
  }

  /** Adds the nested diagnostic context, outermost first, unless it is empty. */
  public EventPayload nested(List<String> stack) {
    if (!stack.isEmpty()) {
      record.put("ndc", stack);
    }
    return this;
  }

  /** Adds what only one logging library has. */
  public EventPayload recorded(String name, @Nullable Object value) {
    put(record, name, value);
    return this;
  }

  /**
   * Adds a value of the mapped diagnostic context, or a key-value pair of the message, to the
   * context. The ids of trace and span become fields of their own, also with the names that Spring
   * Boot gives them.
   */
  public EventPayload with(@Nullable String name, @Nullable Object value) {
    String key = String.valueOf(name);
    switch (key) {
      case TRACE_ID, SPAN_ID -> put(fields, key, value);
      case "traceId" -> withId(TRACE_ID, key, value);
      case "spanId" -> withId(SPAN_ID, key, value);
      default -> context.put(key, value);
    }
    return this;
  }

  private void withId(String field, String name, @Nullable Object value) {
    if (value == null || fields.putIfAbsent(field, value) != null) {
      context.put(name, value);
    }
  }

  /**
   * Adds the ids of OpenTelemetry's current span, unless the event has a trace already, or was
   * logged on another thread, as it is behind an asynchronous appender.
   */
  EventPayload inCurrentSpan() {
    if (!fields.containsKey(TRACE_ID)
        && Thread.currentThread().getName().equals(record.get("thread"))) {
      CurrentSpan.addTo(this);
    }
    return this;
  }

  /** Adds what is the same in all events of the process. */
  EventPayload from(EventResource resource) {
    fields.put("resource", resource.attributes());
    return this;
  }

  /** The payload of an event, for a thread that loads the classes for that in advance. */
  public static Map<String, Object> example() {
    return new EventPayload(
            Instant.now(), "INFO", 9, RateLimitedLog.LOGGER, Thread.currentThread().getName(), "")
        .thrown(null)
        .inCurrentSpan()
        .from(new EventResource(Optional.empty()))
        .fields();
  }

  /** Adds the type, message, stack trace (at most 64 Ki characters) and place of an exception. */
  public EventPayload thrown(@Nullable Throwable thrown) {
    if (thrown != null) {
      Map<String, Object> error = new LinkedHashMap<>();
      error.put("type", thrown.getClass().getName());
      put(error, "message", read(thrown, thrown::getMessage));
      put(error, "stacktrace", read(thrown, () -> stackTrace(thrown)));
      Object frames = read(thrown, thrown::getStackTrace);
      if (frames instanceof Unreadable) {
        error.put("function", frames);
      } else if (frames instanceof StackTraceElement[] places
          && places.length > 0
          && places[0] != null) {
        put(error, "file", places[0].getFileName());
        error.put("line", places[0].getLineNumber());
        error.put("function", places[0].getClassName() + "." + places[0].getMethodName());
      }
      context.put("error", error);
    }
    return this;
  }

  /** Adds what is known of an exception that is not there itself. */
  public EventPayload thrown(String type, @Nullable String message, String stackTrace) {
    Map<String, Object> error = new LinkedHashMap<>();
    error.put("type", type);
    put(error, "message", message);
    error.put(
        "stacktrace",
        stackTrace.substring(0, Math.min(stackTrace.length(), MAX_STACK_TRACE_CHARS)));
    context.put("error", error);
    return this;
  }

  /** The complete payload. */
  public Map<String, Object> fields() {
    fields.put("log_record", record);
    fields.put("context", context);
    return fields;
  }

  /** Not the whole text at first: the causes of an exception can be endless. */
  private static String stackTrace(Throwable thrown) {
    FirstChars text = new FirstChars(MAX_STACK_TRACE_CHARS);
    try {
      thrown.printStackTrace(new PrintWriter(text));
    } catch (FirstChars.FullException enough) {
      // The rest is left out.
    }
    return text.toString();
  }

  /**
   * What {@code getter} returns. If code of the application throws there, this is an object that
   * the encoder replaces by a text and counts.
   *
   * @param owner the object of the application
   */
  public static @Nullable Object read(
      @Nullable Object owner, Supplier<? extends @Nullable Object> getter) {
    try {
      return getter.get();
    } catch (Throwable failed) {
      return Unreadable.of(owner, failed);
    }
  }

  private static void put(Map<String, Object> to, String name, @Nullable Object value) {
    if (value != null) {
      to.put(name, value);
    }
  }
}
