package com.datanadhi.echopost.record;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// Records that an operator puts into the buffer as new ones, all or none of them, and once however
/// often it is tried.
///
/// @param digest says which batch it is: one that was put in is not put in again
/// @param records in the order in which they are to be delivered
@SuppressWarnings("ArrayRecordComponent") // nobody compares them
public record ImportBatch(byte[] digest, List<Line> records) {
  /// One record.
  ///
  /// @param jsonData the payload
  /// @param pipelines a JSON array of strings
  /// @param key the idempotency key that it has already; null for a new one
  @SuppressWarnings("ArrayRecordComponent") // nobody compares them
  public record Line(byte[] jsonData, byte[] pipelines, @Nullable String key) {
    /// What keeps it out of the buffer, in words; null when nothing does.
    public @Nullable String problem() {
      if (jsonData.length + pipelines.length > RecordRules.MAX_JSON_BYTES) {
        return "it is larger than 4 MiB";
      }
      if (key != null && !RecordRules.isIdempotencyKey(key)) {
        return "its key is not 1 to 255 visible ASCII characters";
      }
      @Nullable String problem = JsonValidator.problem(jsonData);
      if (problem != null) {
        return "its payload is no JSON: " + problem;
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

    public NewRecord received(long nowMillis) {
      return new NewRecord(nowMillis, jsonData, pipelines, NONE, key);
    }
  }

  private static final byte[] NONE = {};
}
