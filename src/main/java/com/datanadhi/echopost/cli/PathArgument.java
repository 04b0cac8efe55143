package com.datanadhi.echopost.cli;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/// A path in the arguments or the environment. Java decodes such texts by the encoding of the
/// system's locale, which the launcher sets to UTF-8, and cannot name a file by other bytes.
public final class PathArgument {
  /// A system property that the launcher sets to true if the working directory was deleted or is
  /// not accessible. No JVM starts there, so the launcher has left it.
  private static final String NO_WORKING_DIRECTORY = "echopost.no_working_directory";

  /// What Java decodes bytes to that are not UTF-8.
  private static final String UNDECODABLE = "\ufffd";

  private PathArgument() {}

  /// The path `text`, which is the value of `name`.
  ///
  /// @throws UsageException if Java cannot name that file, or if the path is relative and there is
  ///   no working directory
  public static Path parse(String name, String text) throws UsageException {
    try {
      Path path = Path.of(text);
      if (path.toAbsolutePath().toString().contains(UNDECODABLE)) {
        throw new UsageException(
            name
                + " is '"
                + text
                + "': its absolute path has bytes that are not UTF-8; rename that directory or"
                + " file");
      }
      if (!path.isAbsolute() && Boolean.getBoolean(NO_WORKING_DIRECTORY)) {
        throw new UsageException(
            "the working directory no longer exists or is not accessible, so "
                + path
                + " cannot be found: give an absolute path, or start in another directory");
      }
      return path;
    } catch (InvalidPathException bad) {
      throw new UsageException(name + " is not a path (" + bad.getReason() + ")");
    }
  }
}
