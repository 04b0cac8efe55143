package com.datanadhi.echopost.upstream;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufOutputStream;
import io.netty.buffer.ByteBufUtil;
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

  /// The length of a record's line, its line end included.
  static int lineLength(DeliveryRequest record) {
    return FIXED
        + RequestEncoder.quoted(record.idempotencyKey()).length()
        + record.pipelines().length
        + record.jsonData().length;
  }

  static ByteBuf plain(List<DeliveryRequest> records) {
    int capacity = 0;
    for (DeliveryRequest record : records) {
      // Enough unless a key has characters to escape, which is rare.
      capacity +=
          FIXED
              + record.idempotencyKey().length()
              + record.pipelines().length
              + record.jsonData().length;
    }
    ByteBuf body = ByteBufAllocator.DEFAULT.directBuffer(capacity);
    for (DeliveryRequest record : records) {
      body.writeBytes(KEY);
      ByteBufUtil.writeAscii(body, RequestEncoder.quoted(record.idempotencyKey()));
      body.writeBytes(PIPELINES)
          .writeBytes(record.pipelines())
          .writeBytes(LOG_DATA)
          .writeBytes(record.jsonData())
          .writeBytes(END);
    }
    return body;
  }

  static ByteBuf packed(List<DeliveryRequest> records) {
    ByteBuf body = ByteBufAllocator.DEFAULT.directBuffer(FIRST_CAPACITY);
    try (OutputStream out =
        new BufferedOutputStream(new FastGzip(new ByteBufOutputStream(body)), CHUNK)) {
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

  /// The fastest level: the processor belongs to the applications.
  private static final class FastGzip extends GZIPOutputStream {
    FastGzip(OutputStream out) throws IOException {
      super(out, CHUNK);
      def.setLevel(Deflater.BEST_SPEED);
    }
  }
}
