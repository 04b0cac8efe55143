package com.datanadhi.hub.http;

import com.datanadhi.hub.json.JsonText;
import java.util.Map;
import java.util.TreeMap;

/// What is wrong with lines of a batch, by their number from 1.
final class LineErrors {
  private final Map<Integer, Problem> errors = new TreeMap<>();

  void put(int line, Problem problem) {
    errors.putIfAbsent(line, problem);
  }

  int size() {
    return errors.size();
  }

  boolean isEmpty() {
    return errors.isEmpty();
  }

  /// `[{"line":1,"status":422,"title":…,"detail":…}]`.
  String json() {
    JsonText json = new JsonText().raw("[");
    String separator = "";
    for (Map.Entry<Integer, Problem> error : errors.entrySet()) {
      Problem problem = error.getValue();
      json.raw(separator).raw("{\"line\":").number(error.getKey());
      json.raw(",\"status\":").number(problem.status());
      json.raw(",\"title\":").string(problem.title());
      json.raw(",\"detail\":").string(problem.detail()).raw("}");
      separator = ",";
    }
    return json.raw("]").toString();
  }
}
