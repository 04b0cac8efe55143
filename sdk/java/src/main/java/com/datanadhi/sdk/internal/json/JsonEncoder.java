package com.datanadhi.sdk.internal.json;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.lang.reflect.Array;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * JSON from what applications put into a record: maps, iterables, arrays, strings, numbers,
 * booleans and nulls as themselves, anything else by its {@code toString}. No reflection on an
 * application's classes.
 */
public final class JsonEncoder {
  private static final int DEEPEST = 200;

  private JsonEncoder() {}

  /** One JSON value, on one line. */
  public static String text(@Nullable Object value) {
    StringWriter text = new StringWriter(256);
    try (JsonWriter writer = new JsonWriter(text)) {
      writer.setHtmlSafe(false);
      write(writer, value, 0);
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    return text.toString();
  }

  private static void write(JsonWriter to, @Nullable Object value, int depth) throws IOException {
    if (depth > DEEPEST) {
      // Most likely a map that holds itself.
      to.value("(nested too deeply)");
    } else if (value == null) {
      to.nullValue();
    } else if (value instanceof Map<?, ?> map) {
      to.beginObject();
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        to.name(String.valueOf(entry.getKey()));
        write(to, entry.getValue(), depth + 1);
      }
      to.endObject();
    } else if (value instanceof Iterable<?> items && !(value instanceof java.nio.file.Path)) {
      to.beginArray();
      for (Object item : items) {
        write(to, item, depth + 1);
      }
      to.endArray();
    } else if (value.getClass().isArray()) {
      to.beginArray();
      for (int i = 0; i < Array.getLength(value); i++) {
        write(to, Array.get(value, i), depth + 1);
      }
      to.endArray();
    } else {
      writeScalar(to, value);
    }
  }

  private static void writeScalar(JsonWriter to, Object value) throws IOException {
    if (value instanceof Boolean flag) {
      to.value(flag);
    } else if (value instanceof Number number && isJson(number)) {
      to.value(number);
    } else {
      to.value(wellFormed(value.toString()));
    }
  }

  /** JSON has no infinities, and numbers of other people's classes may print as anything. */
  private static boolean isJson(Number number) {
    if (number instanceof Double || number instanceof Float) {
      return Double.isFinite(number.doubleValue());
    }
    return number.getClass().getName().startsWith("java.");
  }

  /** Half a surrogate pair has no UTF-8. */
  private static String wellFormed(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (Character.isSurrogate(text.charAt(i))) {
        byte[] utf8 = text.getBytes(java.nio.charset.StandardCharsets.UTF_8);
        return new String(utf8, java.nio.charset.StandardCharsets.UTF_8);
      }
    }
    return text;
  }
}
