package com.datanadhi.hub.json;

import java.time.DateTimeException;
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
  private static volatile Second latest = new Second(0, "1970-01-01T00:00:00.");

  private static final int SECOND_LENGTH = "1970-01-01T00:00:00.".length();
  private static final int LENGTH = "1970-01-01T00:00:00.000Z".length();

  private Rfc3339() {}

  /// @param text of the time, up to the point before its decimals
  private record Second(long second, String text) {}

  /// The moment that a text names, in milliseconds since 1970. Decimals beyond them are cut off.
  ///
  /// @throws DateTimeException it names none
  public static long millis(String text) {
    Second second = latest;
    if (text.length() == LENGTH
        && text.startsWith(second.text())
        && text.charAt(LENGTH - 1) == 'Z') {
      int decimals = 0;
      for (int i = SECOND_LENGTH; i < LENGTH - 1; i++) {
        int digit = text.charAt(i) - '0';
        if (digit < 0 || digit > 9) {
          throw new DateTimeException(text + " is no time");
        }
        decimals = decimals * 10 + digit;
      }
      return second.second() * 1_000 + decimals;
    }
    return Instant.parse(text).toEpochMilli();
  }

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
