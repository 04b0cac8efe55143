package com.datanadhi.hub.http;

import com.datanadhi.hub.intake.Outcome;
import com.datanadhi.hub.intake.Submission;
import com.datanadhi.hub.record.RecordData;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// `POST /log`: one record as JSON, or a record a line as NDJSON.
final class LogHandler implements RouteHandler {
  static final String JSON = "application/json";
  static final String NDJSON = "application/x-ndjson";

  @Override
  public void handle(Exchange exchange) throws ProblemException, IOException, InterruptedException {
    String tenant = exchange.tenant();
    if (exchange.accept(Limits.BODY, JSON, NDJSON).equals(NDJSON)) {
      batch(exchange, tenant);
    } else {
      one(exchange, tenant);
    }
  }

  private static void one(Exchange exchange, String tenant)
      throws ProblemException, IOException, InterruptedException {
    Outcome outcome;
    try (Body body = Body.read(exchange, tenant, Limits.BODY)) {
      List<RecordData> records =
          new EnvelopeParser(body.lease()).submission(body.bytes(), false).records();
      @Nullable String key = IdempotencyHeader.single(exchange.headerLines(IdempotencyHeader.NAME));
      outcome = exchange.services().appender().submit(tenant, new Submission(key, records));
    }
    Receipts.answer(exchange, tenant, outcome);
  }

  private static void batch(Exchange exchange, String tenant)
      throws ProblemException, IOException, InterruptedException {
    Lines lines;
    List<Outcome> outcomes;
    try (Body body = Body.read(exchange, tenant, Limits.BATCH)) {
      lines = Lines.parse(body.bytes(), body.lease(), Limits.BATCH_LINES, true);
      if (lines.count() == 0) {
        throw new ProblemException(
            Problem.badRequest("The body has no lines. Send one envelope a line."));
      }
      outcomes =
          lines.submissions().isEmpty()
              ? List.of()
              : exchange.services().appender().submitEach(tenant, lines.submissions());
    }
    LineErrors errors = lines.errors();
    Problem unavailable = null;
    for (int i = 0; i < outcomes.size(); i++) {
      switch (outcomes.get(i)) {
        case Outcome.Stored _ -> {}
        case Outcome.Invalid invalid -> errors.put(lines.number(i), Receipts.problem(invalid));
        case Outcome.Conflict conflict -> errors.put(lines.number(i), Receipts.problem(conflict));
        case Outcome.Unavailable later -> unavailable = later(unavailable, Receipts.problem(later));
      }
    }
    if (unavailable != null) {
      throw new ProblemException(unavailable);
    }
    exchange.json(
        200,
        Exchange.utf8(
            "{\"stored\":%d,\"errors\":%s}"
                .formatted(lines.count() - errors.size(), errors.json())));
  }

  /// The one with the longer time to wait.
  static Problem later(@Nullable Problem before, Problem problem) {
    Duration wait = before == null ? null : before.retryAfter();
    Duration other = problem.retryAfter();
    return before != null && wait != null && other != null && wait.compareTo(other) >= 0
        ? before
        : problem;
  }
}
