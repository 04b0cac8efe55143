package com.datanadhi.sdk.internal.json;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.StringReader;

/** Checks that a text is exactly one JSON value (RFC 8259). Thread-safe. */
public final class JsonValidator {
  /** The most levels of arrays and objects in a payload; EchoPost has the same limit. */
  public static final int MAX_LEVELS = 1000;

  private JsonValidator() {}

  /**
   * Returns {@code json} unchanged if it is one JSON value.
   *
   * @throws IllegalArgumentException if it is not
   */
  public static String requireOneValue(String json) {
    return requireOneValue(json, MAX_LEVELS);
  }

  /** As {@link #requireOneValue(String)}, with at most {@code maxLevels}. */
  static String requireOneValue(String json, int maxLevels) {
    if (json.startsWith("\uFEFF")) {
      throw new IllegalArgumentException(
          "The payload is not one JSON value: it begins with a byte order mark; remove it");
    }
    try (JsonReader reader = new JsonReader(new StringReader(json))) {
      reader.setStrictness(Strictness.STRICT);
      reader.setNestingLimit(maxLevels);
      reader.skipValue();
      if (reader.peek() == JsonToken.END_DOCUMENT) {
        return json;
      }
    } catch (IOException | IllegalStateException | NumberFormatException notJson) {
      throw new IllegalArgumentException(
          "The payload is not one JSON value: " + startOfMessage(notJson), notJson);
    }
    throw new IllegalArgumentException(
        "The payload is not one JSON value: there is more text after the first value");
  }

  /** Gson's messages end with the whole path to the error, which can be very long. */
  private static String startOfMessage(Exception failure) {
    String message = String.valueOf(failure.getMessage());
    return message.substring(0, Math.min(100, message.length()));
  }
}
