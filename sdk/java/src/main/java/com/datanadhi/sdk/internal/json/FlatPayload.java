package com.datanadhi.sdk.internal.json;

import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The members of a payload that has only texts, numbers, booleans and nulls. Such values never
 * change, so they can be encoded later and on another thread, which saves the thread that logs most
 * of the time. Immutable.
 */
public final class FlatPayload {
  /** The longest number, boolean or null. */
  private static final int LITERAL_CHARS = 24;

  /** What a member needs beside its texts: the entry, and in JSON quotes, a colon and a comma. */
  private static final int MEMBER_CHARS = 32;

  /** The longest escape sequence; in UTF-8 a character has at most three bytes. */
  private static final int MAX_BYTES_PER_CHAR = 6;

  /** The names, each followed by its value. */
  private final @Nullable Object[] members;

  private final long chars;
  private final boolean isAscii;

  private FlatPayload(@Nullable Object[] members, long chars, boolean isAscii) {
    this.members = members;
    this.chars = chars;
    this.isAscii = isAscii;
  }

  /**
   * A copy of the payload; empty if it has other values, might need more than {@code maxBytes} as
   * JSON, or cannot be read.
   */
  public static Optional<FlatPayload> of(Map<String, ?> payload, int maxBytes) {
    try {
      return copy(payload, maxBytes);
    } catch (Throwable failed) {
      // The encoder, which then reads the payload again, reports what fails.
      return Optional.empty();
    }
  }

  private static Optional<FlatPayload> copy(Map<?, ?> payload, int maxBytes) {
    if ((long) payload.size() * MEMBER_CHARS * MAX_BYTES_PER_CHAR > maxBytes) {
      return Optional.empty();
    }
    @Nullable Object[] members = new Object[2 * payload.size()];
    int count = 0;
    long chars = 0;
    boolean isAscii = true;
    for (Map.Entry<?, ?> member : payload.entrySet()) {
      Object value = member.getValue();
      // Another thread can change the map meanwhile.
      if (count == members.length
          || !(member.getKey() instanceof String name)
          || !isConstant(value)) {
        return Optional.empty();
      }
      chars += MEMBER_CHARS + name.length();
      isAscii &= Utf8.isAscii(name);
      if (value instanceof String text) {
        chars += text.length();
        isAscii &= Utf8.isAscii(text);
      } else {
        chars += LITERAL_CHARS;
      }
      if (chars * MAX_BYTES_PER_CHAR > maxBytes) {
        return Optional.empty();
      }
      members[count++] = name;
      members[count++] = value;
    }
    return count == members.length
        ? Optional.of(new FlatPayload(members, chars, isAscii))
        : Optional.empty();
  }

  private static boolean isConstant(@Nullable Object value) {
    return value == null
        || value instanceof String
        || value instanceof Integer
        || value instanceof Long
        || value instanceof Boolean
        || value instanceof Double
        || value instanceof Float
        || value instanceof Short
        || value instanceof Byte;
  }

  /** How many characters its JSON has at most, unless some of them need escape sequences. */
  public long chars() {
    return chars;
  }

  /** Whether it has only ASCII characters. */
  public boolean isAscii() {
    return isAscii;
  }

  /** The payload as JSON on one line. */
  public String json() {
    return JsonEncoder.encodeMembers(members, Math.toIntExact(chars));
  }
}
