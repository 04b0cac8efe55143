package com.datanadhi.sdk.internal.files;

import com.datanadhi.sdk.internal.json.JsonEncoder;
import com.datanadhi.sdk.internal.json.JsonValidator;
import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * A record as a line of a file: {@code {"pipelines":[…],"log_data":…,"idempotency_key":"…"}}. Files
 * of SDKs that know no keys have lines without one.
 */
final class DroppedLine {
  private static final Gson GSON =
      new GsonBuilder()
          .serializeNulls()
          .disableHtmlEscaping()
          .setStrictness(Strictness.STRICT)
          .create();

  private DroppedLine() {}

  static String of(OutgoingRecord entry) {
    return "{\"pipelines\":"
        + JsonEncoder.text(entry.pipelines())
        + ",\"log_data\":"
        + entry.jsonOnOneLine()
        + ",\"idempotency_key\":\""
        + entry.key()
        + "\"}";
  }

  /**
   * The record that the line is; empty when it is none, as where a write was cut off.
   *
   * @param place its file and number, of which a line without a key gets one
   */
  static Optional<OutgoingRecord> parse(String line, String place) {
    try (JsonReader reader = new JsonReader(new StringReader(line))) {
      reader.setNestingLimit(JsonValidator.LEVELS + 1);
      JsonObject record = JsonParser.parseReader(reader).getAsJsonObject();
      JsonElement data = record.get("log_data");
      List<String> pipelines = new ArrayList<>();
      record.getAsJsonArray("pipelines").forEach(name -> pipelines.add(name.getAsString()));
      String key =
          record.has("idempotency_key")
              ? record.get("idempotency_key").getAsString()
              : UUID.nameUUIDFromBytes((place + line).getBytes(StandardCharsets.UTF_8)).toString();
      return data == null || !isKey(key)
          ? Optional.empty()
          : Optional.of(new OutgoingRecord(pipelines, GSON.toJson(data), key));
    } catch (IOException
        | JsonParseException
        | IllegalStateException
        | UnsupportedOperationException
        | NullPointerException none) {
      return Optional.empty();
    }
  }

  private static boolean isKey(String key) {
    return !key.isEmpty()
        && key.length() <= 255
        && key.chars().allMatch(c -> c > ' ' && c < 0x7f && c != '"' && c != '\\');
  }
}
