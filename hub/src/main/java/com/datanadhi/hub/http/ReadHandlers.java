package com.datanadhi.hub.http;

import com.datanadhi.hub.query.Queries;
import com.datanadhi.hub.query.QueryJson;
import com.datanadhi.hub.record.IdempotencyKey;
import com.datanadhi.hub.view.ViewException;

/// `GET /v1/receipts/KEY` and `GET /v1/sources`.
final class ReadHandlers {
  void receipt(Exchange exchange) throws ProblemException, ViewException, InterruptedException {
    String tenant = exchange.tenant();
    String key = exchange.parameter(0, "key");
    if (!IdempotencyKey.isValid(key)) {
      throw QueryParameters.bad("A key has 1 to 255 visible ASCII characters.");
    }
    Queries.ReceiptState state = exchange.services().records().receipt(tenant, key);
    if (state == null) {
      throw new ProblemException(
          new Problem(
              404,
              "Not found",
              "The tenant %s has nothing stored under the key %s, or no longer knows it."
                  .formatted(tenant, key),
              "",
              null));
    }
    exchange.json(200, Exchange.utf8(QueryJson.receipt(state)));
  }

  void sources(Exchange exchange) throws ProblemException, ViewException, InterruptedException {
    String tenant = exchange.tenant();
    String source = exchange.query("source").text("source");
    exchange.json(
        200,
        Exchange.utf8(
            QueryJson.sources(exchange.services().records().sourceReports(tenant, source))));
  }
}
