package com.datanadhi.echopost.directory;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;

/// The session directories, one a run: `session-YYYY-MM-DDTHH-MM-SSZ`, with `-2`, `-3` and so on
/// for runs that started in the same second. The newest 20 are kept.
public final class Sessions {
  static final int KEPT = 20;
  private static final DateTimeFormatter NAME =
      DateTimeFormatter.ofPattern(
              "'" + DirectoryLayout.SESSION_PREFIX + "'uuuu-MM-dd'T'HH-mm-ss'Z'")
          .withZone(ZoneOffset.UTC);

  private Sessions() {}

  /// Creates this run's directory (mode 0700).
  public static Path create(Path parent, Instant now) throws IOException {
    String name = NAME.format(now);
    for (int n = 1; ; n++) {
      Path directory = parent.resolve(n == 1 ? name : name + "-" + n);
      try {
        return Files.createDirectory(
            directory,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      } catch (FileAlreadyExistsException taken) {
        // Another run started in the same second.
      }
    }
  }

  /// Creates a file (mode 0600) in a session's directory.
  public static void write(Path file, String text) throws IOException {
    Files.createFile(
        file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(file, text, StandardOpenOption.WRITE);
  }

  /// The session directories in `parent`, oldest first.
  public static List<Path> list(Path parent) throws IOException {
    List<Path> sessions = new ArrayList<>();
    try (DirectoryStream<Path> entries =
        Files.newDirectoryStream(parent, DirectoryLayout.SESSION_PREFIX + "*")) {
      for (Path entry : entries) {
        if (DirectoryLayout.isSession(String.valueOf(entry.getFileName()))
            && Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
          sessions.add(entry);
        }
      }
    }
    // The lambdas of a composed comparator would be linked at each start.
    sessions.sort((a, b) -> {
      int bySecond = second(a).compareTo(second(b));
      return bySecond != 0 ? bySecond : Integer.compare(number(a), number(b));
    });
    return sessions;
  }

  /// Deletes all but the newest [#KEPT] session directories, with the plain files in them. A
  /// directory that contains anything else is not deleted.
  ///
  /// @param own this run's directory, which counts as the newest even if the clock was set back
  /// @throws IOException when some could not be deleted; all others are deleted
  public static void prune(Path parent, Path own) throws IOException {
    List<Path> sessions = list(parent);
    boolean _ = sessions.remove(own);
    IOException failure = new IOException("some old sessions could not be deleted");
    for (Path old : sessions.subList(0, Math.max(0, sessions.size() + 1 - KEPT))) {
      try {
        delete(old);
      } catch (IOException kept) {
        failure.addSuppressed(kept);
      }
    }
    if (failure.getSuppressed().length > 0) {
      throw failure;
    }
  }

  private static void delete(Path session) throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(session)) {
      for (Path file : files) {
        if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
          Files.delete(file);
        }
      }
    }
    Files.delete(session);
  }

  private static String second(Path session) {
    return match(session).group(1);
  }

  private static int number(Path session) {
    String number = match(session).group(2);
    return number == null ? 1 : Integer.parseInt(number);
  }

  private static Matcher match(Path session) {
    Matcher matcher = DirectoryLayout.sessionName(String.valueOf(session.getFileName()));
    if (!matcher.matches()) {
      throw new IllegalArgumentException(session.toString());
    }
    return matcher;
  }
}
