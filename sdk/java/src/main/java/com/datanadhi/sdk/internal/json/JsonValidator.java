package com.datanadhi.sdk.internal.json;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.StringReader;

/** Whether a text is one JSON value (RFC 8259). */
public final class JsonValidator {
  /** How many levels of arrays and objects a payload may have: as many as EchoPost takes. */
  public static final int LEVELS = 1000;

  private JsonValidator() {}

  /**
   * Returns {@code json} when it is.
   *
   * @throws IllegalArgumentException when it is not
   */
  public static String oneValue(String json) {
    if (json.startsWith("\uFEFF")) {
      throw new IllegalArgumentException("not one JSON value: it begins with a byte order mark");
    }
    try (JsonReader reader = new JsonReader(new StringReader(json))) {
      reader.setStrictness(Strictness.STRICT);
      reader.setNestingLimit(LEVELS);
      reader.skipValue();
      if (reader.peek() == JsonToken.END_DOCUMENT) {
        return json;
      }
    } catch (IOException | IllegalStateException | NumberFormatException notJson) {
      throw new IllegalArgumentException("not one JSON value: " + start(notJson), notJson);
    }
    throw new IllegalArgumentException("not one JSON value: there is something behind it");
  }

  /** Gson ends its messages with the whole path. */
  private static String start(Exception failure) {
    String message = String.valueOf(failure.getMessage());
    return message.substring(0, Math.min(100, message.length()));
  }
}
