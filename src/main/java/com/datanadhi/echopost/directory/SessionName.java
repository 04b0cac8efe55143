package com.datanadhi.echopost.directory;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.regex.Matcher;
import org.jspecify.annotations.Nullable;

/// The name of a session's directory: the second of its start in UTC, then `-N` if that does not
/// place it after all earlier sessions. Names are ordered as their sessions were created, whatever
/// the clock showed, and so are copies of them.
///
/// @param second with the prefix
/// @param number from 2 to 1000: the sessions of one second, of which the first has none. From 1001
///   on: how often a session began with the clock behind that of the session before; each number is
///   newer than all smaller ones, and the sessions of one number are ordered by their seconds. 0 if
///   the name has no number
record SessionName(String second, int number) implements Comparable<SessionName> {
  private static final int LAST_WITHIN_SECOND = 1_000;
  private static final DateTimeFormatter SECOND =
      DateTimeFormatter.ofPattern(
              "'" + DirectoryLayout.SESSION_PREFIX + "'uuuu-MM-dd'T'HH-mm-ss'Z'")
          .withZone(ZoneOffset.UTC);

  /// Parses the name of a directory.
  ///
  /// @return null if it is not that of a session
  static @Nullable SessionName parse(String name) {
    Matcher parts = DirectoryLayout.sessionName(name);
    if (!parts.matches()) {
      return null;
    }
    String number = parts.group(2);
    return new SessionName(parts.group(1), number == null ? 0 : Integer.parseInt(number));
  }

  /// The name of a session that starts now.
  ///
  /// @param newest the newest so far; null if there is none
  static SessionName next(@Nullable SessionName newest, Instant now) {
    String second = SECOND.format(now);
    if (newest == null) {
      return new SessionName(second, 0);
    }
    int order = second.compareTo(newest.second);
    if (order > 0) {
      return new SessionName(second, newest.turn());
    }
    return order == 0 && newest.number < LAST_WITHIN_SECOND
        ? new SessionName(second, Math.max(2, newest.number + 1))
        : new SessionName(second, Math.max(LAST_WITHIN_SECOND, newest.number) + 1);
  }

  private int turn() {
    return number > LAST_WITHIN_SECOND ? number : 0;
  }

  @Override
  public int compareTo(SessionName other) {
    int byTurn = Integer.compare(turn(), other.turn());
    int bySecond = byTurn != 0 ? byTurn : second.compareTo(other.second);
    return bySecond != 0 ? bySecond : Integer.compare(number, other.number);
  }

  @Override
  public String toString() {
    return number == 0 ? second : second + "-" + number;
  }
}
