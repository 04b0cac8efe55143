package com.datanadhi.hub.http;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Parses `Idempotency-Key`. Whether a key is one by the contract is judged by intake.
final class IdempotencyHeader {
  static final String NAME = "Idempotency-Key";

  private static final String FORM =
      "Send one header Idempotency-Key: \"<key>\", a string as in RFC 8941, or the key without"
          + " quotes.";

  private IdempotencyHeader() {}

  /// The one key, or null if there is no header.
  static @Nullable String single(List<String> values) throws ProblemException {
    if (values.isEmpty()) {
      return null;
    }
    if (values.size() > 1) {
      throw bad("The request has " + values.size() + " headers Idempotency-Key. " + FORM);
    }
    String value = values.getFirst().strip();
    if (!value.startsWith("\"")) {
      return value;
    }
    List<String> keys = list(value);
    if (keys.size() != 1) {
      throw bad("Idempotency-Key is a list of " + keys.size() + " keys. " + FORM);
    }
    return keys.getFirst();
  }

  /// The keys of a list; headers of that name that follow each other are one list.
  static List<String> list(String text) throws ProblemException {
    List<String> keys = new ArrayList<>();
    int at = 0;
    while (true) {
      at = skipSpace(text, at);
      StringBuilder key = new StringBuilder();
      at = string(text, at, key);
      keys.add(key.toString());
      at = skipSpace(text, at);
      if (at == text.length()) {
        return keys;
      }
      if (text.charAt(at) != ',') {
        throw broken();
      }
      at++;
    }
  }

  private static int string(String text, int from, StringBuilder key) throws ProblemException {
    int at = from;
    if (at == text.length() || text.charAt(at) != '"') {
      throw broken();
    }
    at++;
    while (at < text.length() && text.charAt(at) != '"') {
      if (text.charAt(at) == '\\') {
        at++;
        if (at == text.length() || (text.charAt(at) != '"' && text.charAt(at) != '\\')) {
          throw broken();
        }
      }
      key.append(text.charAt(at));
      at++;
    }
    if (at == text.length()) {
      throw broken();
    }
    return at + 1;
  }

  private static int skipSpace(String text, int from) {
    int at = from;
    while (at < text.length() && (text.charAt(at) == ' ' || text.charAt(at) == '\t')) {
      at++;
    }
    return at;
  }

  private static ProblemException broken() {
    return bad("Idempotency-Key is not a string or a list of strings in quotes. " + FORM);
  }

  private static ProblemException bad(String detail) {
    return new ProblemException(Problem.badRequest(detail));
  }
}
