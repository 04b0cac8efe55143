package com.datanadhi.hub.view;

import com.datanadhi.hub.view.ViewException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/// An open connection of the pool. Used by one thread at a time.
final class Handle {
  private final Sqlite sqlite;
  private final Tables tables;
  private final @Nullable Object fileKey;
  private final @Nullable Object walKey;
  private boolean leased;
  private boolean shrink;

  Handle(Sqlite sqlite, Tables tables) throws ViewException {
    this.sqlite = sqlite;
    this.tables = tables;
    fileKey = key(sqlite.file());
    walKey = key(wal(sqlite.file()));
  }

  static Path wal(Path file) {
    return file.resolveSibling(file.getFileName() + "-wal");
  }

  Sqlite sqlite() {
    return sqlite;
  }

  Tables tables() {
    return tables;
  }

  /// Whether the database file is still the one that was opened. SQLite would go on reading and
  /// writing a file that has been deleted.
  boolean hasItsFile() throws ViewException {
    Object now = key(sqlite.file());
    return now != null && now.equals(fileKey);
  }

  /// Whether the database file and its write-ahead log are still those that were opened.
  boolean hasItsFiles() throws ViewException {
    Object now = key(wal(sqlite.file()));
    return (walKey == null || walKey.equals(now)) && hasItsFile();
  }

  private static @Nullable Object key(Path file) throws ViewException {
    try {
      return Files.readAttributes(file, BasicFileAttributes.class).fileKey(); // device and inode
    } catch (NoSuchFileException missing) {
      return null;
    } catch (IOException unreadable) {
      throw new ViewException(Kind.UNAVAILABLE, file + ": " + unreadable, unreadable);
    }
  }

  // What follows is guarded by the pool's lock.

  boolean leased() {
    return leased;
  }

  void leased(boolean now) {
    leased = now;
  }

  /// Whether its page cache is to become small when it is given back.
  boolean shrink() {
    return shrink;
  }

  void shrink(boolean wanted) {
    shrink = wanted;
  }
}
