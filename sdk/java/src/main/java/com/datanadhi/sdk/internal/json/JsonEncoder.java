package com.datanadhi.sdk.internal.json;

import java.lang.reflect.Array;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Encodes payloads as JSON. Maps, iterables, arrays, strings, numbers, booleans and nulls become
 * their JSON counterparts; JSON values of Jackson, Gson and JSON-P are taken as they are; any other
 * object becomes its {@code toString}. The fields of the application's classes are never read by
 * reflection.
 *
 * <p>A value that throws, contains itself or is nested deeper than 200 levels is replaced by a
 * text; no exception of the application's classes leaves the encoder, except errors of the virtual
 * machine such as OutOfMemoryError. The static methods are thread-safe.
 */
public final class JsonEncoder {
  private static final int MAX_DEPTH = 200;

  /** Most payloads have fewer. */
  private static final int MOST_CHARS = 256;

  private static final String TRUNCATED = "datanadhi_truncated";
  private static final String ERROR = "datanadhi_error";

  /** For the member that says that a payload was truncated, with a suffix to its name. */
  private static final long TRUNCATED_BYTES = 96;

  private final BoundedJson out;

  /** The containers around the value that is being encoded, outermost first. */
  private Object[] path = new Object[8];

  private int replaced;

  private JsonEncoder(long maxBytes, int chars) {
    this.out = new BoundedJson(maxBytes, chars);
  }

  /** The value as JSON on one line, of any size. */
  public static String encode(@Nullable Object value) {
    return encode(value, Integer.MAX_VALUE).json();
  }

  /**
   * The value as JSON on one line of at most {@code maxBytes} in UTF-8, at least 1 KiB. What does
   * not fit is cut or left out, and an object gets the member {@code datanadhi_truncated} then.
   */
  public static EncodedPayload encode(@Nullable Object value, int maxBytes) {
    JsonEncoder encoder = new JsonEncoder(maxBytes, MOST_CHARS);
    encoder.write(value, 0);
    return new EncodedPayload(encoder.out.toString(), encoder.replaced, encoder.out.isTruncated());
  }

  /**
   * An object as JSON on one line of any size.
   *
   * @param members its names, each followed by a value without members or items
   * @param chars about how many characters it has
   */
  static String encodeMembers(@Nullable Object[] members, int chars) {
    JsonEncoder encoder = new JsonEncoder(Integer.MAX_VALUE, chars);
    encoder.out.open('{');
    MemberNames names = new MemberNames();
    for (int i = 0; i < members.length; i += 2) {
      encoder.out.separate();
      boolean unused = encoder.out.name(names.distinct((String) members[i]));
      encoder.writeUnguarded(members[i + 1], 1);
    }
    encoder.out.close('}');
    return encoder.out.toString();
  }

  private void write(@Nullable Object value, int depth) {
    BoundedJson.Position start = out.position();
    try {
      writeUnguarded(value, depth);
    } catch (Throwable failed) {
      String text = failure(value, failed);
      out.returnTo(start);
      out.string(text);
    }
  }

  private void writeUnguarded(@Nullable Object value, int depth) {
    if (value == null) {
      out.json("null");
    } else if (value instanceof String text) {
      out.string(text);
    } else if (value instanceof Boolean) {
      out.json(value.toString());
    } else if (value instanceof Number number && number.getClass().getName().startsWith("java.")) {
      writeNumber(number.toString());
    } else if (value instanceof Unreadable unreadable) {
      out.string(failure(unreadable.value(), unreadable.failure()));
    } else if (JsonTrees.contains(value)) {
      writeTree(text(value));
    } else if (!isContainer(value)) {
      out.string(text(value));
    } else if (isOnPath(value, depth)) {
      replaced++;
      out.string("(" + value.getClass().getName() + " contains itself)");
    } else if (depth == MAX_DEPTH) {
      replaced++;
      out.string("(nested too deeply)");
    } else {
      if (depth == path.length) {
        path = Arrays.copyOf(path, 2 * depth);
      }
      path[depth] = value;
      if (value instanceof Map<?, ?> map) {
        writeObject(map, depth);
      } else {
        writeArray(value, depth);
      }
    }
  }

