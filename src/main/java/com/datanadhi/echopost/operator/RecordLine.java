package com.datanadhi.echopost.operator;

import com.datanadhi.echopost.buffer.BufferView;
import com.datanadhi.echopost.buffer.PendingRecord;
import com.datanadhi.echopost.buffer.Refusal;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;

/// A record as a line of JSON, as `export` writes it and `import` reads it. No API key is in it.
///
/// The payload is the member `log_data`, its bytes as they are. Only one that has line ends in it,
/// between its parts, cannot stand in a line: there they become spaces, and the member `log_text`
/// before it is a string that holds the payload as it is.
final class RecordLine {
  private RecordLine() {}

  /// The line of a sound record, its end included.
  static byte[] of(BufferView.Entry entry) {
    byte[] payload = entry.record().content().jsonData();
    boolean fits = fits(payload);
    byte[] head =
        Json.line(json -> {
          write(entry, json);
          if (!fits) {
            json.writeStringProperty("log_text", text(payload));
          }
        });
    ByteArrayOutputStream line = new ByteArrayOutputStream(head.length + payload.length + 16);
    // Without the brace and the line end.
    line.write(head, 0, head.length - 2);
    line.writeBytes(",\"log_data\":".getBytes(StandardCharsets.US_ASCII));
    line.writeBytes(fits ? payload : onOneLine(payload));
    line.write('}');
    line.write('\n');
    return line.toByteArray();
  }

  /// The start of the line of any record.
  ///
  /// @param more adds members to it
  static byte[] start(BufferView.Entry entry, Consumer<JsonGenerator> more) {
    return Json.line(json -> {
      write(entry, json);
      more.accept(json);
    });
  }

  private static void write(BufferView.Entry entry, JsonGenerator json) {
    PendingRecord record = entry.record();
    json.writeNumberProperty("id", record.id());
    json.writeStringProperty("key", record.idempotencyKey());
    json.writeNumberProperty("received_at", record.content().receivedAt());
    json.writeName("pipelines");
    if (record.sound()) {
      json.writeRawValue(text(record.content().pipelines()));
    } else {
      json.writeString(text(record.content().pipelines()));
    }
    Refusal refusal = entry.refusal();
    if (refusal != null) {
      json.writeNumberProperty("status", refusal.status());
      json.writeStringProperty("response", refusal.response());
      json.writeNumberProperty("rejected_at", refusal.rejectedAt());
      json.writeNumberProperty("attempts", refusal.attempts());
    }
  }

  private static boolean fits(byte[] payload) {
    for (byte b : payload) {
      if (isLineEnd(b)) {
        return false;
      }
    }
    return true;
  }

  private static byte[] onOneLine(byte[] payload) {
    byte[] flat = payload.clone();
    for (int i = 0; i < flat.length; i++) {
      if (isLineEnd(flat[i])) {
        flat[i] = ' ';
      }
    }
    return flat;
  }

  private static boolean isLineEnd(byte b) {
    return b == '\n' || b == '\r';
  }

  static String text(byte @Nullable [] utf8) {
    return utf8 == null ? "" : new String(utf8, StandardCharsets.UTF_8);
  }
}
