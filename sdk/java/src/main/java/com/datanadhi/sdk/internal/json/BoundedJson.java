package com.datanadhi.sdk.internal.json;

/**
 * A JSON text of a limited size. A value that does not fit is cut: it becomes a string that ends
 * with a mark, and leaves some space for the values after it. Not thread-safe.
 */
final class BoundedJson {
  /** A place in the text, to return to. */
  record Position(int length, long bytes, long reserved) {}

  private static final String CUT = "…(truncated)";
  private static final long CUT_BYTES = 14;

  /** Each value has a form of this many bytes: a cut string, or an empty array or object. */
  private static final long SMALLEST_VALUE = 32;

  private static final String[] ESCAPES = escapes();

  private final StringBuilder text;
  private final long limit;
  private long bytes;
  private long reserved;
  private boolean isTruncated;

  /**
   * The text can have {@code limit} bytes in UTF-8.
   *
   * @param chars it will probably have at most
   */
  BoundedJson(long limit, int chars) {
    this.text = new StringBuilder(chars);
    this.limit = limit;
  }

  /** Whether any value would fit now, if need be cut. */
  boolean hasRoom() {
    // The comma in front of it is the one byte.
    return room() > SMALLEST_VALUE;
  }

  /** Whether this many bytes would fit now. */
  boolean hasRoomFor(long size) {
    return size <= room();
  }

  /** Keeps this many bytes for what is written after {@link #release}. */
  void reserve(long size) {
    reserved += size;
  }

  void release(long size) {
    reserved -= size;
  }

  /** Something was left out for lack of room. */
  void setTruncated() {
    isTruncated = true;
  }

  boolean isTruncated() {
    return isTruncated;
  }

  Position position() {
    return new Position(text.length(), bytes, reserved);
  }

  /** Deletes what was written after {@code position}. */
  void returnTo(Position position) {
    cutTo(position.length(), position.bytes());
    reserved = position.reserved();
  }

  private void cutTo(int newLength, long newBytes) {
    text.setLength(newLength);
    bytes = newBytes;
  }

  /** Begins an array or object, and keeps the byte for its end. */
  void open(char bracket) {
    append(bracket);
    reserved++;
  }

  void close(char bracket) {
    reserved--;
    append(bracket);
  }

  /** Separates items or members, except in front of the first. */
  void separate() {
    char last = text.charAt(text.length() - 1);
    if (last != '[' && last != '{') {
      append(',');
    }
  }

  /** Writes the name of a member; false, and part of the name is written, if it does not fit. */
  boolean name(String name) {
    append('"');
    if (appendEscaped(name, room() - 2 - SMALLEST_VALUE) < name.length()) {
      return false;
    }
    append('"');
    append(':');
    return true;
  }

  /** Writes a string. */
  void string(String value) {
    int startLength = text.length();
    long startBytes = bytes;
    append('"');
    if (appendEscaped(value, room() - 1) < value.length()) {
      cutTo(startLength, startBytes);
      isTruncated = true;
      long reserve = limit / 16;
      long size = room() > 2 * reserve ? room() - reserve : room() / 2;
      append('"');
      appendEscaped(value, size - 2 - CUT_BYTES);
      text.append(CUT);
      bytes += CUT_BYTES;
    }
    append('"');
  }

  /** Writes a text that is a JSON value already, or a string of its beginning. */
  void json(String value) {
    long size = Utf8.length(value);
    if (!hasRoomFor(size)) {
      string(value);
    } else {
      text.append(value);
      bytes += size;
    }
  }

  @Override
  public String toString() {
    return text.toString();
  }

  private long room() {
    return limit - bytes - reserved;
  }

  private void append(char ascii) {
    text.append(ascii);
    bytes++;
  }

  /** Returns the index of the first character that did not fit into {@code size} bytes. */
  private int appendEscaped(String value, long size) {
    long left = size;
    int plainFrom = 0;
    int i = 0;
    while (i < value.length()) {
      char c = value.charAt(i);
      int next = i + 1;
      String escape = null;
      int cost = 1;
      if (c < 0x80) {
        escape = ESCAPES[c];
      } else if (c == '\u2028' || c == '\u2029') {
        // Line separators for JavaScript.
        escape = c == '\u2028' ? "\\u2028" : "\\u2029";
      } else if (c < 0x800) {
        cost = 2;
      } else if (!Character.isSurrogate(c)) {
        cost = 3;
      } else if (Utf8.isPair(value, i)) {
        cost = 4;
        next++;
      } else {
        escape = "?";
      }
      if (escape != null) {
        cost = escape.length();
      }
      if (cost > left) {
        break;
      }
      left -= cost;
      if (escape != null) {
        text.append(value, plainFrom, i).append(escape);
        plainFrom = next;
      }
      i = next;
    }
    text.append(value, plainFrom, i);
    bytes += size - left;
    return i;
  }

  private static String[] escapes() {
    String[] escapes = new String[0x80];
    for (int c = 0; c < ' '; c++) {
      escapes[c] = "\\u%04x".formatted(c);
    }
    escapes['"'] = "\\\"";
    escapes['\\'] = "\\\\";
    escapes['\t'] = "\\t";
    escapes['\b'] = "\\b";
    escapes['\n'] = "\\n";
    escapes['\r'] = "\\r";
    escapes['\f'] = "\\f";
    return escapes;
  }
}
