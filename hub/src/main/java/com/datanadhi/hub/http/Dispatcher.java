package com.datanadhi.hub.http;

import com.datanadhi.hub.control.ControlUnavailableException;
import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.view.ViewException;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/// Finds the route of a request, and turns what its handler throws into an answer.
final class Dispatcher extends Handler.Abstract {
  private static final String OTHER = "other";

  private final Routes routes;
  private final Services services;
  private final DoorSettings settings;
  private final Connections connections;
  private final BooleanSupplier stopping;

  Dispatcher(
      Routes routes,
      Services services,
      DoorSettings settings,
      Connections connections,
      BooleanSupplier stopping) {
    this.routes = routes;
    this.services = services;
    this.settings = settings;
    this.connections = connections;
    this.stopping = stopping;
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    Connections.State connection = connections.of(request.getConnectionMetaData());
    connection.requestBegins();
    Routes.Match match = routes.find(request.getMethod(), request.getHttpURI().getPath());
    String name = match instanceof Routes.Found found ? found.route().template() : OTHER;
    Callback completion =
        Callback.from(
            callback,
            () -> {
              connection.requestEnded();
              services
                  .listener()
                  .answered(
                      name,
                      response.getStatus(),
                      connections.nanoTime() - request.getHeadersNanoTime());
            });
    Exchange exchange =
        new Exchange(request, response, completion, services, settings, connection, stopping);
    try {
      answer(exchange, match, request);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      exchange.abort(e);
    } catch (IOException e) {
      exchange.abort(e);
    }
    return true;
  }

  private void answer(Exchange exchange, Routes.Match match, Request request)
      throws IOException, InterruptedException {
    Problem problem;
    try {
      dispatch(exchange, match, request.getHttpURI().getPath());
      return;
    } catch (ProblemException e) {
      problem = e.problem();
    } catch (ViewException e) {
      problem =
          Problem.unavailable(
              "The records of this tenant cannot be read now: " + e.getMessage(),
              Duration.ofSeconds(5));
    } catch (ControlUnavailableException e) {
      problem = Problem.unavailable("The change cannot be stored now: " + e.getMessage());
    } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
      // Senders in the field drop a record after some answers 500. Whatever is wrong here is a
      // fault of the hub, which a newer version or a restart can cure: they are to keep the record.
      Events.severe("http_request_failed", e, "method", request.getMethod());
      problem =
          Problem.unavailable(
              "The hub failed at this request; its log has the reason. Send it again later.",
              Duration.ofSeconds(5));
    }
    if (exchange.isCommitted()) {
      exchange.abort(new IOException(problem.detail()));
    } else {
      if (problem.status() == 408) {
        // The rest was waited for.
        exchange.closeAfterwards();
      } else {
        UnreadBody.discard(exchange);
      }
      exchange.problem(problem);
    }
  }

  private void dispatch(Exchange exchange, Routes.Match match, String path)
      throws ProblemException,
          ViewException,
          ControlUnavailableException,
          IOException,
          InterruptedException {
    if (path != null && (path.isEmpty() || path.equals("/") || path.equals("/log"))) {
      // By these an agent sees, in whatever answer, that it can send batches.
      exchange.setHeader("Accept-Post", LogHandler.JSON + ", " + LogHandler.NDJSON);
      exchange.setHeader("Accept-Encoding", "gzip");
    }
    exchange.setHeader("Cache-Control", "no-store");
    switch (match) {
      case Routes.Found(Route route, List<String> parameters) -> {
        exchange.setProblemForm(route.problems());
        if (stopping.getAsBoolean() && !route.whileStopping()) {
          exchange.closeAfterwards();
          throw new ProblemException(
              Problem.unavailable("The hub is shutting down. Send it again later."));
        }
        exchange.setParameters(parameters);
        route.handler().handle(exchange);
      }
      case Routes.WrongMethod(var allowed) -> {
        String methods = String.join(", ", allowed);
        exchange.setHeader("Allow", methods);
        throw new ProblemException(
            new Problem(
                405,
                "Method not allowed",
                "This path takes %s only.".formatted(methods),
                "",
                null));
      }
      case Routes.NoSuchPath _ ->
          throw new ProblemException(
              new Problem(
                  404,
                  "Not found",
                  "There is nothing at this path. Those that exist are: "
                      + String.join(", ", routes.names())
                      + ".",
                  "",
                  null));
    }
  }
}
