package com.datanadhi.hub.objects;

/// The rule for keys of objects, which makes them safe as paths of files.
final class ObjectKeys {
  private static final int MAX_NAME = 200;

  /// S3 has 1,024, of which a store's own prefix takes a part.
  private static final int MAX_KEY = 800;

  private ObjectKeys() {}

  /// @throws IllegalArgumentException it is no key
  static void check(String key) {
    if (!isKey(key)) {
      throw new IllegalArgumentException("not a key of an object: '" + key + "'");
    }
  }

  static boolean isKey(String key) {
    if (key.length() > MAX_KEY) {
      return false;
    }
    for (String name : key.split("/", -1)) {
      if (!isName(name)) {
        return false;
      }
    }
    return true;
  }

  /// @throws IllegalArgumentException it is neither empty nor names that end with `/`
  static void checkPrefix(String prefix) {
    if (!prefix.isEmpty()) {
      if (!prefix.endsWith("/")) {
        throw new IllegalArgumentException("a prefix ends with '/': '" + prefix + "'");
      }
      check(prefix.substring(0, prefix.length() - 1));
    }
  }

  static boolean isName(String name) {
    if (name.isEmpty() || name.length() > MAX_NAME || name.startsWith(".")) {
      return false;
    }
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      boolean letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      if (!letter && c != '.' && c != '_' && c != '-' && c != ':') {
        return false;
      }
    }
    return true;
  }
}
