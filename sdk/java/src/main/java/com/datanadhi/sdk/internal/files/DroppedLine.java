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
import java.util.regex.Pattern;

/**
 * The format of a record in a dropped file: {@code
 * {"pipelines":[…],"log_data":…,"idempotency_key":"…"}} on one line. SDKs that have no idempotency
 * keys write lines without one.
 */
final class DroppedLine {
  private static final Gson GSON =
      new GsonBuilder()
          .serializeNulls()
          .disableHtmlEscaping()
          .setStrictness(Strictness.STRICT)
          .create();

  private static final Pattern FORMAT_END = Pattern.compile(",\"idempotency_key\":\"[^\"]+\"}$");

  private DroppedLine() {}

  /** The line, without a line break. */
  static String format(OutgoingRecord record) {
    return "{\"pipelines\":"
        + JsonEncoder.encode(record.pipelines())
        + ",\"log_data\":"
        + record.jsonOnOneLine()
        + ",\"idempotency_key\":\""
        + record.key()
        + "\"}";
  }

  /**
   * Parses a line; empty if it is not a record, for example because a write was interrupted.
   *
   * @param location file name and line number; a line without a key gets one made from it, so that
   *     each attempt to deliver it uses the same key
   */
  static Optional<OutgoingRecord> parse(String line, String location) {
    try (JsonReader reader = new JsonReader(new StringReader(line))) {
      reader.setNestingLimit(JsonValidator.MAX_LEVELS + 1);
      JsonObject json = JsonParser.parseReader(reader).getAsJsonObject();
      JsonElement data = json.get("log_data");
      List<String> pipelines = new ArrayList<>();
      json.getAsJsonArray("pipelines").forEach(name -> pipelines.add(name.getAsString()));
      String key =
          json.has("idempotency_key")
              ? json.get("idempotency_key").getAsString()
              : UUID.nameUUIDFromBytes((location + line).getBytes(StandardCharsets.UTF_8))
                  .toString();
      return data == null || !isKey(key)
          ? Optional.empty()
          : Optional.of(new OutgoingRecord(pipelines, GSON.toJson(data), key));
    } catch (IOException
        | JsonParseException
        | IllegalStateException
        | ClassCastException
        | UnsupportedOperationException
        | NullPointerException notARecord) {
      return Optional.empty();
    }
  }

  /** Whether a line that is a record has a key of its own. */
  static boolean hasKey(String line) {
    return JsonParser.parseString(line).getAsJsonObject().has("idempotency_key");
  }

  /** Whether a line, or one whose first byte was changed, ends as {@link #format} ends it. */
  static boolean endsWithKey(String line) {
    return FORMAT_END.matcher(line).find();
  }

  private static boolean isKey(String key) {
    return !key.isEmpty()
        && key.length() <= 255
        && key.chars().allMatch(c -> c > ' ' && c < 0x7f && c != '"' && c != '\\');
  }
}
