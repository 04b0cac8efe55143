package com.datanadhi.sdk.testkit;

import com.datanadhi.sdk.jul.DataNadhiHandler;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.context.Scope;
import java.util.logging.Level;
import java.util.logging.LogRecord;

/** Logs an event in a span of OpenTelemetry, with a directory that is configured already. */
public final class TracedApplication {
  private TracedApplication() {}

  public static void main(String[] args) {
    DataNadhiHandler handler = new DataNadhiHandler(args[0], "orders");
    SpanContext span =
        SpanContext.create(args[1], args[2], TraceFlags.getSampled(), TraceState.getDefault());
    try (Scope scope = Span.wrap(span).makeCurrent()) {
      handler.publish(new LogRecord(Level.INFO, "event"));
    }
    handler.close();
  }
}
