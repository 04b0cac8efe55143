package com.datanadhi.hub.control;

import org.jspecify.annotations.Nullable;

/// A key that was just created. Its text is shown once: only its SHA-256 is kept.
///
/// @param key the text to send
public record NewApiKey(String id, String tenant, @Nullable String name, String key) {
  @Override
  public String toString() {
    return "NewApiKey[id=" + id + ", tenant=" + tenant + "]";
  }
}
