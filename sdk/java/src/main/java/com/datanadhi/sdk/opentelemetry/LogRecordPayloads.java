package com.datanadhi.sdk.opentelemetry;

import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.KeyValue;
import io.opentelemetry.api.common.Value;
import io.opentelemetry.api.common.ValueType;
import io.opentelemetry.api.logs.Severity;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.sdk.common.InstrumentationScopeInfo;
import io.opentelemetry.sdk.logs.data.LogRecordData;
import io.opentelemetry.sdk.resources.Resource;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Makes payloads of OpenTelemetry's log records, with the fields that the log handlers use.
 * Thread-safe.
 */
final class LogRecordPayloads {
  private static final long NANOS_PER_SECOND = TimeUnit.SECONDS.toNanos(1);

  private final boolean withResource;

  /** Nearly always there is one resource only. */
  private volatile ResourceFields lastResource = new ResourceFields(Resource.empty(), Map.of());

  LogRecordPayloads(boolean withResource) {
    this.withResource = withResource;
  }

  /** The payload of a log record. Parts that the record does not have are omitted. */
  Map<String, Object> of(LogRecordData log) {
    Map<String, Object> fields = new LinkedHashMap<>();
    addBody(fields, log.getBodyValue());
    addTimes(fields, log.getTimestampEpochNanos(), log.getObservedTimestampEpochNanos());
    put(fields, "event_name", log.getEventName());
    InstrumentationScopeInfo scope = log.getInstrumentationScopeInfo();
    fields.put("module_name", scope.getName());
    addSpan(fields, log.getSpanContext());
    if (withResource) {
      putUnlessEmpty(fields, "resource", resource(log.getResource()));
    }
    fields.put("log_record", logRecord(log, scope));
    fields.put("context", context(log.getAttributes()));
    return fields;
  }

  /** A text is the message; any other value keeps its structure. */
  private static void addBody(Map<String, Object> fields, @Nullable Value<?> body) {
    if (body != null) {
      fields.put(body.getType() == ValueType.STRING ? "message" : "body", json(body));
    }
  }

  /** A record that only has the time of its observation gets that as its time. */
  private static void addTimes(Map<String, Object> fields, long time, long observed) {
    if (time != 0) {
      fields.put("timestamp", instant(time));
    }
    if (observed != 0 && observed != time) {
      fields.put(time == 0 ? "timestamp" : "observed_timestamp", instant(observed));
    }
  }

  private static String instant(long epochNanos) {
    return Instant.ofEpochSecond(
            Math.floorDiv(epochNanos, NANOS_PER_SECOND),
            Math.floorMod(epochNanos, NANOS_PER_SECOND))
        .toString();
  }

  private static void addSpan(Map<String, Object> fields, SpanContext span) {
    if (span.isValid()) {
      fields.put("trace_id", span.getTraceId());
      fields.put("span_id", span.getSpanId());
      fields.put("trace_flags", span.getTraceFlags().asHex());
    }
  }

  private Map<String, Object> resource(Resource resource) {
    ResourceFields last = lastResource;
    if (!last.resource().equals(resource)) {
      last = new ResourceFields(resource, fields(resource.getAttributes()));
      lastResource = last;
    }
    return last.fields();
  }

  private record ResourceFields(Resource resource, Map<String, Object> fields) {}

  private static Map<String, Object> logRecord(LogRecordData log, InstrumentationScopeInfo scope) {
    Map<String, Object> fields = new LinkedHashMap<>();
    Severity severity = log.getSeverity();
    if (log.getSeverityText() != null) {
      fields.put("level", log.getSeverityText());
    } else if (severity != Severity.UNDEFINED_SEVERITY_NUMBER) {
      fields.put("level", severity.name());
    }
    if (severity != Severity.UNDEFINED_SEVERITY_NUMBER) {
      fields.put("severity_number", severity.getSeverityNumber());
    }
    fields.put("logger", scope.getName());
    put(fields, "scope_version", scope.getVersion());
    put(fields, "scope_schema_url", scope.getSchemaUrl());
    putUnlessEmpty(fields, "scope_attributes", fields(scope.getAttributes()));
    int dropped = log.getTotalAttributeCount() - log.getAttributes().size();
    if (dropped > 0) {
      fields.put("dropped_attributes_count", dropped);
    }
    return fields;
  }

  private static Map<String, Object> context(Attributes attributes) {
    Map<String, Object> context = fields(attributes);
    if (!context.containsKey("error")) {
      Map<String, Object> error = new LinkedHashMap<>();
      for (String field : List.of("type", "message", "stacktrace")) {
        put(error, field, context.remove("exception." + field));
      }
      putUnlessEmpty(context, "error", error);
    }
    return context;
  }

  private static Map<String, Object> fields(Attributes attributes) {
    Map<String, Object> fields = new LinkedHashMap<>();
    attributes.forEach((key, value) -> fields.put(key.getKey(), json(value)));
    return fields;
  }

  /** Attributes are texts, numbers, booleans, lists of these, and with new versions any value. */
  private static @Nullable Object json(@Nullable Object value) {
    if (!(value instanceof Value<?> any)) {
      return value;
    }
    Object content = any.getValue();
    return switch (any.getType()) {
      case ARRAY -> ((List<?>) content).stream().map(LogRecordPayloads::json).toList();
      case KEY_VALUE_LIST -> members((List<?>) content);
      case BYTES -> base64((ByteBuffer) content);
      default -> content;
    };
  }

  private static Map<String, Object> members(List<?> list) {
    Map<String, Object> members = new LinkedHashMap<>();
    for (Object member : list) {
      KeyValue pair = (KeyValue) member;
      members.put(pair.getKey(), json(pair.getValue()));
    }
    return members;
  }

  private static String base64(ByteBuffer bytes) {
    return StandardCharsets.ISO_8859_1
        .decode(Base64.getEncoder().encode(bytes.duplicate()))
        .toString();
  }

  private static void put(Map<String, Object> to, String name, @Nullable Object value) {
    if (value != null) {
      to.put(name, value);
    }
  }

  private static void putUnlessEmpty(
      Map<String, Object> to, String name, Map<String, Object> value) {
    if (!value.isEmpty()) {
      to.put(name, value);
    }
  }
}
