package com.datanadhi.echopost.operator.print;

import java.util.Locale;

/// Numbers with their units, as text for people.
public final class Quantities {
  private static final String[] BYTE_UNITS = {"bytes", "KiB", "MiB", "GiB", "TiB"};

  private Quantities() {}

  /// Such as `1 record` or `20 records`.
  public static String records(long count) {
    return count == 1 ? "1 record" : count + " records";
  }

  /// Such as `21 bytes` or `1.5 MiB`.
  static String bytes(long bytes) {
    double size = bytes;
    int unit = 0;
    while (size >= 1_024 && unit < BYTE_UNITS.length - 1) {
      size /= 1_024;
      unit++;
    }
    return unit == 0
        ? bytes + " bytes"
        : String.format(Locale.ROOT, "%.1f %s", size, BYTE_UNITS[unit]);
  }

  /// Such as `59s` or `1h 1m`: at most two units. A negative duration counts as 0.
  static String duration(long seconds) {
    long s = Math.max(0, seconds);
    if (s < 60) {
      return s + "s";
    }
    if (s < 3_600) {
      return s / 60 + "m " + s % 60 + "s";
    }
    return s < 86_400
        ? s / 3_600 + "h " + s % 3_600 / 60 + "m"
        : s / 86_400 + "d " + s % 86_400 / 3_600 + "h";
  }
}
