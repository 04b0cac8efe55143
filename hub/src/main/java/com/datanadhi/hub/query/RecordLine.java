package com.datanadhi.hub.query;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.datanadhi.hub.view.StoredEvent;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.Locale;

/// Encodes records as lines of NDJSON. In a line, `log_data` has spaces for line ends; then
/// `log_text` beside it is a JSON string with the payload byte for byte.
public final class RecordLine {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'", Locale.ROOT)
          .withZone(ZoneOffset.UTC);
  private static final byte[] HEX = "0123456789abcdef".getBytes(US_ASCII);

  private byte[] line = new byte[512];
  private int size;

  private RecordLine() {}

  /// The line of a record: `{"seq","key","received_at","pipelines","log_data"[,"log_text"]}` and a
  /// line end.
  public static byte[] encode(StoredEvent event) {
    return new RecordLine().line(event, 0);
  }

  /// The same with `n`, the number within the pipeline, after `seq`.
  public static byte[] encode(PipelineRecord item) {
    return new RecordLine().line(item.event(), item.n());
  }

  /// RFC 3339 in UTC with three decimals, as all JSON of the hub has times.
  ///
  /// @param millis since 1970
  public static String time(long millis) {
    return TIME.format(Instant.ofEpochMilli(millis));
  }

  private byte[] line(StoredEvent event, long n) {
    reserve(256 + event.logData().length);
    ascii("{\"seq\":").ascii(Long.toString(event.seq()));
    if (n > 0) {
      ascii(",\"n\":").ascii(Long.toString(n));
    }
    ascii(",\"key\":").string(event.key().getBytes(UTF_8));
    ascii(",\"received_at\":\"").ascii(time(event.receivedAt()));
    ascii("\",\"pipelines\":").bytes(event.pipelines().getBytes(UTF_8));
    ascii(",\"log_data\":");
    int from = size;
    bytes(event.logData());
    if (replaceLineEnds(from)) {
      ascii(",\"log_text\":").string(event.logData());
    }
    ascii("}\n");
    return Arrays.copyOf(line, size);
  }

  private boolean replaceLineEnds(int from) {
    boolean found = false;
    for (int i = from; i < size; i++) {
      if (line[i] == '\n' || line[i] == '\r') {
        line[i] = ' ';
        found = true;
      }
    }
    return found;
  }

  private RecordLine ascii(String text) {
    return bytes(text.getBytes(US_ASCII));
  }

  private RecordLine bytes(byte[] bytes) {
    reserve(bytes.length);
    System.arraycopy(bytes, 0, line, size, bytes.length);
    size += bytes.length;
    return this;
  }

  /// A JSON string with this UTF-8.
  private void string(byte[] utf8) {
    put('"');
    for (byte b : utf8) {
      switch (b) {
        case '"', '\\' -> {
          put('\\');
          put(b);
        }
        case '\n' -> ascii("\\n");
        case '\r' -> ascii("\\r");
        case '\t' -> ascii("\\t");
        default -> {
          if (b >= 0 && b < ' ') {
            ascii("\\u00");
            put(HEX[b >> 4]);
            put(HEX[b & 15]);
          } else {
            put(b);
          }
        }
      }
    }
    put('"');
  }

  private void put(int b) {
    reserve(1);
    line[size++] = (byte) b;
  }

  private void reserve(int more) {
    if (line.length - size < more) {
      line = Arrays.copyOf(line, Math.max(size + more, line.length * 2));
    }
  }
}
