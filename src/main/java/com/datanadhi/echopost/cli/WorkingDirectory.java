package com.datanadhi.echopost.cli;

import java.nio.file.Path;

/// The directory in which the program was started, to which relative paths refer.
public final class WorkingDirectory {
  /// A system property that the launcher sets to true if the working directory was deleted or is
  /// not accessible. No JVM starts there, so the launcher has left it.
  private static final String IS_MISSING = "echopost.no_working_directory";

  private WorkingDirectory() {}

  /// Checks that `path`, which the user gave, has a meaning.
  ///
  /// @throws UsageException if it is relative and the working directory is missing
  public static void require(Path path) throws UsageException {
    if (!path.isAbsolute() && Boolean.getBoolean(IS_MISSING)) {
      throw new UsageException(
          "the working directory no longer exists or is not accessible, so "
              + path
              + " cannot be found: give an absolute path, or start in another directory");
    }
  }
}
