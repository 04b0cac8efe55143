package com.datanadhi.hub.cli;

import com.datanadhi.hub.admin.HubSettings.Address;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.ResolverStyle;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The forms of values in flags and environment variables. Each method throws an
/// `IllegalArgumentException` whose message names the right form.
final class Values {
  private static final Pattern DURATION = Pattern.compile("([0-9]{1,12})(ms|s|m|h|d)");
  private static final Pattern SIZE = Pattern.compile("([0-9]{1,18})(KiB|MiB|GiB)?");
  private static final Pattern ADDRESS =
      Pattern.compile("(?:\\[([0-9A-Fa-f:.%a-z]+)\\]|([^:\\[\\]\\s]+)):([0-9]{1,5})");
  private static final DateTimeFormatter PLAIN_TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm[:ss]", Locale.ROOT)
          .withResolverStyle(ResolverStyle.STRICT);

  private static final Duration LONGEST = Duration.ofDays(36_500);

  private Values() {}

  /// `500ms`, `90s`, `10m`, `24h`, `30d`; at most 36,500 days.
  static Duration duration(String text) {
    Matcher form = DURATION.matcher(text);
    if (!form.matches()) {
      throw new IllegalArgumentException(
          "a duration is a whole number with a unit, such as 500ms, 90s, 10m, 24h or 30d");
    }
    long number = Long.parseLong(form.group(1));
    Duration value =
        switch (form.group(2)) {
          case "ms" -> Duration.ofMillis(number);
          case "s" -> Duration.ofSeconds(number);
          case "m" -> Duration.ofMinutes(number);
          case "h" -> Duration.ofHours(number);
          default -> Duration.ofDays(number);
        };
    if (value.compareTo(LONGEST) > 0) {
      throw new IllegalArgumentException("a duration is at most 36500d");
    }
    return value;
  }

  /// `500ms`, `90s`, `10m`, `24h`, `30d`: the largest unit without a rest.
  static String duration(Duration value) {
    long millis = value.toMillis();
    if (millis % 1_000 != 0) {
      return millis + "ms";
    }
    long seconds = millis / 1_000;
    if (seconds == 0 || seconds % 60 != 0) {
      return seconds + "s";
    }
    if (seconds % 3_600 != 0) {
      return seconds / 60 + "m";
    }
    return seconds % 86_400 != 0 ? seconds / 3_600 + "h" : seconds / 86_400 + "d";
  }

  /// Bytes, or a number with `KiB`, `MiB` or `GiB`.
  static long size(String text) {
    Matcher form = SIZE.matcher(text);
    if (!form.matches()) {
      throw new IllegalArgumentException(
          "a size is a number of bytes, or a whole number with KiB, MiB or GiB, such as 64MiB");
    }
    long number = Long.parseLong(form.group(1));
    int shift =
        switch (form.group(2)) {
          case "KiB" -> 10;
          case "MiB" -> 20;
          case "GiB" -> 30;
          case null, default -> 0;
        };
    if (number > Long.MAX_VALUE >> shift) {
      throw new IllegalArgumentException("the size is too large");
    }
    return number << shift;
  }

  /// RFC 3339, or `2024-01-15 14:30` (with or without seconds) in UTC.
  static Instant time(String text) {
    try {
      return OffsetDateTime.parse(text.toUpperCase(Locale.ROOT)).toInstant();
    } catch (DateTimeException notRfc3339) {
      try {
        return LocalDateTime.parse(text, PLAIN_TIME).toInstant(ZoneOffset.UTC);
      } catch (DateTimeException neither) {
        throw new IllegalArgumentException(
            "a time is RFC 3339, such as 2024-01-15T14:30:00Z, or 2024-01-15 14:30 in UTC",
            neither);
      }
    }
  }

  /// `host:port` or `[IPv6]:port`.
  static Address address(String text) {
    Matcher form = ADDRESS.matcher(text);
    if (!form.matches() || Integer.parseInt(form.group(3)) > 65_535) {
      throw new IllegalArgumentException(
          "an address is HOST:PORT, such as 127.0.0.1:5000, [::1]:5000 or 0.0.0.0:5000");
    }
    String host = form.group(1) == null ? form.group(2) : form.group(1);
    return new Address(host, Integer.parseInt(form.group(3)));
  }
}
