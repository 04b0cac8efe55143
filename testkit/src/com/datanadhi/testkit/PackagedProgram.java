package com.datanadhi.testkit;

import java.nio.file.Files;
import java.nio.file.Path;

/// The packaged programs that the tests run. Thread-safe.
public final class PackagedProgram {
  /// The environment variable for the directory into which the programs unpack themselves.
  public static final String RUNTIME_DIR = "ECHOPOST_RUNTIME_DIR";

  private PackagedProgram() {}

  /// The agent: the file that the system property `echopost.program` names, else `target/echopost`
  /// in the working directory or the closest directory above it.
  public static Path path() {
    return find("echopost.program", "target/echopost");
  }

  /// The hub: the file that the system property `echopost.hub` names, else `target/echopost-hub`,
  /// which is looked for in the same way.
  public static Path hub() {
    return find("echopost.hub", "target/echopost-hub");
  }

  private static Path find(String property, String file) {
    String named = System.getProperty(property);
    if (named != null) {
      return Path.of(named).toAbsolutePath().normalize();
    }
    Path start = Path.of("").toAbsolutePath();
    for (Path directory = start; directory != null; directory = directory.getParent()) {
      Path program = directory.resolve(file);
      if (Files.isRegularFile(program)) {
        return program;
      }
    }
    return start.resolve(file);
  }

  /// A directory beside the agent into which the tests let the programs unpack themselves, so that
  /// they do not use the user's cache.
  public static Path runtimeDirectory() {
    return path().resolveSibling("unpacked");
  }
}
