package com.datanadhi.hub.http;

import com.datanadhi.hub.json.JsonText;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// An error as the sender gets it: `application/problem+json` (RFC 9457).
///
/// @param title the kind of error, always the same for a kind
/// @param detail what is wrong with this request and how to fix it
/// @param members further members, as JSON text without a leading comma; empty if none
/// @param retryAfter of a 503; null for others
record Problem(
    int status, String title, String detail, String members, @Nullable Duration retryAfter) {
  private static final Duration SOON = Duration.ofSeconds(1);

  static Problem badRequest(String detail) {
    return new Problem(400, "Bad request", detail, "", null);
  }

  static Problem tooLarge(String detail) {
    return new Problem(413, "Too large", detail, "", null);
  }

  static Problem unsupported(String detail) {
    return new Problem(415, "Unsupported media type", detail, "", null);
  }

  static Problem unavailable(String detail) {
    return unavailable(detail, SOON);
  }

  static Problem unavailable(String detail, Duration retryAfter) {
    return new Problem(503, "Temporarily unavailable", detail, "", retryAfter);
  }

  /// A message of another room as a sentence.
  static String sentence(String message) {
    String text = Character.toUpperCase(message.charAt(0)) + message.substring(1);
    return text.endsWith(".") ? text : text + ".";
  }

  /// Seconds for `Retry-After`, at least 1.
  long retryAfterSeconds() {
    Duration wait = retryAfter == null ? SOON : retryAfter;
    return Math.max(1, wait.plusMillis(999).toSeconds());
  }

  byte[] json() {
    JsonText json = new JsonText();
    json.raw("{\"type\":\"about:blank\",\"title\":").string(title);
    json.raw(",\"status\":").number(status).raw(",\"detail\":").string(detail);
    if (!members.isEmpty()) {
      json.raw(",").raw(members);
    }
    return json.raw("}").toBytes();
  }
}
