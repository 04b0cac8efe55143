package com.datanadhi.sdk.internal.json;

/**
 * Recognises the JSON values of Jackson 2 and 3, Gson and JSON-P, whose {@code toString} is JSON.
 * The SDK does not depend on these libraries, so it compares the names of classes. Thread-safe.
 */
final class JsonTrees {
  /**
   * Ends of names, because an application can relocate these libraries; so does the SDK with its
   * own copy of Gson, and with each string that begins as Gson's packages do.
   */
  private static final String JACKSON = ".jackson.databind.JsonNode";

  private static final String GSON = ".google.gson.JsonElement";

  private JsonTrees() {}

  /** Whether the value is a JSON value of one of these libraries. */
  static boolean contains(Object value) {
    for (Class<?> type = value.getClass();
        type != null && !type.getName().startsWith("java.");
        type = type.getSuperclass()) {
      String name = type.getName();
      if (name.endsWith(JACKSON) || name.endsWith(GSON) || isJsonP(type)) {
        return true;
      }
    }
    return false;
  }

  private static boolean isJsonP(Class<?> type) {
    for (Class<?> parent : type.getInterfaces()) {
      String name = parent.getName();
      if (name.equals("jakarta.json.JsonValue")
          || name.equals("javax.json.JsonValue")
          || isJsonP(parent)) {
        return true;
      }
    }
    return false;
  }
}
