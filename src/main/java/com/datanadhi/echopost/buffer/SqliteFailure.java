package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.record.StorageException;
import java.sql.SQLException;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/// Failures of SQLite as [StorageException].
final class SqliteFailure {
  private SqliteFailure() {}

  /// The failure of a statement, by SQLite's result code.
  ///
  /// @param doing what failed, for the message
  static StorageException of(String doing, SQLException failed) {
    String message = "the buffer failed while " + doing + ": " + failed.getMessage();
    if (failed instanceof SQLiteException sqlite
        && sqlite.getResultCode() == SQLiteErrorCode.SQLITE_IOERR_SHORT_READ) {
      // The device is sound: the file ends before the page.
      return new StorageException.Corrupted(message, failed);
    }
    if (failed instanceof SQLiteException sqlite
        && sqlite.getResultCode() == SQLiteErrorCode.SQLITE_IOERR_SHMSIZE) {
      // There is no disk space for the log's index.
      return new StorageException.Full(failed);
    }
    return switch (resultCode(failed)) {
      case 13 -> new StorageException.Full(failed);
      case 5, 6 -> new StorageException.Busy(failed);
      case 11, 26 -> new StorageException.Corrupted(message, failed);
      default -> new StorageException(message, failed);
    };
  }

  /// The failure of a statement while the buffer is opened. A statement that SQLite cannot compile
  /// means that the schema is damaged.
  static StorageException ofOpening(SQLException failed) {
    StorageException kind = of("opening buffer.db", failed);
    return resultCode(failed) == 1
        ? new StorageException.Corrupted(String.valueOf(kind.getMessage()), failed)
        : kind;
  }

  /// SQLite's primary result code; 0 when the failure is not SQLite's.
  static int resultCode(SQLException failed) {
    return failed instanceof SQLiteException sqlite ? sqlite.getResultCode().code & 0xFF : 0;
  }

  /// Closes a resource after `failure`, and adds a failure of the close to it as suppressed.
  static void closeAfter(Exception failure, AutoCloseable resource) {
    try {
      resource.close();
    } catch (Exception alsoFailed) {
      failure.addSuppressed(alsoFailed);
    }
  }
}
