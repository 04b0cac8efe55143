package com.datanadhi.sdk.internal.http;

import com.datanadhi.sdk.internal.json.JsonEncoder;
import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.zip.GZIPOutputStream;

/** What is sent to servers. The payload goes as it is, never encoded again. */
final class RequestBodies {
  private RequestBodies() {}

  static byte[] one(OutgoingRecord entry) {
    return text(entry, entry.json()).getBytes(StandardCharsets.UTF_8);
  }

  /** JSON Lines, gzip. */
  static byte[] batch(List<OutgoingRecord> entries) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream zipped = new GZIPOutputStream(bytes)) {
      for (OutgoingRecord entry : entries) {
        zipped.write(text(entry, entry.jsonOnOneLine()).getBytes(StandardCharsets.UTF_8));
        zipped.write('\n');
      }
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    return bytes.toByteArray();
  }

  private static String text(OutgoingRecord entry, String json) {
    return "{\"pipelines\":" + JsonEncoder.text(entry.pipelines()) + ",\"log_data\":" + json + "}";
  }
}
