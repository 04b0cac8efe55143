package com.datanadhi.echopost.record;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.datanadhi.json.JsonValidator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Records that an operator imports into the buffer: all of them or none, and only once, even if
/// the import is repeated.
///
/// @param digest identifies the batch
/// @param records in the order in which they are to be delivered
@SuppressWarnings("ArrayRecordComponent") // never compared
public record ImportBatch(byte[] digest, List<Line> records) {
  /// One record.
  ///
  /// @param jsonData the payload
  /// @param pipelines a JSON array of strings
  /// @param key its existing idempotency key; null for a new record
  @SuppressWarnings("ArrayRecordComponent") // never compared
  public record Line(byte[] jsonData, byte[] pipelines, @Nullable String key) {
    /// The reason why it cannot be imported, as text; null when it can.
    public @Nullable String problem() {
      if (jsonData.length + pipelines.length > RecordRules.MAX_JSON_BYTES) {
        return "it is larger than 4 MiB";
      }
      if (key != null && !RecordRules.isIdempotencyKey(key)) {
        return "its key is not 1 to 255 visible ASCII characters";
      }
      @Nullable String problem = JsonValidator.problem(jsonData);
      if (problem != null) {
        return "its payload is not JSON: " + problem;
      }
      try {
        for (JsonValidator.Part name : JsonValidator.parts(pipelines, '[')) {
          if (name.text()[0] != '"') {
            return "its pipelines are not strings";
          }
        }
        return null;
      } catch (IllegalArgumentException bad) {
        return "its pipelines: " + bad.getMessage();
      }
    }

    /// The record to append.
    ///
    /// @param nowMillis when it is accepted, UTC, milliseconds since 1970
    public NewRecord toRecord(long nowMillis) {
      byte @Nullable [] origin = key == null ? null : key.getBytes(US_ASCII);
      return new NewRecord(nowMillis, jsonData, pipelines, NO_API_KEY, origin);
    }
  }

  private static final byte[] NO_API_KEY = {};
}
