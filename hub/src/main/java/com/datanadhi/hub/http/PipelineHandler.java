package com.datanadhi.hub.http;

import com.datanadhi.hub.json.JsonText;
import com.datanadhi.hub.query.InvalidQueryException;
import com.datanadhi.hub.query.Pages;
import com.datanadhi.hub.query.PipelinePage;
import com.datanadhi.hub.query.PipelineRecord;
import com.datanadhi.hub.query.RecordLine;
import com.datanadhi.hub.view.ViewException;
import java.io.IOException;
import java.time.Duration;

/// `GET /v1/pipelines/P/records`: the next records of a pipeline for a consumer.
final class PipelineHandler implements RouteHandler {
  private static final long MOST_WAIT = 30;

  private final Pages pages;

  PipelineHandler(Pages pages) {
    this.pages = pages;
  }

  @Override
  public void handle(Exchange exchange)
      throws ProblemException, ViewException, IOException, InterruptedException {
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
    RecordSource records = exchange.services().records();
    try {
      Pages.Reading<PipelinePage> page =
          () -> records.page(tenant, pipeline, consumer, limit, Duration.ZERO);
      boolean waits = wait.isPositive() && !exchange.isHead();
      if (!answer(exchange, tenant, page, !waits)) {
        awaitRecord(exchange, tenant, pipeline, consumer, wait);
        boolean _ = answer(exchange, tenant, page, true);
      }
    } catch (InvalidQueryException e) {
      throw QueryParameters.bad(Problem.sentence(String.valueOf(e.getMessage())));
    }
  }

  /// Sends a page.
  ///
  /// @param evenEmpty whether it may have no record
  /// @return false if it has none, and nothing was sent
  private boolean answer(
      Exchange exchange, String tenant, Pages.Reading<PipelinePage> page, boolean evenEmpty)
      throws ProblemException,
          ViewException,
          InvalidQueryException,
          IOException,
          InterruptedException {
    try (Pages.Held<PipelinePage> held =
        pages.read(tenant, exchange.settings().heartbeat(), PipelinePage::bytes, page)) {
      if (held == null) {
        throw RecordsHandler.tooManyReaders();
      }
      if (!evenEmpty && held.page().records().isEmpty()) {
        return false;
      }
      send(exchange, held.page());
      return true;
    }
  }

  /// Waits for a record, which is then read with others: whoever waits holds no memory. Ends early
  /// when the hub is being stopped, or with 401 when the key is revoked.
  private static void awaitRecord(
      Exchange exchange, String tenant, String pipeline, String consumer, Duration wait)
      throws ProblemException, ViewException, InvalidQueryException, InterruptedException {
    long deadline = exchange.nanoTime() + wait.toNanos();
    Duration left = wait;
    boolean found = false;
    while (!found && left.isPositive() && !exchange.isStopping()) {
      Duration slice = left.compareTo(RecordsHandler.SLICE) < 0 ? left : RecordsHandler.SLICE;
      PipelinePage page = exchange.services().records().page(tenant, pipeline, consumer, 1, slice);
      found = !page.records().isEmpty();
      String _ = exchange.tenant();
      left = Duration.ofNanos(deadline - exchange.nanoTime());
    }
  }

  private static void send(Exchange exchange, PipelinePage page)
      throws IOException, InterruptedException {
    String expired = page.expiredHeader();
    if (expired != null) {
      exchange.setHeader("Hub-Expired", expired);
    }
    JsonText lines = new JsonText();
    for (PipelineRecord record : page.records()) {
      RecordLine.add(lines, record);
    }
    exchange.begin(200, LogHandler.NDJSON);
    exchange.write(true, lines.toBytes());
    exchange.end();
  }
}
