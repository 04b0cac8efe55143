package com.datanadhi.hub.intake;

import java.io.ByteArrayOutputStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/// The answer to a transaction that is stored. Built from its log record alone, so that each repeat
/// gets the same bytes.
///
/// @param sha256 the digest, in lower-case hex; null beyond the key horizon, where the payload
///   cannot be compared any more
/// @param durability in force at its append; null when `sha256` is
public record Receipt(
    String tenant, String key, @Nullable String sha256, @Nullable String durability) {
  private static final JsonFactory JSON = new JsonFactory();

  /// The receipt as a JSON object in UTF-8, without white space: always the same bytes.
  public byte[] json() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
    try (JsonGenerator json = JSON.createGenerator(ObjectWriteContext.empty(), bytes)) {
      json.writeStartObject();
      json.writeStringProperty("status", "stored");
      json.writeStringProperty("tenant", tenant);
      json.writeStringProperty("key", key);
      json.writeStringProperty("sha256", sha256);
      json.writeStringProperty("durability", durability);
      json.writeEndObject();
    }
    return bytes.toByteArray();
  }
}
