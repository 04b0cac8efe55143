package com.datanadhi.hub.archive;

import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The names in the JSON array of a record's pipelines. Records that follow each other mostly have
/// the same. Not thread-safe.
final class PipelineNames {
  private static final JsonMapper JSON = JsonMapper.shared();

  private String latest = "[]";
  private List<String> names = List.of();

  /// The names.
  ///
  /// @throws IllegalArgumentException it is no array of strings as the hub writes it
  List<String> of(String json) {
    if (!json.equals(latest)) {
      names = parse(json);
      latest = json;
    }
    return names;
  }

  private static List<String> parse(String json) {
    List<String> names = new ArrayList<>();
    try {
      JsonNode array = JSON.readTree(json);
      boolean isStrings = array.isArray();
      for (JsonNode name : array) {
        isStrings &= name.isString();
        names.add(name.asString(""));
      }
      if (isStrings && JSON.writeValueAsString(names).equals(json)) {
        return names;
      }
    } catch (JacksonException notJson) {
      throw new IllegalArgumentException("pipelines is not JSON", notJson);
    }
    throw new IllegalArgumentException("pipelines is no array of strings as the hub writes it");
  }
}
