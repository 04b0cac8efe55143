package com.datanadhi.json;

import com.google.protobuf.UnsafeByteOperations;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Checks whether bytes are one JSON text by RFC 8259, in UTF-8. Reads each byte once and builds no
/// tree.
///
/// Strict: no byte order mark, no NaN, no comments, no trailing text, and at most 1,000 levels of
/// nesting (section 9 of the RFC lets an implementation limit them). Written by hand for speed: see
/// docs/adr/0004.
public final class JsonValidator {
  private static final int MAX_DEPTH = 1_000;
  private static final String NOT_UTF8 = "it is not UTF-8";
  private static final String EMPTY = "it is empty";
  private static final String CUT = "it ends in the middle";
  private static final String MORE = "there is more after its end";
  private static final String DEEP = "it is nested more than " + MAX_DEPTH + " levels deep";

  private final byte[] text;
  private final BitSet objects = new BitSet();
  private int at;
  private int depth;
  private boolean valueNext;
  private int nameEnd;
  private boolean ascii = true;

  private JsonValidator(byte[] text) {
    this.text = text;
  }

  /// The first error in `text`, as a message to its sender; null when it is JSON.
  public static @Nullable String problem(byte[] text) {
    JsonValidator scan = new JsonValidator(text);
    scan.skipSpace();
    @Nullable String problem = scan.at == text.length ? EMPTY : scan.alone();
    // Outside of strings the grammar has only ASCII, which is UTF-8.
    return (problem == null && scan.ascii) || isUtf8(text) ? problem : NOT_UTF8;
  }

  private static boolean isUtf8(byte[] text) {
    return UnsafeByteOperations.unsafeWrap(text).isValidUtf8();
  }

  /// A part of a text, with its bytes unchanged.
  ///
  /// @param name the name of a member without its quotes, escapes included; empty for an element of
  ///   an array
  /// @param text the value
  @SuppressWarnings("ArrayRecordComponent") // never compared
  public record Part(String name, byte[] text) {}

  /// A text has more parts than it may have; what is behind them was not looked at.
  public static final class TooManyPartsException extends IllegalArgumentException {
    private static final long serialVersionUID = 1;

    private TooManyPartsException(int most) {
      super("it has more than " + most + " parts");
    }
  }

  /// The members of the object, or the elements of the array, that `text` is.
  ///
  /// @param begin `{` or `[`
  /// @throws IllegalArgumentException when it is not one; the message names the error
  public static List<Part> parts(byte[] text, char begin) {
    return parts(text, begin, Integer.MAX_VALUE);
  }

  /// As [#parts(byte[], char)], of a text that may come from anywhere: small parts take many times
  /// the memory of their text.
  ///
  /// @param most how many parts it may have
  /// @throws TooManyPartsException it has more
  public static List<Part> parts(byte[] text, char begin, int most) {
    if (!isUtf8(text)) {
      throw new IllegalArgumentException(NOT_UTF8);
    }
    JsonValidator scan = new JsonValidator(text);
    List<Part> parts = new ArrayList<>();
    scan.skipSpace();
    @Nullable String problem = scan.parts(begin, most, parts);
    if (problem != null) {
      throw new IllegalArgumentException(problem);
    }
    return parts;
  }

  private @Nullable String parts(char begin, int most, List<Part> parts) {
    char end = begin == '{' ? '}' : ']';
    if (at == text.length || text[at] != begin) {
      return "it is not an " + (begin == '{' ? "object" : "array");
    }
    at++;
    skipSpace();
    while (at < text.length && (text[at] != end || !parts.isEmpty())) {
      if (parts.size() == most) {
        throw new TooManyPartsException(most);
      }
      int named = at + 1;
      @Nullable String problem = begin == '{' ? name() : null;
      if (problem != null) {
        return problem;
      }
      String name =
          begin == '{' ? new String(text, named, nameEnd - named, StandardCharsets.UTF_8) : "";
      int from = at;
      problem = one();
      if (problem != null) {
        return problem;
      }
      parts.add(new Part(name, Arrays.copyOfRange(text, from, at)));
      skipSpace();
      if (at == text.length || text[at] == end) {
        break;
      }
      if (text[at] != ',') {
        return broken();
      }
      at++;
      skipSpace();
    }
    if (at == text.length) {
      return CUT;
    }
    at++;
    return end();
  }

  private @Nullable String alone() {
    @Nullable String problem = one();
    return problem == null ? end() : problem;
  }

  private @Nullable String end() {
    skipSpace();
    return at == text.length ? null : MORE;
  }

  /// One value with its whole content.
  private @Nullable String one() {
    while (true) {
      @Nullable String problem = value();
      if (problem != null) {
        return problem;
      }
      while (!valueNext) {
        if (depth == 0) {
          return null;
        }
        skipSpace();
        problem = separator();
        if (problem != null) {
          return problem;
        }
      }
    }
  }

  /// One value; of an array or object only its opening bracket.
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
    if (depth == MAX_DEPTH) {
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

  /// Scans the separator after a value: a comma, or the end of the array or object.
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

  /// Goes on to the next value; in an object past its name.
  private @Nullable String next() {
    valueNext = true;
    return objects.get(depth - 1) ? name() : null;
  }

  /// A member's name, up to its value.
  private @Nullable String name() {
    if (at == text.length) {
      return CUT;
    }
    @Nullable String problem = text[at] == '"' ? string() : broken();
    if (problem != null) {
      return problem;
    }
    nameEnd = at - 1;
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
    at++;
    while (true) {
      skipPlain();
      if (at == text.length) {
        return CUT;
      }
      if (text[at] == '"') {
        at++;
        return null;
      }
      if (text[at] != '\\') {
        return broken();
      }
      @Nullable String problem = escape();
      if (problem != null) {
        return problem;
      }
      at++;
    }
  }

  /// Skips to the end of a string, an escape or an illegal byte. Most of a record is such text, so
  /// this uses local variables, which the C1 compiler keeps in registers.
  private void skipPlain() {
    byte[] all = text;
    int next = at;
    int bits = 0;
    while (next < all.length) {
      byte c = all[next];
      if (c == '"' || c == '\\' || (c >= 0 && c < ' ')) {
        break;
      }
      bits |= c;
      next++;
    }
    at = next;
    ascii &= bits >= 0;
  }

  /// Stops at the last byte of the escape.
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
