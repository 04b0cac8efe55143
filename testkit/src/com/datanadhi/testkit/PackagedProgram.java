package com.datanadhi.testkit;

import java.nio.file.Files;
import java.nio.file.Path;

/// The packaged program that the tests run. Thread-safe.
public final class PackagedProgram {
  /// The environment variable for the directory into which the program unpacks itself.
  public static final String RUNTIME_DIR = "ECHOPOST_RUNTIME_DIR";

  private PackagedProgram() {}

  /// The file that the system property `echopost.program` names, else `target/echopost` in the
  /// working directory or the closest directory above it.
  public static Path path() {
    String property = System.getProperty("echopost.program");
    if (property != null) {
      return Path.of(property).toAbsolutePath().normalize();
    }
    Path start = Path.of("").toAbsolutePath();
    for (Path directory = start; directory != null; directory = directory.getParent()) {
      Path program = directory.resolve("target/echopost");
      if (Files.isRegularFile(program)) {
        return program;
      }
    }
    return start.resolve("target/echopost");
  }

  /// A directory beside the program into which the tests let it unpack itself, so that they do not
  /// use the user's cache.
  public static Path runtimeDirectory() {
    return path().resolveSibling("unpacked");
  }
}