  /** JSON has no infinities, and they end with a letter. */
  private void writeNumber(String text) {
    if (Character.isDigit(text.charAt(text.length() - 1))) {
      out.json(text);
    } else {
      out.string(text);
    }
  }

  private void writeTree(String text) {
    if (!out.hasRoomFor(text.length())) {
      out.string(text);
      return;
    }
    try {
      String json =
          JsonValidator.requireOneValue(
              Utf8.withoutUnpairedSurrogates(text), JsonValidator.MAX_LEVELS - MAX_DEPTH);
      // Between tokens, line breaks are only white space.
      out.json(json.replace('\n', ' ').replace('\r', ' '));
    } catch (IllegalArgumentException notJson) {
      out.string(text);
    }
  }

  private void writeObject(Map<?, ?> map, int depth) {
    out.open('{');
    if (depth == 0) {
      out.reserve(TRUNCATED_BYTES);
    }
    MemberNames names = new MemberNames();
    BoundedJson.Position end = out.position();
    try {
      for (Map.Entry<?, ?> member : map.entrySet()) {
        String name = String.valueOf(read(member.getKey(), () -> text(member.getKey())));
        Object value = read(member, member::getValue);
        if (!writeMember(names, name, value, depth) && !out.hasRoom()) {
          break;
        }
        end = out.position();
      }
    } catch (Throwable failed) {
      String text = failure(map, failed);
      out.returnTo(end);
      writeMember(names, ERROR, text, depth);
    }
    if (depth == 0) {
      out.release(TRUNCATED_BYTES);
      if (out.isTruncated()) {
        writeMember(names, TRUNCATED, true, depth);
      }
    }
    out.close('}');
  }

  /** Returns false, and writes nothing, if there is no room for the member. */
  private boolean writeMember(MemberNames names, String name, @Nullable Object value, int depth) {
    BoundedJson.Position start = out.position();
    if (out.hasRoom()) {
      out.separate();
      if (out.name(names.distinct(name))) {
        write(value, depth + 1);
        return true;
      }
    }
    out.returnTo(start);
    out.setTruncated();
    return false;
  }

  private void writeArray(Object container, int depth) {
    out.open('[');
    BoundedJson.Position end = out.position();
    try {
      Iterator<?> items = items(container);
      while (items.hasNext()) {
        if (!out.hasRoom()) {
          out.setTruncated();
          break;
        }
        Object item = items.next();
        out.separate();
        write(item, depth + 1);
        end = out.position();
      }
    } catch (Throwable failed) {
      String text = failure(container, failed);
      out.returnTo(end);
      if (out.hasRoom()) {
        out.separate();
        out.string(text);
      } else {
        out.setTruncated();
      }
    }
    out.close(']');
  }

  private static Iterator<?> items(Object container) {
    if (container instanceof Iterable<?> iterable) {
      return iterable.iterator();
    }
    return new Iterator<@Nullable Object>() {
      private final int length = Array.getLength(container);
      private int next;

      @Override
      public boolean hasNext() {
        return next < length;
      }

      @Override
      public @Nullable Object next() {
        return Array.get(container, next++);
      }
    };
  }

  /** What {@code getter} returns, or the text that replaces it. */
  private @Nullable Object read(
      @Nullable Object owner, Supplier<? extends @Nullable Object> getter) {
    try {
      return getter.get();
    } catch (Throwable failed) {
      return failure(owner, failed);
    }
  }

  /**
   * Counts a value that could not be encoded.
   *
   * @return the text that replaces it
   */
  private String failure(@Nullable Object value, Throwable failed) {
    String text = Unreadable.of(value, failed).toString();
    replaced++;
    return text;
  }

  /** The {@code toString} of a value, also if that is null. */
  private static String text(@Nullable Object value) {
    String text = value == null ? null : value.toString();
    return text == null ? "null" : text;
  }

  /** Equal containers can be different ones. */
  @SuppressWarnings("ReferenceEquality")
  private boolean isOnPath(Object value, int depth) {
    for (int i = 0; i < depth; i++) {
      if (path[i] == value) {
        return true;
      }
    }
    return false;
  }

  /** A path contains itself: its first name is a path with one name. */
  private static boolean isContainer(Object value) {
    return value instanceof Map<?, ?>
        || (value instanceof Iterable<?> && !(value instanceof java.nio.file.Path))
        || value.getClass().isArray();
  }
}
