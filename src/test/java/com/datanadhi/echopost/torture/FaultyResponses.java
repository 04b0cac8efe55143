package com.datanadhi.echopost.torture;

import com.datanadhi.testkit.StubServer;
import com.datanadhi.testkit.StubServer.Behaviour;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;

/// Random responses of a main server that are not a complete success: error statuses, and
/// malformed, truncated, slow or endless responses.
final class FaultyResponses {
  private static final int ENDLESS_PIECES = 300;
  private static final long SLOW_BYTE_NANOS = 20_000_000;

  /// Statuses, of which some lead to a rejection and some to a retry, by the documented policy.
  private static final int[] STATUSES = {
    100, 199, 201, 204, 226, 299, 301, 304, 307, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409,
    410, 413, 418, 422, 425, 426, 429, 431, 451, 499, 500, 501, 502, 503, 504, 507, 511, 599, 600,
    999
  };

  private FaultyResponses() {}

  /// A response that is no success; or one that accepts the record, but is truncated so that the
  /// agent cannot know.
  static Behaviour forDelivery(Random random, DeliveryChecker checker) {
    if (random.nextInt(4) > 0) {
      return withoutSuccess(random);
    }
    return (request, out) -> {
      checker.deliveredWithoutAnswer(request);
      return Behaviour.raw("HTTP/1.1 2").respond(request, out);
    };
  }

  /// A response that is no success, of any kind.
  static Behaviour withoutSuccess(Random random) {
    return switch (random.nextInt(10)) {
      case 0 -> Behaviour.hangUp();
      case 1 -> Behaviour.raw("HTTP/1.1 503 Half an ans");
      case 2 -> Behaviour.raw("no HTTP at all\r\n\r\n");
      case 3 -> FaultyResponses::slow;
      case 4 -> FaultyResponses::endlessHeaders;
      case 5 -> FaultyResponses::endlessBody;
      case 6 -> Behaviour.status(429, "", "Retry-After: " + retryAfter(random));
      default -> {
        int status = STATUSES[random.nextInt(STATUSES.length)];
        // The success statuses among them are replaced.
        yield Behaviour.status(
            status / 100 == 2 ? 503 : status, "no", "Location: http://127.0.0.1:1/elsewhere");
      }
    };
  }

  private static String retryAfter(Random random) {
    return switch (random.nextInt(3)) {
      case 0 -> "1";
      case 1 -> "yesterday or so";
      // In the past, or about now by a clock that is an hour back.
      default -> httpDate(ClockJumps.ONE_HOUR_BACK.plusSeconds(1));
    };
  }

  /// A date in the format of the `Retry-After` header.
  static String httpDate(Duration fromNow) {
    return DateTimeFormatter.RFC_1123_DATE_TIME.format(
        ZonedDateTime.now(ZoneOffset.UTC).plus(fromNow));
  }

  /// Writes the response byte by byte, with a pause after each.
  private static boolean slow(StubServer.Request request, OutputStream out) throws IOException {
    for (byte next :
        "HTTP/1.1 503 Slow\r\nContent-Length: 0\r\n\r\n".getBytes(StandardCharsets.US_ASCII)) {
      out.write(next);
      out.flush();
      LockSupport.parkNanos(SLOW_BYTE_NANOS);
    }
    return true;
  }

  private static boolean endlessHeaders(StubServer.Request request, OutputStream out)
      throws IOException {
    out.write("HTTP/1.1 503 Endless\r\n".getBytes(StandardCharsets.US_ASCII));
    return writeRepeatedly(out, "X-More: " + "m".repeat(1_000) + "\r\n");
  }

  private static boolean endlessBody(StubServer.Request request, OutputStream out)
      throws IOException {
    out.write(
        "HTTP/1.1 503 Endless\r\nTransfer-Encoding: chunked\r\n\r\n"
            .getBytes(StandardCharsets.US_ASCII));
    return writeRepeatedly(out, "3e8\r\n" + "b".repeat(1_000) + "\r\n");
  }

  private static boolean writeRepeatedly(OutputStream out, String piece) throws IOException {
    byte[] bytes = piece.getBytes(StandardCharsets.US_ASCII);
    for (int i = 0; i < ENDLESS_PIECES; i++) {
      out.write(bytes);
      out.flush();
    }
    return false;
  }
}
