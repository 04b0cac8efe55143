package com.datanadhi.sdk.internal.json;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import java.io.IOException;
import java.io.StringReader;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads JSON as maps, lists, strings, numbers, booleans and nulls. Thread-safe. */
public final class JsonDecoder {
  private JsonDecoder() {}

  /**
   * The value of one JSON text, with maps and lists that can be modified. Whole numbers are {@code
   * Long}, others and larger ones {@code BigDecimal}. Of members with the same name the last
   * remains.
   *
   * @throws IllegalArgumentException if it is not one JSON value, or nested deeper than 1,000
   *     levels
   */
  public static @Nullable Object decode(String json) {
    try (JsonReader reader = new JsonReader(new StringReader(json))) {
      reader.setStrictness(Strictness.STRICT);
      reader.setNestingLimit(JsonValidator.MAX_LEVELS);
      return value(reader);
    } catch (IOException | IllegalStateException | NumberFormatException notJson) {
      throw new IllegalArgumentException("The payload is not one JSON value", notJson);
    }
  }

  private static @Nullable Object value(JsonReader reader) throws IOException {
    return switch (reader.peek()) {
      case BEGIN_OBJECT -> object(reader);
      case BEGIN_ARRAY -> array(reader);
      case STRING -> reader.nextString();
      case BOOLEAN -> reader.nextBoolean();
      case NUMBER -> number(reader.nextString());
      case NULL -> {
        reader.nextNull();
        yield null;
      }
      default -> throw new IllegalStateException("a value is missing");
    };
  }

  private static Map<String, @Nullable Object> object(JsonReader reader) throws IOException {
    Map<String, @Nullable Object> members = new LinkedHashMap<>();
    reader.beginObject();
    while (reader.hasNext()) {
      String name = reader.nextName();
      members.put(name, value(reader));
    }
    reader.endObject();
    return members;
  }

  private static List<@Nullable Object> array(JsonReader reader) throws IOException {
    List<@Nullable Object> items = new ArrayList<>();
    reader.beginArray();
    while (reader.hasNext()) {
      items.add(value(reader));
    }
    reader.endArray();
    return items;
  }

  private static Number number(String text) {
    if (text.matches("-?[0-9]{1,18}") && !text.equals("-0")) {
      return Long.valueOf(text);
    }
    return new BigDecimal(text);
  }
}
