package com.datanadhi.echopost.buffer;

import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;

/// The names under which files are set aside, beside the file whose place they had.
final class SetAsideName {
  private static final DateTimeFormatter STAMP =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH-mm-ss'Z'").withZone(ZoneOffset.UTC);

  private SetAsideName() {}

  /// The name of `file` with `infix` and the time, and `-2`, `-3` and so on if that is taken.
  ///
  /// @return an absolute path that does not exist
  static Path of(Path file, String infix, Instant now) {
    String name = file.getFileName() + infix + STAMP.format(now);
    Path free = file.resolveSibling(name).toAbsolutePath();
    for (int n = 2; Files.exists(free, LinkOption.NOFOLLOW_LINKS); n++) {
      free = file.resolveSibling(name + "-" + n).toAbsolutePath();
    }
    return free;
  }
}
