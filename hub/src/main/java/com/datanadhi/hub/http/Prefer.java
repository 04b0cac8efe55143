package com.datanadhi.hub.http;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Parses `Prefer: wait=S` (RFC 7240): how long the sender wants to wait until its records can be
/// read. A preference that is not understood is ignored, as that RFC says.
final class Prefer {
  static final long MOST = 30;

  private static final Pattern WAIT = Pattern.compile("\\s*wait\\s*=\\s*\"?(\\d{1,9})\"?\\s*");

  private Prefer() {}

  /// The time to wait: 1 to 30 s, or zero.
  static Duration wait(List<String> values) {
    for (String value : values) {
      for (String preference : value.toLowerCase(Locale.ROOT).split("[,;]", -1)) {
        Matcher wait = WAIT.matcher(preference);
        if (wait.matches()) {
          return Duration.ofSeconds(Math.min(MOST, Long.parseLong(wait.group(1))));
        }
      }
    }
    return Duration.ZERO;
  }
}
