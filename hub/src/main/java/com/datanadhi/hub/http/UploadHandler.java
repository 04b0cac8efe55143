package com.datanadhi.hub.http;

import com.datanadhi.hub.intake.Outcome;
import com.datanadhi.hub.intake.Submission;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// `POST /upload`: up to 100 records, all or none, as the SDKs send them to a fallback server.
final class UploadHandler implements RouteHandler {
  @Override
  public void handle(Exchange exchange) throws ProblemException, IOException, InterruptedException {
    String tenant = exchange.tenant();
    exchange.accept(Limits.BODY, "application/octet-stream");
    Lines lines;
    List<Outcome> outcomes;
    try (Body body = Body.read(exchange, tenant, Limits.BODY)) {
      lines = Lines.parse(unpacked(exchange, body), body.lease(), Limits.UPLOAD_LINES, false);
      List<Submission> keyed = withKeys(lines, exchange.headerLines(IdempotencyHeader.NAME));
      refuse(lines.errors());
      outcomes =
          keyed.isEmpty()
              ? List.of()
              : exchange.services().appender().submitTogether(tenant, keyed);
    }
    Problem unavailable = null;
    for (int i = 0; i < outcomes.size(); i++) {
      switch (outcomes.get(i)) {
        case Outcome.Stored _ -> {}
        case Outcome.Invalid invalid ->
            lines.errors().put(lines.number(i), Receipts.problem(invalid));
        case Outcome.Conflict conflict ->
            lines.errors().put(lines.number(i), Receipts.problem(conflict));
        case Outcome.Unavailable later ->
            unavailable = LogHandler.later(unavailable, Receipts.problem(later));
      }
    }
    refuse(lines.errors());
    if (unavailable != null) {
      throw new ProblemException(unavailable);
    }
    exchange.json(200, Exchange.utf8("{\"stored\":" + lines.count() + "}"));
  }

  /// The lines. A sender that also says `Content-Encoding: gzip` means either the same gzip or one
  /// more around it.
  private static byte[] unpacked(Exchange exchange, Body body) throws ProblemException {
    return exchange.isGzip() && !Gunzip.isGzip(body.bytes())
        ? body.bytes()
        : Gunzip.unpack(body.bytes(), Limits.BODY, body.lease());
  }

  private static List<Submission> withKeys(Lines lines, List<String> headers)
      throws ProblemException {
    if (headers.isEmpty()) {
      return lines.submissions();
    }
    List<String> keys = IdempotencyHeader.list(String.join(",", headers));
    if (keys.size() != lines.count()) {
      throw new ProblemException(
          Problem.badRequest(
              "The number of keys in Idempotency-Key is %d, and that of lines in the body %d. Send one key for each line, or no such header."
                  .formatted(keys.size(), lines.count())));
    }
    List<Submission> keyed = new ArrayList<>();
    for (int i = 0; i < lines.submissions().size(); i++) {
      @Nullable String key = keys.get(lines.index(i));
      keyed.add(new Submission(key, lines.submissions().get(i).records()));
    }
    return keyed;
  }

  private static void refuse(LineErrors errors) throws ProblemException {
    if (!errors.isEmpty()) {
      throw new ProblemException(
          new Problem(
              422,
              "Lines cannot be stored",
              "%s cannot be stored, so nothing is. Send the other lines without %s."
                  .formatted(
                      errors.size() == 1 ? "A line" : errors.size() + " lines",
                      errors.size() == 1 ? "it" : "them"),
              "\"errors\":" + errors.json(),
              null));
    }
  }
}
