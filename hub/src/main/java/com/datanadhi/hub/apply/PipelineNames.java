package com.datanadhi.hub.apply;

import java.util.List;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/// The names in the JSON array of a record's pipelines. Records that follow each other mostly have
/// the same. Not thread-safe.
final class PipelineNames {
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final TypeReference<List<String>> NAMES = new TypeReference<>() {};

  private String latest = "[]";
  private List<String> names = List.of();

  List<String> of(String json) {
    if (!json.equals(latest)) {
      names = JSON.readValue(json, NAMES);
      latest = json;
    }
    return names;
  }
}
