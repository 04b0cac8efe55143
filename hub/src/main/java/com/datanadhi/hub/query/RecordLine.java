package com.datanadhi.hub.query;

import com.datanadhi.hub.json.JsonText;
import com.datanadhi.hub.json.Payload;
import com.datanadhi.hub.json.Rfc3339;
import com.datanadhi.hub.view.EventLine;
import java.nio.charset.StandardCharsets;

/// Encodes records as lines of NDJSON. In a line, `log_data` has spaces for line ends; then
/// `log_text` beside it is a JSON string with the payload byte for byte.
public final class RecordLine {
  private static final byte[] SEQ = ascii("{\"seq\":");
  private static final byte[] N = ascii(",\"n\":");
  private static final byte[] KEY = ascii(",\"key\":");
  private static final byte[] RECEIVED_AT = ascii(",\"received_at\":\"");
  private static final byte[] PIPELINES = ascii("\",\"pipelines\":");
  private static final byte[] END = ascii("}\n");

  private RecordLine() {}

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
    return Rfc3339.text(millis);
  }

  private static void add(JsonText line, EventLine event, long n) {
    line.raw(SEQ).number(event.seq());
    if (n > 0) {
      line.raw(N).number(n);
    }
    line.raw(KEY).string(event.key());
    line.raw(RECEIVED_AT).raw(time(event.receivedAt()));
    line.raw(PIPELINES).raw(event.pipelines());
    line.raw(",");
    Payload.add(line, event.logData());
    line.raw(END);
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
