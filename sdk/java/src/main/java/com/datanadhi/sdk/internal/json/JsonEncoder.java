package com.datanadhi.sdk.internal.json;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.lang.reflect.Array;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Encodes payloads as JSON. Maps, iterables, arrays, strings, numbers, booleans and nulls become
 * their JSON counterparts; any other object becomes its {@code toString}. The fields of the
 * application's classes are never read by reflection. Thread-safe.
 */
public final class JsonEncoder {
  private static final int MAX_DEPTH = 200;

  private JsonEncoder() {}

  /** The value as JSON on one line; a value nested deeper than 200 levels becomes a short text. */
  public static String encode(@Nullable Object value) {
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
    if (depth > MAX_DEPTH) {
      // Most likely a map that contains itself.
      to.value("(nested too deeply)");
    } else if (value == null) {
      to.nullValue();
    } else if (value instanceof Map<?, ?> map) {
      to.beginObject();
      for (Map.Entry<?, ?> member : map.entrySet()) {
        to.name(String.valueOf(member.getKey()));
        write(to, member.getValue(), depth + 1);
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
    } else if (value instanceof Number number && isJsonNumber(number)) {
      to.value(number);
    } else {
      to.value(replaceUnpairedSurrogates(value.toString()));
    }
  }

  /** JSON has no infinities, and the text of an application's own number class can be anything. */
  private static boolean isJsonNumber(Number number) {
    if (number instanceof Double || number instanceof Float) {
      return Double.isFinite(number.doubleValue());
    }
    return number.getClass().getName().startsWith("java.");
  }

  /** An unpaired surrogate cannot be encoded in UTF-8. */
  private static String replaceUnpairedSurrogates(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (Character.isSurrogate(text.charAt(i))) {
        byte[] utf8 = text.getBytes(java.nio.charset.StandardCharsets.UTF_8);
        return new String(utf8, java.nio.charset.StandardCharsets.UTF_8);
      }
    }
    return text;
  }
}
