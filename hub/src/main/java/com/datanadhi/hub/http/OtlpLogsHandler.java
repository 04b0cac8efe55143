package com.datanadhi.hub.http;

import com.datanadhi.hub.intake.Outcome;
import com.datanadhi.hub.intake.Submission;
import com.datanadhi.hub.json.JsonText;
import com.datanadhi.hub.otlp.LogsRequest;
import com.datanadhi.hub.otlp.RequestException;
import com.google.protobuf.UnsafeByteOperations;
import com.google.rpc.Code;
import com.google.rpc.Status;
import io.opentelemetry.proto.collector.logs.v1.ExportLogsPartialSuccess;
import io.opentelemetry.proto.collector.logs.v1.ExportLogsServiceResponse;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// `POST /v1/logs`: OTLP over HTTP (https://opentelemetry.io/docs/specs/otlp/#otlphttp). Answers
/// and errors are in the encoding of the request.
final class OtlpLogsHandler implements RouteHandler {
  private static final String PROTOBUF = "application/x-protobuf";

  @Override
  public void handle(Exchange exchange) throws ProblemException, IOException, InterruptedException {
    String tenant = exchange.tenant();
    boolean json = exchange.accept(Limits.BODY, PROTOBUF, LogHandler.JSON).equals(LogHandler.JSON);
    LogsRequest logs;
    List<Outcome> outcomes;
    try (Body body = Body.read(exchange, tenant, Limits.BODY)) {
      logs =
          json
              ? LogsRequest.ofJson(body.bytes(), body.lease())
              : LogsRequest.ofProtobuf(UnsafeByteOperations.unsafeWrap(body.bytes()), body.lease());
      @Nullable String key = IdempotencyHeader.single(exchange.headerLines(IdempotencyHeader.NAME));
      List<Submission> submissions = logs.submissions(key);
      outcomes =
          submissions.isEmpty()
              ? List.of()
              : exchange.services().appender().submitEach(tenant, submissions);
    } catch (RequestException refused) {
      throw new ProblemException(problem(refused));
    }
    requireStored(outcomes);
    if (outcomes.stream().anyMatch(o -> o instanceof Outcome.Stored stored && stored.replayed())) {
      exchange.setHeader("Idempotent-Replayed", "true");
    }
    ExportLogsServiceResponse response = logs.response();
    if (json) {
      exchange.json(200, json(response));
    } else {
      exchange.answer(200, PROTOBUF, response.toByteArray());
    }
  }

  private static Problem problem(RequestException refused) {
    String detail = String.valueOf(refused.getMessage());
    return switch (refused.kind()) {
      case MALFORMED -> Problem.badRequest(detail);
      case TOO_LARGE -> Problem.tooLarge(detail);
      case NO_MEMORY -> Problem.unavailable(detail);
    };
  }

  private static void requireStored(List<Outcome> outcomes) throws ProblemException {
    Problem problem = null;
    Problem unavailable = null;
    for (Outcome outcome : outcomes) {
      switch (outcome) {
        case Outcome.Stored _ -> {}
        case Outcome.Invalid invalid -> problem = Receipts.problem(invalid);
        case Outcome.Conflict conflict -> problem = Receipts.problem(conflict);
        case Outcome.Unavailable later ->
            unavailable = LogHandler.later(unavailable, Receipts.problem(later));
      }
    }
    if (unavailable != null) {
      throw new ProblemException(unavailable);
    }
    if (problem != null) {
      throw new ProblemException(problem);
    }
  }

  private static byte[] json(ExportLogsServiceResponse response) {
    JsonText json = new JsonText().raw("{");
    if (response.hasPartialSuccess()) {
      ExportLogsPartialSuccess partial = response.getPartialSuccess();
      json.raw("\"partialSuccess\":{\"rejectedLogRecords\":\"");
      json.number(partial.getRejectedLogRecords());
      json.raw("\",\"errorMessage\":").string(partial.getErrorMessage()).raw("}");
    }
    return json.raw("}").toBytes();
  }

  /// Answers with a `google.rpc.Status`.
  static void problem(Exchange exchange, Problem problem) {
    Problem sent = problem;
    if (problem.status() == 408) {
      // Of what a slow connection can bring, OTLP's senders repeat 503 only.
      sent = Problem.unavailable(problem.detail());
      exchange.setHeader("Retry-After", Long.toString(sent.retryAfterSeconds()));
    }
    Code code =
        switch (sent.status()) {
          case 401 -> Code.UNAUTHENTICATED;
          case 422 -> Code.ALREADY_EXISTS;
          case 503 -> Code.UNAVAILABLE;
          default -> Code.INVALID_ARGUMENT;
        };
    String type = exchange.header("Content-Type");
    if (type != null && type.toLowerCase(Locale.ROOT).strip().startsWith(PROTOBUF)) {
      Status status =
          Status.newBuilder().setCode(code.getNumber()).setMessage(sent.detail()).build();
      exchange.answer(sent.status(), PROTOBUF, status.toByteArray());
    } else {
      JsonText json = new JsonText().raw("{\"code\":").number(code.getNumber());
      json.raw(",\"message\":").string(sent.detail()).raw("}");
      exchange.answer(sent.status(), LogHandler.JSON, json.toBytes());
    }
  }
}
