package com.datanadhi.hub.log.segments;

import java.io.Closeable;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.UUID;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// Reads the records of one segment file. Confined to one thread at a time.
///
/// It uses a RandomAccessFile, not a FileChannel: an interrupt of the reading thread neither fails
/// a read nor closes the file.
final class SegmentReader implements Closeable {
  private static final int WINDOW = 64 * 1024;
  private static final byte[] ZEROS = new byte[WINDOW];

  /// A record that is sound: its CRC is right.
  ///
  /// @param position in the file
  /// @param stable the end of what was known to be synced when it was written
  record Frame(long position, int length, long offset, long time, long stable, int type) {
    long end() {
      return position + RecordFormat.HEADER_BYTES + length;
    }

    boolean isSeal() {
      return type == RecordFormat.SEAL;
    }
  }

  private final SegmentName name;
  private final RandomAccessFile file;
  private final byte[] epoch;
  private final CRC32C crc = new CRC32C();
  private final byte[] window = new byte[WINDOW];
  private final ByteBuffer view = ByteBuffer.wrap(window);
  private long windowStart;
  private int windowLength;

  SegmentReader(Path path, SegmentName name) throws IOException {
    this.name = name;
    this.file = new RandomAccessFile(path.toFile(), "r");
    this.epoch = RecordFormat.epochBytes(name.epoch());
  }

  SegmentName name() {
    return name;
  }

  UUID epoch() {
    return name.epoch();
  }

  long size() throws IOException {
    return file.length();
  }

  /// Forgets what was read: the file may have changed.
  void refresh() {
    windowLength = 0;
  }

  /// Whether the header of the segment is what it should be.
  boolean hasSoundHeader() throws IOException {
    return fill(0, RecordFormat.SEGMENT_HEADER_BYTES)
        && RecordFormat.isSegmentHeader(
            Arrays.copyOf(window, RecordFormat.SEGMENT_HEADER_BYTES),
            name.epoch(),
            name.firstOffset());
  }

  /// The sound record at this position; null if there is none that ends at or before `limit`.
  @Nullable Frame at(long position, long limit) throws IOException {
    if (position + RecordFormat.HEADER_BYTES > limit
        || !fill(position, RecordFormat.HEADER_BYTES)) {
      return null;
    }
    int at = (int) (position - windowStart);
    int length = view.getInt(at);
    if (!RecordFormat.isPayloadLength(length)
        || position + RecordFormat.HEADER_BYTES + length > limit) {
      return null;
    }
    int expectedCrc = view.getInt(at + 4);
    long offset = view.getLong(at + 8);
    Frame frame =
        new Frame(
            position,
            length,
            offset,
            view.getLong(at + 16),
            offset - view.getInt(at + 24),
            view.get(at + 28) & 0xFF);
    crc.reset();
    crc.update(epoch);
    crc.update(window, at, 4);
    crc.update(window, at + 8, RecordFormat.HEADER_BYTES - 8);
    return updateCrc(position + RecordFormat.HEADER_BYTES, length)
            && expectedCrc == (int) crc.getValue()
        ? frame
        : null;
  }

  /// Payload of a frame that [#at] returned.
  byte[] payload(Frame frame) throws IOException {
    byte[] payload = new byte[frame.length()];
    long from = frame.position() + RecordFormat.HEADER_BYTES;
    for (int done = 0; done < payload.length; ) {
      int wanted = Math.min(WINDOW, payload.length - done);
      if (!fill(from + done, wanted)) {
        throw new IOException("the file " + name + " became shorter");
      }
      System.arraycopy(window, (int) (from + done - windowStart), payload, done, wanted);
      done += wanted;
    }
    return payload;
  }

  /// The first sound record at or behind `from` whose offset is in the range; null if there is
  /// none. For finding the end of damage: each position is tried.
  @Nullable Frame search(long from, long limit, long minOffset, long maxOffset) throws IOException {
    for (long position = from; position + RecordFormat.HEADER_BYTES <= limit; position++) {
      if (!fill(position, RecordFormat.HEADER_BYTES)) {
        return null;
      }
      int at = (int) (position - windowStart);
      if (Arrays.equals(window, at, windowLength, ZEROS, at, windowLength)) {
        // The rest of a segment is zero-filled. A record may begin with zeros, but not end so.
        position = windowStart + windowLength - RecordFormat.HEADER_BYTES;
        continue;
      }
      long offset = view.getLong(at + 8);
      if (offset >= minOffset
          && offset <= maxOffset
          && RecordFormat.isPayloadLength(view.getInt(at))
          && window[at + 28] != RecordFormat.SEAL) {
        Frame frame = at(position, limit);
        if (frame != null) {
          return frame;
        }
      }
    }
    return null;
  }

  private boolean updateCrc(long from, int length) throws IOException {
    for (int done = 0; done < length; ) {
      int wanted = Math.min(WINDOW, length - done);
      if (!fill(from + done, wanted)) {
        return false;
      }
      crc.update(window, (int) (from + done - windowStart), wanted);
      done += wanted;
    }
    return true;
  }

  /// Has these bytes in the window, or says that the file is too short.
  private boolean fill(long position, int wanted) throws IOException {
    if (position >= windowStart && position + wanted <= windowStart + windowLength) {
      return true;
    }
    file.seek(position);
    windowStart = position;
    windowLength = 0;
    while (windowLength < WINDOW) {
      int got = file.read(window, windowLength, WINDOW - windowLength);
      if (got < 0) {
        break;
      }
      windowLength += got;
    }
    return windowLength >= wanted;
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
