package com.datanadhi.hub.http;

import com.datanadhi.hub.intake.Outcome;
import com.datanadhi.hub.intake.Submission;
import com.datanadhi.hub.record.RecordData;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// `POST /v1/transactions`: several records under one key.
final class TransactionHandler implements RouteHandler {
  @Override
  public void handle(Exchange exchange) throws ProblemException, IOException, InterruptedException {
    String tenant = exchange.tenant();
    exchange.accept(Limits.BODY, LogHandler.JSON);
    Outcome outcome;
    try (Body body = Body.read(exchange, tenant, Limits.BODY)) {
      List<RecordData> records = new EnvelopeParser(body.lease()).records(body.bytes());
      @Nullable String key = IdempotencyHeader.single(exchange.headerLines(IdempotencyHeader.NAME));
      outcome = exchange.services().appender().submit(tenant, new Submission(key, records));
    }
    Receipts.answer(exchange, tenant, outcome);
  }
}
