package com.datanadhi.hub.http;

import com.datanadhi.hub.health.HealthReport;
import com.datanadhi.hub.json.JsonText;
import com.datanadhi.hub.metrics.HubMetrics;
import java.time.Instant;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// What probes and monitoring ask: no API key needed.
final class StateHandlers {
  /// `GET /`: as `/readyz`; agents probe it.
  void probe(Exchange exchange) throws ProblemException {
    ready(exchange);
  }

  void ready(Exchange exchange) throws ProblemException {
    @Nullable String problem = exchange.services().health().appendProblem();
    if (problem != null) {
      throw new ProblemException(Problem.unavailable("The hub cannot store records: " + problem));
    }
    exchange.json(200, Exchange.utf8("{\"status\":\"ready\"}"));
  }

  void live(Exchange exchange) {
    exchange.json(200, Exchange.utf8("{\"status\":\"alive\"}"));
  }

  void health(Exchange exchange) {
    HealthReport report = exchange.services().health().report();
    JsonText json =
        new JsonText()
            .raw("{\"status\":")
            .string(report.status().name().toLowerCase(Locale.ROOT))
            .raw(",\"components\":{");
    String[] separator = {""};
    report
        .components()
        .forEach((name, state) -> {
          json.raw(separator[0]).string(name).raw(":").string(state);
          separator[0] = ",";
        });
    json.raw("},\"applier_lag_ms\":").number(report.applierLagMillis());
    Instant lastSnapshot = report.lastSnapshot();
    json.raw(",\"last_snapshot\":").string(lastSnapshot == null ? null : lastSnapshot.toString());
    json.raw(",\"reasons\":[");
    separator[0] = "";
    report
        .reasons()
        .forEach(reason -> {
          json.raw(separator[0]).string(reason);
          separator[0] = ",";
        });
    int status = report.status() == HealthReport.Status.UNHEALTHY ? 503 : 200;
    if (status == 503) {
      exchange.setHeader("Retry-After", "1");
    }
    exchange.json(status, json.raw("]}").toBytes());
  }

  void metrics(Exchange exchange) {
    @Nullable String accept = exchange.header("Accept");
    HubMetrics.Text text = exchange.services().metrics().text(accept == null ? "" : accept);
    exchange.answer(200, text.contentType(), text.bytes());
  }
}
