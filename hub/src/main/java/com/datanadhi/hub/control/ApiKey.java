package com.datanadhi.hub.control;

import org.jspecify.annotations.Nullable;

/// What is known of an API key; its text is not.
///
/// @param id short and random; names the key in commands
/// @param name given by the operator, or null
/// @param createdAt milliseconds since 1970
/// @param revokedAt milliseconds since 1970; null while it is valid
public record ApiKey(
    String id, String tenant, @Nullable String name, long createdAt, @Nullable Long revokedAt) {
  /// Whether it opens the door.
  public boolean isValid() {
    return revokedAt == null;
  }
}
