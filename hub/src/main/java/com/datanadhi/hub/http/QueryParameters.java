package com.datanadhi.hub.http;

import java.nio.charset.CharacterCodingException;
import java.time.DateTimeException;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The parameters of a query. Each can be given once; others than the known ones are refused, so
/// that a misspelled one is not passed over in silence.
final class QueryParameters {
  private static final DateTimeFormatter MINUTES = DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm");

  private final Map<String, String> values;

  private QueryParameters(Map<String, String> values) {
    this.values = values;
  }

  static QueryParameters parse(@Nullable String query, List<String> known) throws ProblemException {
    Map<String, String> values = new HashMap<>();
    for (String pair : query == null || query.isEmpty() ? new String[0] : query.split("&", -1)) {
      int equals = pair.indexOf('=');
      String name;
      String value;
      try {
        name = PercentDecoder.decode(equals < 0 ? pair : pair.substring(0, equals), true);
        value = equals < 0 ? "" : PercentDecoder.decode(pair.substring(equals + 1), true);
      } catch (CharacterCodingException e) {
        throw bad("The query is not percent-encoded UTF-8 at `" + pair + "`. Encode it.");
      }
      if (!known.contains(name)) {
        throw bad(
            "There is no query parameter `%s` here. Those known are: %s."
                .formatted(name, String.join(", ", known)));
      }
      if (values.put(name, value) != null) {
        throw bad("The query parameter `" + name + "` is there twice. Send it once.");
      }
    }
    return new QueryParameters(values);
  }

  boolean has(String name) {
    return values.containsKey(name);
  }

  @Nullable String text(String name) {
    return values.get(name);
  }

  long number(String name, long missing, long least, long most) throws ProblemException {
    String value = values.get(name);
    if (value == null) {
      return missing;
    }
    if (value.matches("[0-9]{1,18}")) {
      long number = Long.parseLong(value);
      if (number >= least && number <= most) {
        return number;
      }
    }
    throw bad(
        "The query parameter `%s` is `%s`. It must be a whole number from %d to %d."
            .formatted(name, value, least, most));
  }

  boolean flag(String name) throws ProblemException {
    String value = values.get(name);
    if (value == null || value.equals("false")) {
      return false;
    }
    if (value.equals("true")) {
      return true;
    }
    throw bad("The query parameter `%s` is `%s`. It must be true or false.".formatted(name, value));
  }

  /// A moment in milliseconds since 1970, or null.
  @Nullable Long time(String name) throws ProblemException {
    String value = values.get(name);
    if (value == null) {
      return null;
    }
    try {
      if (value.length() == 16) {
        return LocalDateTime.parse(value, MINUTES).toInstant(ZoneOffset.UTC).toEpochMilli();
      }
      // In a query, the plus of an offset that was not encoded is a space.
      return OffsetDateTime.parse(value.replace(' ', '+')).toInstant().toEpochMilli();
    } catch (DateTimeException | ArithmeticException e) {
      throw bad(
          "The query parameter `%s` is `%s`. Send a time like 2024-01-15T14:30:00Z (RFC 3339) or 2024-01-15 14:30 (UTC)."
              .formatted(name, value));
    }
  }

  static ProblemException bad(String detail) {
    return new ProblemException(Problem.badRequest(detail));
  }
}
