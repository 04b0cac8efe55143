package com.datanadhi.hub.admin;

import com.datanadhi.json.ControlCharacters;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.SerializationContext;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.module.SimpleModule;
import tools.jackson.databind.ser.std.StdSerializer;

/// The JSON form of [HubStatus]: its members in snake_case, on one line. Moments are RFC 3339, in
/// UTC, with three decimals.
public final class StatusJson {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'", Locale.ROOT)
          .withZone(ZoneOffset.UTC);

  private static final JsonMapper MAPPER =
      JsonMapper.builder(JsonFactory.builder().characterEscapes(new ControlCharacters()).build())
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .addModule(new SimpleModule().addSerializer(Instant.class, new Rfc3339()))
          .build();

  private StatusJson() {}

  /// One line, without its end.
  public static String write(HubStatus status) {
    return MAPPER.writeValueAsString(status);
  }

  /// Reads what [#write] wrote, also in a version with more members.
  ///
  /// @throws IllegalArgumentException it is not such a text
  public static HubStatus read(String json) {
    try {
      return MAPPER.readValue(json, HubStatus.class);
    } catch (JacksonException malformed) {
      throw new IllegalArgumentException(
          "this is not a status: " + malformed.getOriginalMessage(), malformed);
    }
  }

  private static final class Rfc3339 extends StdSerializer<Instant> {
    Rfc3339() {
      super(Instant.class);
    }

    @Override
    public void serialize(Instant moment, JsonGenerator json, SerializationContext context) {
      json.writeString(TIME.format(moment));
    }
  }
}
