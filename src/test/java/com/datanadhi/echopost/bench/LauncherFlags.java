package com.datanadhi.echopost.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// The JVM flags that the launcher starts the agent with.
final class LauncherFlags {
  private LauncherFlags() {}

  /// Reads the flags from `scripts/jvm-flags`, so that the JVMs of the floors have them too.
  static List<String> read(Path file) throws IOException {
    return Files.readAllLines(file).stream()
        .filter(line -> !line.isBlank() && !line.startsWith("#"))
        .toList();
  }
}
