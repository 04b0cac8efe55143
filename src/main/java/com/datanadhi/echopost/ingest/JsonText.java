package com.datanadhi.echopost.ingest;

import com.google.protobuf.UnsafeByteOperations;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/// Says whether bytes are one JSON text by RFC 8259, in UTF-8, looking at each byte once and
/// building nothing.
///
/// Strict: no byte order mark, no NaN, no comments, no trailing text, nothing nested more than
/// 1,000 levels deep (section 9 of the RFC lets an implementation set such a limit). By hand, for
/// what it costs otherwise: docs/adr/0006.
final class JsonText {
  private static final int DEEPEST = 1_000;
  private static final String EMPTY = "it is empty";
  private static final String CUT = "it ends in the middle";
  private static final String MORE = "there is more after its end";
  private static final String DEEP = "it is nested more than " + DEEPEST + " levels deep";

  private final byte[] text;
  private final BitSet objects = new BitSet();
  private int at;
  private int depth;
  private boolean valueNext;

  private JsonText(byte[] text) {
    this.text = text;
  }

  /// What is wrong with `text`, for the person who sent it; null when it is JSON.
  static @Nullable String problem(byte[] text) {
    if (!UnsafeByteOperations.unsafeWrap(text).isValidUtf8()) {
      return "it is not UTF-8";
    }
    JsonText scan = new JsonText(text);
    scan.skipSpace();
    return scan.at == text.length ? EMPTY : scan.values();
  }

  private @Nullable String values() {
    while (true) {
      @Nullable String problem = value();
      if (problem != null) {
        return problem;
      }
      while (!valueNext) {
        skipSpace();
        if (depth == 0) {
          return at == text.length ? null : MORE;
        }
        problem = separator();
        if (problem != null) {
          return problem;
        }
      }
    }
  }

  /// One value; of an array or object, only its opening.
  private @Nullable String value() {
    valueNext = false;
    if (at == text.length) {
      return CUT;
    }
    return switch (text[at]) {
      case '{' -> open(true, '}');
      case '[' -> open(false, ']');
      case '"' -> string();
      case 't' -> literal("true");
      case 'f' -> literal("false");
      case 'n' -> literal("null");
      default -> number();
    };
  }

  private @Nullable String open(boolean object, char end) {
    if (depth == DEEPEST) {
      return DEEP;
    }
    objects.set(depth++, object);
    at++;
    skipSpace();
    if (at < text.length && text[at] == end) {
      return close();
    }
    return next();
  }

  private @Nullable String close() {
    at++;
    depth--;
    return null;
  }

  /// What stands between a value and the next: a comma, or the end of what holds it.
  private @Nullable String separator() {
    if (at == text.length) {
      return CUT;
    }
    if (text[at] == (objects.get(depth - 1) ? '}' : ']')) {
      return close();
    }
    if (text[at] != ',') {
      return broken();
    }
    at++;
    skipSpace();
    return next();
  }

  /// The way to the next value: in an object, past its name.
  private @Nullable String next() {
    valueNext = true;
    if (!objects.get(depth - 1)) {
      return null;
    }
    if (at == text.length) {
      return CUT;
    }
    @Nullable String problem = text[at] == '"' ? string() : broken();
    if (problem != null) {
      return problem;
    }
    skipSpace();
    if (at == text.length) {
      return CUT;
    }
    if (text[at] != ':') {
      return broken();
    }
    at++;
    skipSpace();
    return null;
  }

  private @Nullable String string() {
    for (at++; at < text.length; at++) {
      byte c = text[at];
      if (c == '"') {
        at++;
        return null;
      }
      if (c == '\\') {
        @Nullable String problem = escape();
        if (problem != null) {
          return problem;
        }
      } else if (c >= 0 && c < ' ') {
        return broken();
      }
    }
    return CUT;
  }

  /// Ends on the escape's last byte.
  private @Nullable String escape() {
    at++;
    if (at == text.length) {
      return CUT;
    }
    return switch (text[at]) {
      case '"', '\\', '/', 'b', 'f', 'n', 'r', 't' -> null;
      case 'u' -> {
        for (int i = 0; i < 4; i++) {
          at++;
          if (at == text.length) {
            yield CUT;
          }
          if (Character.digit(text[at], 16) < 0) {
            yield broken();
          }
        }
        yield null;
      }
      default -> broken();
    };
  }

  private @Nullable String literal(String word) {
    for (int i = 0; i < word.length(); i++, at++) {
      if (at == text.length) {
        return CUT;
      }
      if (text[at] != word.charAt(i)) {
        return broken();
      }
    }
    return null;
  }

  private @Nullable String number() {
    if (text[at] == '-') {
      at++;
    }
    @Nullable String problem = at < text.length && text[at] == '0' ? zero() : digits();
    if (problem == null && at < text.length && text[at] == '.') {
      at++;
      problem = digits();
    }
    if (problem == null && at < text.length && (text[at] | 0x20) == 'e') {
      at++;
      if (at < text.length && (text[at] == '+' || text[at] == '-')) {
        at++;
      }
      problem = digits();
    }
    return problem;
  }

  private @Nullable String zero() {
    at++;
    return at < text.length && isDigit() ? broken() : null;
  }

  private @Nullable String digits() {
    if (at == text.length) {
      return CUT;
    }
    if (!isDigit()) {
      return broken();
    }
    while (at < text.length && isDigit()) {
      at++;
    }
    return null;
  }

  private boolean isDigit() {
    return text[at] >= '0' && text[at] <= '9';
  }

  private void skipSpace() {
    while (at < text.length
        && (text[at] == ' ' || text[at] == '\n' || text[at] == '\t' || text[at] == '\r')) {
      at++;
    }
  }

  private String broken() {
    return "it breaks the grammar near byte " + at;
  }
}
