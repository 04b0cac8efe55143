package com.datanadhi.hub.json;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/// Moments as all JSON of the hub has them: RFC 3339 in UTC with three decimals.
public final class Rfc3339 {
  private static final DateTimeFormatter SECONDS =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.", Locale.ROOT).withZone(ZoneOffset.UTC);

  /// The latest second of a time that was asked for, as text: the times of records that follow each
  /// other mostly have the same one.
  private static volatile Second latest = new Second(Long.MIN_VALUE, "");

  private Rfc3339() {}

  /// @param text of the time, up to the point before its decimals
  private record Second(long second, String text) {}

  /// The text of a moment.
  ///
  /// @param millis since 1970
  public static String text(long millis) {
    long number = Math.floorDiv(millis, 1_000L);
    Second second = latest;
    if (second.second() != number) {
      second = new Second(number, SECONDS.format(Instant.ofEpochSecond(number)));
      latest = second;
    }
    int decimals = Math.floorMod(millis, 1_000);
    return second.text() + (decimals < 10 ? "00" : decimals < 100 ? "0" : "") + decimals + 'Z';
  }
}
