package com.datanadhi.hub.record;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// `<first 8 hex digits of the epoch>/<stream>:<offset>`, the name of one log record.
///
/// @param epoch its first 8 hex digits
public record Position(String epoch, String stream, long offset) {
  private static final Pattern FORM =
      Pattern.compile("([0-9a-f]{8})/(events-[0-9]{1,9}|control):([0-9]{1,18})");

  /// The parts of `text`, or null if it is no position.
  public static @Nullable Position parse(String text) {
    Matcher form = FORM.matcher(text);
    return form.matches()
        ? new Position(form.group(1), form.group(2), Long.parseLong(form.group(3)))
        : null;
  }

  @Override
  public String toString() {
    return epoch + "/" + stream + ":" + offset;
  }
}
