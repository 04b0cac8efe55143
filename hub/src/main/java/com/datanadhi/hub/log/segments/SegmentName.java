package com.datanadhi.hub.log.segments;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The name of a segment's files, without their ending.
record SegmentName(UUID epoch, long firstOffset) implements Comparable<SegmentName> {
  static final String LOG = ".log";
  static final String INDEX = ".idx";

  /// A damaged segment that nobody needs any more. Nothing reads it.
  static final String DAMAGED = ".damaged";

  /// An empty file in the place of a segment that was deleted while an older one stays.
  static final String DELETED = ".deleted";

  /// Files that mean nothing after a restart.
  static final String TEMPORARY = ".new";

  private static final Pattern NAME =
      Pattern.compile("([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-([0-9]{20})(\\.[a-z]+)");

  static Optional<SegmentName> parse(String fileName, String ending) {
    Matcher matcher = NAME.matcher(fileName);
    if (!matcher.matches() || !matcher.group(3).equals(ending)) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          new SegmentName(UUID.fromString(matcher.group(1)), Long.parseLong(matcher.group(2))));
    } catch (NumberFormatException tooLarge) {
      return Optional.empty();
    }
  }

  Path in(Path directory, String ending) {
    return directory.resolve(this + ending);
  }

  @Override
  public int compareTo(SegmentName other) {
    int byOffset = Long.compare(firstOffset, other.firstOffset);
    return byOffset != 0 ? byOffset : epoch.compareTo(other.epoch);
  }

  @Override
  public String toString() {
    return String.format(Locale.ROOT, "%s-%020d", epoch, firstOffset);
  }
}
