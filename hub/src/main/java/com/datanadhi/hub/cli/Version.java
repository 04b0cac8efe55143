package com.datanadhi.hub.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/// The version of this program.
final class Version {
  private static final String RESOURCE = "/META-INF/echopost-hub/VERSION";

  private Version() {}

  /// Such as `v1.0.0`; `development` in a build without the file VERSION.
  static String text() {
    try (InputStream in = Version.class.getResourceAsStream(RESOURCE)) {
      return in == null
          ? "development"
          : new String(in.readAllBytes(), StandardCharsets.US_ASCII).strip();
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }
}
