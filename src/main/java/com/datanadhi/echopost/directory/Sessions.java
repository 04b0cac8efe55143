package com.datanadhi.echopost.directory;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/// The session directories, one a run: `session-YYYY-MM-DDTHH-MM-SSZ`, with `-N` where the time
/// does not place a run after the earlier ones ([SessionName]). The newest 20 are kept.
public final class Sessions {
  static final int KEPT = 20;

  private Sessions() {}

  /// Creates this run's directory (mode 0700) under the name of [#choose].
  public static Path create(Path parent, Instant now) throws IOException {
    return Files.createDirectory(
        choose(parent, now),
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
  }

  /// The name for this run's directory: after all others in the order of [#list], even if the clock
  /// was set back.
  public static Path choose(Path parent, Instant now) throws IOException {
    List<SessionName> earlier = names(parent);
    SessionName name = SessionName.next(earlier.isEmpty() ? null : earlier.getLast(), now);
    Path session = parent.resolve(name.toString());
    // A file that is no session can have the name.
    while (Files.exists(session, LinkOption.NOFOLLOW_LINKS)) {
      name = SessionName.next(name, now);
      session = parent.resolve(name.toString());
    }
    return session;
  }

  /// Deletes the oldest session directory that can be deleted, to make room for a start.
  ///
  /// @return whether there was one
  public static boolean deleteOldest(Path parent) throws IOException {
    for (Path session : list(parent)) {
      try {
        delete(session);
        return true;
      } catch (IOException kept) {
        // It contains a directory, for example.
      }
    }
    return false;
  }

  /// Creates a file (mode 0600) in a session's directory.
  public static void write(Path file, String text) throws IOException {
    Files.createFile(
        file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(file, text, StandardOpenOption.WRITE);
  }

  /// The session directories in `parent`, in the order in which they were created.
  public static List<Path> list(Path parent) throws IOException {
    List<Path> sessions = new ArrayList<>();
    for (SessionName name : names(parent)) {
      sessions.add(parent.resolve(name.toString()));
    }
    return sessions;
  }

  private static List<SessionName> names(Path parent) throws IOException {
    List<SessionName> names = new ArrayList<>();
    try (DirectoryStream<Path> entries =
        Files.newDirectoryStream(parent, DirectoryLayout.SESSION_PREFIX + "*")) {
      for (Path entry : entries) {
        SessionName name = SessionName.parse(String.valueOf(entry.getFileName()));
        if (name != null && Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
          names.add(name);
        }
      }
    }
    Collections.sort(names);
    return names;
  }

  /// Deletes all but the newest [#KEPT] session directories, with the plain files in them. A
  /// directory that contains anything else is not deleted.
  ///
  /// @param own this run's directory, which is kept
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
}
