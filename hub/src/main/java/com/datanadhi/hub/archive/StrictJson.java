package com.datanadhi.hub.archive;

import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Reads one small JSON object of the archive. Each member has to be there once, with the right
/// type, and there may be no others.
final class StrictJson {
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();
  private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

  private final String object;
  private final JsonNode members;

  /// @param object the key of the object, for messages
  StrictJson(String object, byte[] text, Set<String> names) throws ArchiveFaultException {
    this.object = object;
    try {
      members = JSON.readTree(text);
    } catch (JacksonException notJson) {
      throw new ArchiveFaultException(
          object, "is not the JSON object that the hub wrote: " + notJson.getOriginalMessage());
    }
    Set<String> found = new TreeSet<>(members.propertyNames());
    if (!members.isObject() || !found.equals(names)) {
      throw new ArchiveFaultException(
          object, "has the members " + found + " instead of " + new TreeSet<>(names));
    }
    long format = number("format");
    if (format != 1) {
      throw new ArchiveFaultException(
          object,
          "has the format " + format + ", which this version does not know: update the hub");
    }
  }

  /// A whole number that is not negative.
  long number(String name) throws ArchiveFaultException {
    JsonNode member = members.get(name);
    if (!member.isIntegralNumber() || !member.canConvertToLong() || member.longValue() < 0) {
      throw new ArchiveFaultException(object, name + " is no number of records or bytes");
    }
    return member.longValue();
  }

  String text(String name) throws ArchiveFaultException {
    JsonNode member = members.get(name);
    if (!member.isString()) {
      throw new ArchiveFaultException(object, name + " is no text");
    }
    return member.stringValue();
  }

  String sha256(String name) throws ArchiveFaultException {
    String text = text(name);
    if (!SHA256.matcher(text).matches()) {
      throw new ArchiveFaultException(object, name + " is no SHA-256 in lower-case hex");
    }
    return text;
  }

  @Nullable String sha256OrNull(String name) throws ArchiveFaultException {
    return members.get(name).isNull() ? null : sha256(name);
  }
}
