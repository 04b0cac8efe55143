package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.directory.PrivateFiles;
import com.datanadhi.echopost.directory.Volume;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.salvage.Watermark;
import com.datanadhi.echopost.time.Clock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Opens the files of a buffer: creates them, recovers what an earlier run left, and replaces a
/// file that is not a sound buffer.
final class BufferOpener {
  private static final long LOCK_WAIT_MILLIS = 1_000;

  private final Path directory;
  private final Path file;
  private final Volume volume;
  private final Clock clock;
  private final RecordKeys keys = new RecordKeys();
  private volatile boolean hasNames = true;
  private @Nullable Object unopenedCopy;

  /// The two connections to a sound buffer.
  ///
  /// @param wasDamaged whether the buffer is new, in the place of a damaged one
  record Connections(BufferWriter writer, PendingQuery query, boolean wasDamaged) {}

  /// @param volume the file system of `directory`
  BufferOpener(Path directory, Volume volume, Clock clock) {
    this.directory = directory;
    this.file = DirectoryLayout.buffer(directory);
    this.volume = volume;
    this.clock = clock;
  }

  /// Opens the buffer, creating it if there is none. A damaged one is quarantined.
  Connections open() throws StorageException, IOException {
    if (!Files.exists(file)) {
      checkSpace();
      PrivateFiles.syncDirectoriesAbove(directory);
      Quarantine.finishInterrupted(file, volume.walLimit());
    }
    PrivateFiles.createIfMissing(file);
    rewriteLog(directory);
    boolean damaged = false;
    while (true) {
      try {
        BufferWriter writer = openWriter();
        return new Connections(writer, PendingQuery.open(file, writer.bufferId()), damaged);
      } catch (StorageException.Full full) {
        // The reserve of an earlier run is for this too: delivery frees space.
        if (!DiskReserve.giveUp(directory)) {
          throw full;
        }
      } catch (StorageException.Corrupted broken) {
        if (damaged) {
          throw broken;
        }
        damaged = true;
      }
    }
  }

  private void checkSpace() throws StorageException, IOException {
    long needed = 2 * volume.walLimit();
    if (volume.usableBytes() < needed) {
      throw new StorageException(
          "no room for a buffer: "
              + directory
              + " needs "
              + (needed >> 20)
              + " MiB free; free some, or choose another directory with -datanadhi");
    }
  }

  /// Opens the connection that writes.
  ///
  /// @throws StorageException.Corrupted when the file was not a sound buffer; it is quarantined,
  ///   and there is a new one
  private BufferWriter openWriter() throws StorageException, IOException {
    Watermark.Mark mark = Watermark.read(file);
    Connection connection = null;
    try {
      if (mark != null && Files.size(file) == 0) {
        // SQLite would take it for a new file, and delete its log.
        throw new StorageException.Corrupted("buffer.db is empty, and was not");
      }
      connection = Database.connect(file);
      if (mark != null && !Schema.hasTables(connection)) {
        // SQLite ignores a log with a damaged header, and new tables would overwrite it.
        throw new StorageException.Corrupted("buffer.db has no tables, and had");
      }
      Database.prepareWriter(connection, volume.walLimit(), LOCK_WAIT_MILLIS);
      BufferWriter writer = new BufferWriter(connection, file, keys);
      if (mark != null && !writer.matches(mark)) {
        throw new StorageException.Corrupted(
            "buffer.db and its log are not those that were last written here");
      }
      writer.checkLedger();
      return writer;
    } catch (SQLException | StorageException failed) {
      StorageException kind =
          failed instanceof SQLException sql
              ? SqliteFailure.ofOpening(sql)
              : (StorageException) failed;
      if (kind.isCorruption()) {
        // Before the connection is closed, which would write its log into the file.
        Quarantine.replaceBuffer(file, volume.walLimit(), clock, kind, null);
      }
      if (connection != null) {
        SqliteFailure.closeAfter(kind, connection);
      }
      throw kind;
    }
  }

  /// Quarantines the file of `damaged` and puts a new buffer in its place.
  void quarantine(BufferWriter damaged, StorageException why) throws StorageException {
    try {
      Quarantine.replaceBuffer(file, volume.walLimit(), clock, why, damaged);
    } catch (IOException failed) {
      throw replaceFailure(failed);
    }
    SqliteFailure.closeAfter(why, damaged);
  }

  /// Opens the new buffer after [#quarantine].
  BufferWriter reopenWriter() throws StorageException {
    try {
      return openWriter();
    } catch (IOException failed) {
      throw replaceFailure(failed);
    }
  }

  /// From now on, [#restore] copies a buffer that has lost its name to another name. Any thread.
  void giveUpNames() {
    hasNames = false;
  }

  /// Puts the buffer of `open` back under its name, from which another process has deleted or
  /// replaced one of its files, opens it there, and closes `open`.
  ///
  /// @param progress called after each step
  /// @throws StorageException.Lost when it should not be put back
  BufferWriter restore(BufferWriter open, Runnable progress) throws StorageException {
    try {
      List<String> lost = open.files().lost();
      BufferRestore restore = new BufferRestore(open.files(), unopenedCopy);
      if (!hasNames) {
        throw new StorageException.Lost(
            "another agent has taken the directory: to deliver these records, run: echopost salvage"
                + " "
                + restore.copyAside(open, clock.now(), progress));
      }
      String impossible = restore.impossible(open.totals());
      if (impossible != null) {
        throw new StorageException.Lost(impossible);
      }
      Path setAside = restore.copyBack(open, clock.now(), progress);
      unopenedCopy = restore.ownCopy();
      BufferWriter restored = openCopy(open);
      unopenedCopy = null;
      Exception notClosed = null;
      try {
        open.close();
      } catch (SQLException | IOException failed) {
        notClosed = failed;
      }
      Events.severe(
          EventNames.BUFFER_RESTORED,
          "reason",
          "another process deleted or replaced open files",
          "files",
          String.join(" ", lost),
          "pending",
          open.totals().pending(),
          "moved_to",
          setAside,
          "old_files_not_closed",
          notClosed,
          "action",
          "find out what changes files in "
              + directory.toAbsolutePath().normalize()
              + "; no record is lost");
      return restored;
    } catch (IOException failed) {
      throw new StorageException("cannot put the buffer back: " + failed, failed);
    }
  }

  /// Opens the copy of `open` that was just put under the name.
  private BufferWriter openCopy(BufferWriter open) throws StorageException, IOException {
    BufferWriter opened = openWriter();
    if (opened.bufferId().equals(open.bufferId()) && opened.totals().equals(open.totals())) {
      return opened;
    }
    // SQLite creates a database where it finds none.
    StorageException deleted =
        new StorageException("another process deleted or replaced the copy before it was opened");
    SqliteFailure.closeAfter(deleted, opened);
    throw deleted;
  }

  private static StorageException replaceFailure(IOException failed) {
    return new StorageException("cannot create a new buffer: " + failed, failed);
  }

  /// Writes the write-ahead log to the disk once more. After a failed fsync the system may treat
  /// pages as written although they are not on the disk: a power loss would then lose what is
  /// written behind them too.
  static void rewriteLog(Path directory) throws IOException {
    Path log = DirectoryLayout.wal(DirectoryLayout.buffer(directory));
    if (!Files.exists(log)) {
      return;
    }
    while (true) {
      try {
        PrivateFiles.rewrite(log);
        return;
      } catch (IOException failed) {
        // Some file systems need free space even to overwrite.
        if (!DiskReserve.giveUp(directory)) {
          throw failed;
        }
      }
    }
  }
}
