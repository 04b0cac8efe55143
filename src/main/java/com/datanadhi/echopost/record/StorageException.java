package com.datanadhi.echopost.record;

/// The buffer cannot be used; the message says what is wrong and how to mend it. What was accepted
/// is still on disk.
public class StorageException extends Exception {
  private static final long serialVersionUID = 1L;

  /// @param message one line
  public StorageException(String message) {
    super(message);
  }

  /// @param message one line
  /// @param cause what SQLite or the file system said
  public StorageException(String message, Throwable cause) {
    super(message, cause);
  }

  /// Whether the same may succeed a moment later: the disk is full, or another process holds a
  /// lock.
  public boolean isTransient() {
    return this instanceof Full || this instanceof Busy;
  }

  /// Whether the file was found damaged. If an open buffer throws it, the damaged file is set aside
  /// and a new one is in place: the operation was not done, and there is something to salvage.
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

  /// The file is not a sound database of ours.
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
