package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.directory.Volume;
import com.datanadhi.echopost.record.ImportBatch;
import com.datanadhi.echopost.record.RejectedRange;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.salvage.Watermark;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;

/// A buffer that an operator's command changes while no agent runs. The caller holds the lock of
/// the directory.
///
/// Unlike [Buffer] it creates no file, quarantines none and has no thread: it does not open a
/// damaged file, which the next agent salvages. Confined to one thread.
public final class OfflineBuffer implements AutoCloseable {
  private static final long LOCK_WAIT_MILLIS = 1_000;

  private final Path directory;
  private final BufferWriter writer;

  private OfflineBuffer(Path directory, BufferWriter writer) {
    this.directory = directory;
    this.writer = writer;
  }

  /// Opens the buffer in `directory`, which exists.
  ///
  /// @param keys those that the command gives to records without a key
  /// @throws StorageException when it cannot be used
  public static OfflineBuffer open(Path directory, RecordKeys keys) throws StorageException {
    Path file = DirectoryLayout.buffer(directory);
    try {
      // If the log is lost or damaged, the first commit would overwrite its sound records and
      // assign their ids again. The view only reads, and checks that. Without a watermark there was
      // no commit yet.
      if (Watermark.read(file) != null) {
        BufferView.open(directory).close();
      }
      BufferOpener.rewriteLog(directory);
      Connection connection =
          Database.openWriter(file, new Volume(directory).walLimit(), LOCK_WAIT_MILLIS);
      try {
        return new OfflineBuffer(directory, new BufferWriter(connection, file, keys));
      } catch (SQLException | StorageException | IOException failed) {
        connection.close();
        throw failed;
      }
    } catch (SQLException | IOException failed) {
      throw new StorageException("cannot use the buffer in " + directory + ": " + failed, failed);
    }
  }

  /// Redrives or discards the next batch of `range`; when this returns, it is on stable storage.
  ///
  /// @throws StorageException when it could not be committed; nothing of it is done then
  public RejectedRange.Batch apply(RejectedRange range) throws StorageException {
    return writer.transact(() -> writer.apply(range));
  }

  /// Stores an operator's batch; when this returns, it is on stable storage.
  ///
  /// @return how many records were stored, 0 when the batch was stored before
  /// @throws StorageException when it could not be committed, or there is no disk space; none of
  ///   the records is stored then
  public int importBatch(ImportBatch batch, long nowMillis) throws StorageException, IOException {
    if (DiskReserve.shortageIn(directory) > 0) {
      throw new StorageException.Full();
    }
    return writer.transact(() -> writer.importBatch(batch, nowMillis));
  }

  @Override
  public void close() throws StorageException {
    try {
      writer.close();
    } catch (SQLException failed) {
      throw SqliteFailure.of("closing buffer.db", failed);
    } catch (IOException failed) {
      throw new StorageException("closing the watermark failed: " + failed, failed);
    }
  }
}
