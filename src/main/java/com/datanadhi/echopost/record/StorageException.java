package com.datanadhi.echopost.record;

/// The buffer cannot be used. The message names the cause, and the fix where that is known. Records
/// that were accepted are still on the disk.
public class StorageException extends Exception {
  private static final long serialVersionUID = 1L;

  /// @param message one line
  public StorageException(String message) {
    super(message);
  }

  /// @param message one line
  /// @param cause the failure of SQLite or of the file system
  public StorageException(String message, Throwable cause) {
    super(message, cause);
  }

  /// Whether the same operation may succeed later: the disk is full, another process holds a lock,
  /// or the buffer is not back under its name yet.
  public boolean isTransient() {
    return this instanceof Full || this instanceof Busy || this instanceof Nameless;
  }

  /// Whether the file was found damaged. If an open buffer throws this, the operation was not done,
  /// the damaged file is quarantined, a new one is in its place, and there are records to salvage.
  public boolean isCorruption() {
    return this instanceof Corrupted;
  }

  /// The file system is full.
  public static final class Full extends StorageException {
    private static final long serialVersionUID = 1L;

    public Full() {
      super("the disk is full");
    }

    public Full(Throwable cause) {
      super("the disk is full", cause);
    }
  }

  /// Another process holds a lock on the database.
  public static final class Busy extends StorageException {
    private static final long serialVersionUID = 1L;

    public Busy(Throwable cause) {
      super(
          "another process holds a write lock on buffer.db: close it; to look inside, open it with"
              + " sqlite3 -readonly",
          cause);
    }
  }

  /// The open files have lost their names, and could not be put back yet.
  public static final class Nameless extends StorageException {
    private static final long serialVersionUID = 1L;

    public Nameless(Throwable cause) {
      super(
          "another process deleted files of the buffer, and they cannot be put back yet: "
              + cause.getMessage(),
          cause);
    }
  }

  /// The names of the open files lead elsewhere, and the buffer cannot stay in use.
  public static final class Lost extends StorageException {
    private static final long serialVersionUID = 1L;

    public Lost(String message) {
      super(message);
    }
  }

  /// The file is not a sound buffer.
  public static final class Corrupted extends StorageException {
    private static final long serialVersionUID = 1L;

    public Corrupted(String message) {
      super(message);
    }

    public Corrupted(String message, Throwable cause) {
      super(message, cause);
    }
  }
}
