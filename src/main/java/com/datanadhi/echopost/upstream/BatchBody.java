package com.datanadhi.echopost.upstream;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufOutputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;

/// The body of a batch: a line `{"key":"…","pipelines":[…],"log_data":…}` per record.
///
/// The whole body is in memory once, outside the heap, because its length comes before it.
final class BatchBody {
  private static final byte[] KEY = "{\"key\":\"".getBytes(US_ASCII);
  private static final byte[] PIPELINES = "\",\"pipelines\":".getBytes(US_ASCII);
  private static final byte[] LOG_DATA = ",\"log_data\":".getBytes(US_ASCII);
  private static final byte[] END = "}\n".getBytes(US_ASCII);
  private static final int FIXED = KEY.length + PIPELINES.length + LOG_DATA.length + END.length;

  private static final int CHUNK = 32 << 10;
  private static final int FIRST_CAPACITY = 64 << 10;

  private BatchBody() {}

  /// The most bytes that a record's line can have, its line end included.
  static int lineLength(DeliveryRequest record) {
    return FIXED
        + RequestEncoder.longestQuoted(record.idempotencyKey())
        + record.pipelines().length
        + record.jsonData().length;
  }

  /// The lines of the records. The caller releases it.
  ///
  /// @param gzip whether to pack them
  static ByteBuf of(List<DeliveryRequest> records, boolean gzip) {
    ByteBuf body = ByteBufAllocator.DEFAULT.directBuffer(gzip ? FIRST_CAPACITY : length(records));
    OutputStream bytes = new ByteBufOutputStream(body);
    // A copy out of the heap, or into the packer, takes longer than many copies within the heap.
    try (OutputStream out = new BufferedOutputStream(gzip ? new FastGzip(bytes) : bytes, CHUNK)) {
      for (DeliveryRequest record : records) {
        out.write(KEY);
        out.write(RequestEncoder.quoted(record.idempotencyKey()).getBytes(US_ASCII));
        out.write(PIPELINES);
        out.write(record.pipelines());
        out.write(LOG_DATA);
        out.write(record.jsonData());
        out.write(END);
      }
    } catch (IOException impossible) {
      throw new IllegalStateException(impossible);
    }
    return body;
  }

  private static int length(List<DeliveryRequest> records) {
    int length = 0;
    for (DeliveryRequest record : records) {
      length += lineLength(record);
    }
    return length;
  }

  /// The fastest level: the processor belongs to the applications.
  private static final class FastGzip extends GZIPOutputStream {
    FastGzip(OutputStream out) throws IOException {
      super(out, CHUNK);
      def.setLevel(Deflater.BEST_SPEED);
    }
  }
}
