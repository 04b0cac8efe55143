package com.datanadhi.hub.query;

import com.datanadhi.hub.json.JsonText;
import com.datanadhi.hub.view.StoredEvent;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/// Encodes records as lines of NDJSON. In a line, `log_data` has spaces for line ends; then
/// `log_text` beside it is a JSON string with the payload byte for byte.
public final class RecordLine {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'", Locale.ROOT)
          .withZone(ZoneOffset.UTC);

  private RecordLine() {}

  /// The line of a record: `{"seq","key","received_at","pipelines","log_data"[,"log_text"]}` and a
  /// line end.
  public static byte[] encode(StoredEvent event) {
    return line(event, 0);
  }

  /// The same with `n`, the number within the pipeline, after `seq`.
  public static byte[] encode(PipelineRecord item) {
    return line(item.event(), item.n());
  }

  /// RFC 3339 in UTC with three decimals, as all JSON of the hub has times.
  ///
  /// @param millis since 1970
  public static String time(long millis) {
    return TIME.format(Instant.ofEpochMilli(millis));
  }

  private static byte[] line(StoredEvent event, long n) {
    JsonText line = new JsonText(512 + event.logData().length);
    line.raw("{\"seq\":").number(event.seq());
    if (n > 0) {
      line.raw(",\"n\":").number(n);
    }
    line.raw(",\"key\":").string(event.key());
    line.raw(",\"received_at\":\"").raw(time(event.receivedAt()));
    line.raw("\",\"pipelines\":").raw(event.pipelines());
    line.raw(",\"log_data\":");
    if (line.onOneLine(event.logData())) {
      line.raw(",\"log_text\":").string(event.logData());
    }
    return line.raw("}\n").toBytes();
  }
}
