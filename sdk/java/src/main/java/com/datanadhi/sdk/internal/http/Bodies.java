package com.datanadhi.sdk.internal.http;

import com.datanadhi.sdk.internal.json.JsonWriting;
import com.datanadhi.sdk.internal.queue.LogEntry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.zip.GZIPOutputStream;

/** What is sent to servers. The payload goes as it is, never encoded again. */
final class Bodies {
  private Bodies() {}

  static byte[] one(LogEntry entry) {
    return text(entry, entry.json()).getBytes(StandardCharsets.UTF_8);
  }

  /** JSON Lines, gzip. */
  static byte[] batch(List<LogEntry> entries) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream zipped = new GZIPOutputStream(bytes)) {
      for (LogEntry entry : entries) {
        zipped.write(text(entry, entry.jsonOnOneLine()).getBytes(StandardCharsets.UTF_8));
        zipped.write('\n');
      }
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    return bytes.toByteArray();
  }

  private static String text(LogEntry entry, String json) {
    return "{\"pipelines\":" + JsonWriting.text(entry.pipelines()) + ",\"log_data\":" + json + "}";
  }
}
