package com.datanadhi.hub.http;

import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Request;

/// Answers a request whose body was not read to its end. A sender that is still writing when the
/// connection is closed gets a reset instead of the answer (RFC 9112, section 9.6): the rest of the
/// body is read and thrown away first, within bounds.
final class UnreadBody {
  private static final long MOST = 32L * 1024 * 1024;

  private UnreadBody() {}

  /// Takes the rest of the body, or has the connection closed after the answer.
  static void discard(Exchange exchange) throws InterruptedException {
    if (exchange.isBodyRead()) {
      return;
    }
    Request request = exchange.request();
    // With Expect, the sender waits for this answer before it sends the body, or sends none.
    if (request.getHeaders().contains(HttpHeader.EXPECT)
        || request.getLength() > MOST
        || !Body.discard(exchange, MOST)) {
      exchange.closeAfterwards();
    }
  }
}
