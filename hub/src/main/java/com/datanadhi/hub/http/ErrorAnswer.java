package com.datanadhi.hub.http;

import java.nio.ByteBuffer;
import org.eclipse.jetty.http.HttpException;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;

/// Answers what Jetty itself refuses, such as a head that breaks the grammar, as a problem. The
/// connection is closed: where the next request begins is not known.
final class ErrorAnswer implements Request.Handler {
  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    Throwable cause = (Throwable) request.getAttribute(ErrorHandler.ERROR_EXCEPTION);
    int status = response.getStatus();
    String reason = cause instanceof HttpException http ? http.getReason() : null;
    Problem problem =
        switch (status) {
          case 400 ->
              Problem.badRequest(
                  "The request cannot be read%s. Send it by RFC 9112."
                      .formatted(reason == null ? "" : ": " + reason));
          case 414, 431 ->
              new Problem(
                  431,
                  "Request head too large",
                  "The head of the request is larger than %d bytes. Send less in it."
                      .formatted(Limits.HEAD),
                  "",
                  null);
          // An error 500 makes senders drop records; see Dispatcher.
          case 500 -> Problem.unavailable("The hub failed at this request. Send it again later.");
          default ->
              new Problem(
                  status,
                  "Request refused",
                  reason == null ? "The request cannot be served." : reason,
                  "",
                  null);
        };
    response.setStatus(problem.status());
    response.getHeaders().put(HttpHeader.CONTENT_TYPE, "application/problem+json");
    response.getHeaders().put(HttpHeader.CONNECTION, "close");
    if (problem.status() == 503) {
      response.getHeaders().put(HttpHeader.RETRY_AFTER, problem.retryAfterSeconds());
    }
    response.write(true, ByteBuffer.wrap(problem.json()), callback);
    return true;
  }
}
