package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.directory.Volume;
import com.datanadhi.echopost.record.ImportBatch;
import com.datanadhi.echopost.record.RejectedBatch;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.salvage.Watermark;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;

/// A buffer without a living agent, in the hands of an operator who holds the directory's lock.
///
/// Unlike [Buffer] it creates nothing, sets nothing aside and has no thread of its own: a file that
/// is damaged is refused, and the next agent's to see to. For one thread.
public final class OfflineBuffer implements AutoCloseable {
  private static final long PATIENCE_MILLIS = 1_000;

  private final Path directory;
  private final BufferWriter writer;

  private OfflineBuffer(Path directory, BufferWriter writer) {
    this.directory = directory;
    this.writer = writer;
  }

  /// Opens the buffer in `directory`, which exists.
  ///
  /// @throws StorageException when it cannot be used
  public static OfflineBuffer open(Path directory) throws StorageException {
    Path file = DirectoryLayout.buffer(directory);
    try {
      // Where the log is lost or damaged, the first commit would write over what is sound in it,
      // and give ids a second time. To look only reads. Without a watermark nothing was written
      // yet.
      if (Watermark.read(file) != null) {
        BufferView.open(directory).close();
      }
      BufferOpener.rewriteLog(directory);
      Connection connection =
          Database.openWriter(file, new Volume(directory).walBound(), PATIENCE_MILLIS);
      try {
        return new OfflineBuffer(directory, new BufferWriter(connection, file));
      } catch (SQLException | StorageException | IOException failed) {
        connection.close();
        throw failed;
      }
    } catch (SQLException | IOException failed) {
      throw new StorageException("cannot use the buffer in " + directory + ": " + failed, failed);
    }
  }

  /// Does the next slice of `sweep`; when this returns, it is on stable storage.
  ///
  /// @throws StorageException when it could not be committed; nothing of it is done then
  public RejectedBatch.Slice apply(RejectedBatch sweep) throws StorageException {
    return writer.transact(() -> writer.apply(sweep));
  }

  /// Stores a batch that an operator puts in; when this returns, it is on stable storage.
  ///
  /// @return how many records were stored, 0 when the batch was there already
  /// @throws StorageException when it could not be committed, or there is no room for more; none of
  ///   them is stored then
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
