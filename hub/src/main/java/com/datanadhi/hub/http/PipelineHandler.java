package com.datanadhi.hub.http;

import com.datanadhi.hub.json.JsonText;
import com.datanadhi.hub.query.InvalidQueryException;
import com.datanadhi.hub.query.PipelinePage;
import com.datanadhi.hub.query.PipelineRecord;
import com.datanadhi.hub.query.RecordLine;
import com.datanadhi.hub.view.ViewException;
import java.time.Duration;

/// `GET /v1/pipelines/P/records`: the next records of a pipeline for a consumer.
final class PipelineHandler implements RouteHandler {
  private static final long MOST_WAIT = 30;

  @Override
  public void handle(Exchange exchange)
      throws ProblemException, ViewException, InterruptedException {
    String tenant = exchange.tenant();
    String pipeline = exchange.parameter(0, "pipeline");
    QueryParameters query = exchange.query("consumer", "limit", "wait");
    String consumer = query.text("consumer");
    if (consumer == null) {
      throw QueryParameters.bad(
          "The query parameter `consumer` is missing. Send the name whose cursor is to be used.");
    }
    int limit = (int) query.number("limit", Limits.DEFAULT_LIMIT, 1, Limits.MAX_LIMIT);
    Duration wait = Duration.ofSeconds(query.number("wait", 0, 0, MOST_WAIT));
    PipelinePage page;
    try {
      page =
          exchange
              .services()
              .records()
              .page(tenant, pipeline, consumer, limit, exchange.isHead() ? Duration.ZERO : wait);
    } catch (InvalidQueryException e) {
      throw QueryParameters.bad(Problem.sentence(String.valueOf(e.getMessage())));
    }
    String expired = page.expiredHeader();
    if (expired != null) {
      exchange.setHeader("Hub-Expired", expired);
    }
    JsonText lines = new JsonText();
    for (PipelineRecord record : page.records()) {
      lines.raw(RecordLine.encode(record));
    }
    exchange.answer(200, LogHandler.NDJSON, lines.toBytes());
  }
}
