package com.datanadhi.hub.http;

import com.datanadhi.hub.control.ControlUnavailableException;
import com.datanadhi.hub.json.JsonText;
import com.datanadhi.hub.query.InvalidQueryException;
import com.datanadhi.hub.view.ViewException;
import java.io.IOException;

/// `POST /v1/pipelines/P/cursors/C`: moves the cursor of a consumer.
final class CursorHandler implements RouteHandler {
  private static final int MOST = 64 * 1024;

  @Override
  public void handle(Exchange exchange)
      throws ProblemException,
          ViewException,
          ControlUnavailableException,
          IOException,
          InterruptedException {
    String tenant = exchange.tenant();
    String pipeline = exchange.parameter(0, "pipeline");
    String consumer = exchange.parameter(1, "consumer");
    exchange.accept(MOST, LogHandler.JSON);
    long through;
    try (Body body = Body.read(exchange, tenant, MOST)) {
      through = new EnvelopeParser(body.lease()).through(body.bytes());
    }
    try {
      exchange.services().records().moveCursor(tenant, pipeline, consumer, through);
    } catch (InvalidQueryException e) {
      throw QueryParameters.bad(Problem.sentence(String.valueOf(e.getMessage())));
    }
    exchange.json(
        200,
        new JsonText()
            .raw("{\"pipeline\":")
            .string(pipeline)
            .raw(",\"consumer\":")
            .string(consumer)
            .raw(",\"through\":")
            .number(through)
            .raw("}")
            .toBytes());
  }
}
