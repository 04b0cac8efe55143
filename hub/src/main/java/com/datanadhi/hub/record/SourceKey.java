package com.datanadhi.hub.record;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// A key `<source>-<n>`: the record with the number n of a source, which is one run of an agent or
/// of an SDK.
///
/// @param source a UUID (36 characters) or 32 lower-case hex digits
/// @param number 1 to 10^18 - 1
public record SourceKey(String source, long number) {
  private static final Pattern FORM =
      Pattern.compile(
          "([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|[0-9a-f]{32})-([1-9][0-9]{0,17})");

  /// The parts of `key`, or null if it belongs to no source.
  public static @Nullable SourceKey parse(String key) {
    if (key.length() < 34) {
      return null;
    }
    Matcher form = FORM.matcher(key);
    return form.matches() ? new SourceKey(form.group(1), Long.parseLong(form.group(2))) : null;
  }
}
