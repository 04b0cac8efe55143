package com.datanadhi.hub.json;

import java.nio.charset.StandardCharsets;

/// The members of a line that carry a payload. `log_data` has spaces for line ends; if there were
/// any, `log_text` behind it is a JSON string with the payload byte for byte.
public final class Payload {
  private static final byte[] LOG_DATA = "\"log_data\":".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] LOG_TEXT = ",\"log_text\":".getBytes(StandardCharsets.US_ASCII);

  private Payload() {}

  /// Adds `"log_data":…`, and `,"log_text":…` if the payload has line ends.
  ///
  /// @param logData a JSON text in UTF-8
  public static void add(JsonText line, byte[] logData) {
    line.raw(LOG_DATA);
    if (line.onOneLine(logData)) {
      line.raw(LOG_TEXT).string(logData);
    }
  }
}
