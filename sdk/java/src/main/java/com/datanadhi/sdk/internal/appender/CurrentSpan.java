package com.datanadhi.sdk.internal.appender;

import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;

/**
 * The span of OpenTelemetry in which the current thread works. An application without
 * OpenTelemetry's API has none. Thread-safe.
 */
final class CurrentSpan {
  private static final boolean HAS_API = hasApi();

  private CurrentSpan() {}

  /** Adds the ids of trace and span, if there is a span. */
  static void addTo(EventPayload event) {
    if (HAS_API) {
      Api.addTo(event);
    }
  }

  private static boolean hasApi() {
    try {
      Api.load();
      return true;
    } catch (LinkageError absent) {
      return false;
    }
  }

  /** In a class of its own, because it cannot be loaded without the API. */
  private static final class Api {
    static void load() {
      Span unused = Span.current();
    }

    static void addTo(EventPayload event) {
      SpanContext context = Span.current().getSpanContext();
      if (context.isValid()) {
        event.with("trace_id", context.getTraceId()).with("span_id", context.getSpanId());
      }
    }
  }
}
