package com.datanadhi.hub.record;

import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// `<first 8 hex digits of the epoch>/<stream>:<offset>`, the name of one log record.
///
/// @param epoch its first 8 hex digits
public record Position(String epoch, String stream, long offset) {
  private static final int EPOCH_DIGITS = 8;
  private static final int MAX_OFFSET_DIGITS = 18;
  private static final Pattern STREAM = Pattern.compile("events-[0-9]{1,9}|control");

  /// The stream of the position that was parsed last: nearly all have the same one.
  private static volatile String latestStream = "control";

  /// The parts of `text`, or null if it is no position. Called for each record that is archived or
  /// restored, so it is not one regular expression.
  public static @Nullable Position parse(String text) {
    int colon = text.indexOf(':');
    int digits = text.length() - colon - 1;
    if (colon < EPOCH_DIGITS
        || text.charAt(EPOCH_DIGITS) != '/'
        || digits < 1
        || digits > MAX_OFFSET_DIGITS) {
      return null;
    }
    for (int i = 0; i < EPOCH_DIGITS; i++) {
      char c = text.charAt(i);
      if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) {
        return null;
      }
    }
    long offset = 0;
    for (int i = colon + 1; i < text.length(); i++) {
      int digit = text.charAt(i) - '0';
      if (digit < 0 || digit > 9) {
        return null;
      }
      offset = offset * 10 + digit;
    }
    String stream = stream(text, colon);
    return stream == null ? null : new Position(text.substring(0, EPOCH_DIGITS), stream, offset);
  }

  private static @Nullable String stream(String text, int colon) {
    int from = EPOCH_DIGITS + 1;
    String latest = latestStream;
    if (colon - from == latest.length() && text.startsWith(latest, from)) {
      return latest;
    }
    String stream = text.substring(from, colon);
    if (!STREAM.matcher(stream).matches()) {
      return null;
    }
    latestStream = stream;
    return stream;
  }

  @Override
  public String toString() {
    return epoch + "/" + stream + ":" + offset;
  }
}
