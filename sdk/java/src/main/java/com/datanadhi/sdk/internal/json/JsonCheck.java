package com.datanadhi.sdk.internal.json;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.StringReader;

/** Whether a text is one JSON value (RFC 8259). */
public final class JsonCheck {
  private JsonCheck() {}

  /**
   * Returns {@code json} when it is.
   *
   * @throws IllegalArgumentException when it is not
   */
  public static String oneValue(String json) {
    try (JsonReader reader = new JsonReader(new StringReader(json))) {
      reader.setStrictness(Strictness.STRICT);
      reader.skipValue();
      if (reader.peek() == JsonToken.END_DOCUMENT) {
        return json;
      }
    } catch (IOException | IllegalStateException | NumberFormatException notJson) {
      throw new IllegalArgumentException("not one JSON value: " + notJson.getMessage(), notJson);
    }
    throw new IllegalArgumentException("not one JSON value: there is something behind it");
  }
}
