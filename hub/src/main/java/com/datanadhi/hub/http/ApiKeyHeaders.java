package com.datanadhi.hub.http;

import java.util.LinkedHashSet;
import java.util.Set;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpFields;
import org.jspecify.annotations.Nullable;

/// Finds the API key of a request. Senders in the field use several headers, and a proxy may add
/// one of them: the same key several times is no error.
final class ApiKeyHeaders {
  private static final String BEARER = "bearer ";

  private ApiKeyHeaders() {}

  /// The key, or null if there is none.
  static @Nullable String find(HttpFields headers) throws ProblemException {
    Set<String> keys = new LinkedHashSet<>();
    for (HttpField field : headers) {
      String value = field.getValue();
      if (value == null) {
        continue;
      }
      String name = field.getName();
      if (name.equalsIgnoreCase("DATANADHI-API-KEY")
          || name.equalsIgnoreCase("DATANADHI_API_KEY")
          || name.equalsIgnoreCase("X-DATANADHI-API-KEY")) {
        keys.add(value.strip());
      } else if (name.equalsIgnoreCase("Authorization")
          && value.regionMatches(true, 0, BEARER, 0, BEARER.length())) {
        keys.add(value.substring(BEARER.length()).strip());
      }
    }
    keys.remove("");
    if (keys.size() > 1) {
      throw unauthorized(
          "The request has "
              + keys.size()
              + " different API keys in its headers. Send one key, in one header.");
    }
    return keys.isEmpty() ? null : keys.iterator().next();
  }

  static ProblemException unauthorized(String detail) {
    return new ProblemException(new Problem(401, "Unauthorized", detail, "", null));
  }
}
