package com.datanadhi.hub.http;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// A method and a path.
///
/// @param method `GET` (which also serves `HEAD`) or `POST`
/// @param template the path, with parameters in braces
/// @param whileStopping whether it is also served during a shutdown
/// @param problems how its errors are answered
record Route(
    String method,
    String template,
    boolean whileStopping,
    RouteHandler handler,
    ProblemForm problems) {
  /// The segments of the path that are parameters, if the path fits.
  ///
  /// @param segments of the path, percent-encoded
  /// @return null if it does not fit
  @Nullable List<String> match(List<String> segments) {
    List<String> own = segments(template);
    if (own.size() != segments.size()) {
      return null;
    }
    List<String> parameters = new java.util.ArrayList<>();
    for (int i = 0; i < own.size(); i++) {
      if (own.get(i).startsWith("{")) {
        parameters.add(segments.get(i));
      } else if (!own.get(i).equals(segments.get(i))) {
        return null;
      }
    }
    return parameters;
  }

  /// The parts between the slashes; not normalized, so that `..` is a name like any other.
  static List<String> segments(String path) {
    return List.of(path.split("/", -1));
  }
}
