package com.datanadhi.hub.query;

import com.datanadhi.hub.json.JsonText;
import com.datanadhi.hub.view.EventLine;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/// Encodes records as lines of NDJSON. In a line, `log_data` has spaces for line ends; then
/// `log_text` beside it is a JSON string with the payload byte for byte.
public final class RecordLine {
  private static final byte[] SEQ = ascii("{\"seq\":");
  private static final byte[] N = ascii(",\"n\":");
  private static final byte[] KEY = ascii(",\"key\":");
  private static final byte[] RECEIVED_AT = ascii(",\"received_at\":\"");
  private static final byte[] PIPELINES = ascii("\",\"pipelines\":");
  private static final byte[] LOG_DATA = ascii(",\"log_data\":");
  private static final byte[] LOG_TEXT = ascii(",\"log_text\":");
  private static final byte[] END = ascii("}\n");
  private static final DateTimeFormatter SECONDS =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.", Locale.ROOT).withZone(ZoneOffset.UTC);

  /// The latest second of a time that was asked for, as text: the times of records that follow each
  /// other mostly have the same one.
  private static volatile Second latest = new Second(Long.MIN_VALUE, "");

  private RecordLine() {}

  /// @param text of the time, up to the point before its decimals
  private record Second(long second, String text) {}

  /// The line of a record: `{"seq","key","received_at","pipelines","log_data"[,"log_text"]}` and a
  /// line end.
  public static byte[] encode(EventLine event) {
    JsonText line = new JsonText(512 + event.logData().length);
    add(line, event);
    return line.toBytes();
  }

  /// Adds the line of a record.
  public static void add(JsonText lines, EventLine event) {
    add(lines, event, 0);
  }

  /// Adds the line of a record with `n`, the number within the pipeline, after `seq`.
  public static void add(JsonText lines, PipelineRecord item) {
    add(lines, item.line(), item.n());
  }

  /// RFC 3339 in UTC with three decimals, as all JSON of the hub has times.
  ///
  /// @param millis since 1970
  public static String time(long millis) {
    long number = Math.floorDiv(millis, 1_000L);
    Second second = latest;
    if (second.second() != number) {
      second = new Second(number, SECONDS.format(Instant.ofEpochSecond(number)));
      latest = second;
    }
    int decimals = Math.floorMod(millis, 1_000);
    return second.text() + (decimals < 10 ? "00" : decimals < 100 ? "0" : "") + decimals + 'Z';
  }

  private static void add(JsonText line, EventLine event, long n) {
    line.raw(SEQ).number(event.seq());
    if (n > 0) {
      line.raw(N).number(n);
    }
    line.raw(KEY).string(event.key());
    line.raw(RECEIVED_AT).raw(time(event.receivedAt()));
    line.raw(PIPELINES).raw(event.pipelines());
    line.raw(LOG_DATA);
    if (line.onOneLine(event.logData())) {
      line.raw(LOG_TEXT).string(event.logData());
    }
    line.raw(END);
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
