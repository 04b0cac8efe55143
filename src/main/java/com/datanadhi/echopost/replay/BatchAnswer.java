package com.datanadhi.echopost.replay;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.datanadhi.echopost.upstream.ServerResponse;
import com.datanadhi.json.JsonValidator;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;

/// The body of the answer to a batch: `{"stored":N,"errors":[{"line":1,"status":422,…},…]}`. Lines
/// count from 1; those that are not in `errors` are delivered. Immutable.
///
/// @param errors by ascending line
record BatchAnswer(List<LineError> errors) {
  /// More than any server needs; bounds the memory that an answer takes.
  private static final int MAX_MEMBERS = 1_000;

  /// The server rejected the record of a line.
  ///
  /// @param status final, see [DeliveryOutcome.Rejected]
  /// @param text the error as the server wrote it
  record LineError(int line, int status, String text) {}

  /// Parses a body strictly: the members that count must be there once, the counts must match, and
  /// only final errors may be in it. Other members are ignored.
  ///
  /// @param lines of the batch
  /// @throws IllegalArgumentException when nothing of it may count; the message names the error
  static BatchAnswer parse(String body, int lines) {
    List<JsonValidator.Part> members = JsonValidator.parts(body.getBytes(UTF_8), '{', MAX_MEMBERS);
    int stored = number("stored", member(members, "stored"));
    List<JsonValidator.Part> elements = JsonValidator.parts(member(members, "errors"), '[', lines);
    if (stored != lines - elements.size()) {
      throw new IllegalArgumentException(
          "it has %d stored and %d errors for %d lines".formatted(stored, elements.size(), lines));
    }
    List<LineError> errors = new ArrayList<>(elements.size());
    BitSet seen = new BitSet();
    for (JsonValidator.Part element : elements) {
      LineError error = lineError(element.text());
      if (error.line() < 1 || error.line() > lines || seen.get(error.line())) {
        throw new IllegalArgumentException(
            "it has an error for line " + error.line() + ", which is not there or has one already");
      }
      seen.set(error.line());
      errors.add(error);
    }
    errors.sort(Comparator.comparingInt(LineError::line));
    return new BatchAnswer(errors);
  }

  private static LineError lineError(byte[] text) {
    List<JsonValidator.Part> members = JsonValidator.parts(text, '{', MAX_MEMBERS);
    int status = number("status", member(members, "status"));
    DeliveryOutcome outcome = DeliveryOutcome.of(new ServerResponse.Answered(status, null, ""));
    if (!(outcome instanceof DeliveryOutcome.Rejected)) {
      throw new IllegalArgumentException(
          "it has an error with status " + status + ", which is not final");
    }
    return new LineError(number("line", member(members, "line")), status, new String(text, UTF_8));
  }

  private static byte[] member(List<JsonValidator.Part> members, String name) {
    byte[] found = null;
    for (JsonValidator.Part member : members) {
      if (member.name().equals(name)) {
        if (found != null) {
          throw new IllegalArgumentException("it has two members " + name);
        }
        found = member.text();
      }
    }
    if (found == null) {
      throw new IllegalArgumentException("it has no member " + name);
    }
    return found;
  }

  private static int number(String name, byte[] text) {
    String digits = new String(text, UTF_8);
    if (!digits.matches("[0-9]{1,9}")) {
      throw new IllegalArgumentException("its " + name + " is not a whole number");
    }
    return Integer.parseInt(digits);
  }
}
