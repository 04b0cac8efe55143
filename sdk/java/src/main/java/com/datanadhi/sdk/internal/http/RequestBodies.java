package com.datanadhi.sdk.internal.http;

import com.datanadhi.sdk.internal.json.JsonEncoder;
import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.zip.GZIPOutputStream;

/** Encodes records as request bodies. The payload is copied as it is, not parsed again. */
final class RequestBodies {
  private RequestBodies() {}

  /** One record as JSON, for the main server. */
  static RequestBody single(OutgoingRecord record) {
    return RequestBody.withKeys(
        "application/json",
        List.of(record.key()),
        text(record, record.json()).getBytes(StandardCharsets.UTF_8));
  }

  /** The records as JSON Lines, compressed with gzip, for the fallback server. */
  static RequestBody upload(List<OutgoingRecord> records) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream zipped = new GZIPOutputStream(bytes)) {
      for (OutgoingRecord record : records) {
        zipped.write(text(record, record.jsonOnOneLine()).getBytes(StandardCharsets.UTF_8));
        zipped.write('\n');
      }
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    return RequestBody.withKeys(
        "application/octet-stream",
        records.stream().map(OutgoingRecord::key).toList(),
        bytes.toByteArray());
  }

  private static String text(OutgoingRecord record, String json) {
    return "{\"pipelines\":"
        + JsonEncoder.encode(record.pipelines())
        + ",\"log_data\":"
        + json
        + "}";
  }
}
