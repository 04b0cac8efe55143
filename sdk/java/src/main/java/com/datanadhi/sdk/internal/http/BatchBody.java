package com.datanadhi.sdk.internal.http;

import com.datanadhi.sdk.internal.json.JsonEncoder;
import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;

/**
 * Encodes records for the main server as NDJSON: a line {@code
 * {"key":"…","pipelines":[…],"log_data":…}} per record. Payloads are copied as they are, so none of
 * them may contain a line break.
 */
final class BatchBody {
  /** The media type of a batch. */
  static final String TYPE = "application/x-ndjson";

  private static final int CHUNK = 1 << 14;
  private static final byte[] END = {'}', '\n'};

  private BatchBody() {}

  /** The lines of the records, compressed with gzip or not. */
  static RequestBody of(List<OutgoingRecord> records, boolean gzip) {
    Map<String, String> headers = new LinkedHashMap<>();
    headers.put("Content-Type", TYPE);
    if (gzip) {
      headers.put("Content-Encoding", "gzip");
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(1 << 14);
    // Compressing each line by itself costs a call of native code for each.
    try (OutputStream out = gzip ? new BufferedOutputStream(new FastGzip(bytes), CHUNK) : bytes) {
      writeLines(records, out);
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    return new RequestBody(headers, bytes.toByteArray());
  }

  private static void writeLines(List<OutgoingRecord> records, OutputStream out)
      throws IOException {
    List<String> pipelines = List.of();
    String encodedPipelines = "[]";
    for (OutgoingRecord record : records) {
      // Most applications use few lists, many records in a row the same one.
      if (!record.pipelines().equals(pipelines)) {
        pipelines = record.pipelines();
        encodedPipelines = JsonEncoder.encode(pipelines);
      }
      String head =
          "{\"key\":\"" + record.key() + "\",\"pipelines\":" + encodedPipelines + ",\"log_data\":";
      out.write(head.getBytes(StandardCharsets.UTF_8));
      out.write(record.json().getBytes(StandardCharsets.UTF_8));
      out.write(END);
    }
  }

  /** Log records compress well even at the level that takes the least time. */
  private static final class FastGzip extends GZIPOutputStream {
    FastGzip(OutputStream out) throws IOException {
      super(out, 1 << 13);
      def.setLevel(Deflater.BEST_SPEED);
    }
  }
}
