package com.datanadhi.hub.cli;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.Objects;

/// Says what the system refused in words: the message of an exception is often only a file's name.
final class Failure {
  private Failure() {}

  /// The file, what is wrong with it, and what to do.
  static String text(IOException failed) {
    return switch (failed) {
      case AccessDeniedException denied ->
          denied.getFile()
              + ": "
              + reason(denied)
              + ": run the command as the user of the hub, or as root";
      case FileSystemException refused -> refused.getFile() + ": " + reason(refused);
      default -> Objects.requireNonNullElse(failed.getMessage(), failed.toString());
    };
  }

  /// What the system said, without the name of the file.
  static String reason(FileSystemException refused) {
    return switch (refused) {
      case AccessDeniedException _ -> "Permission denied";
      case NoSuchFileException _ -> "No such file or directory";
      default -> Objects.requireNonNullElse(refused.getReason(), refused.toString());
    };
  }
}
