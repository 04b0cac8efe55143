package com.datanadhi.hub.log.segments;

import java.io.FileInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.concurrent.ThreadLocalRandom;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// Positions of some records of a segment, about one for each 32 KiB. Thread-safe.
///
/// Its file is a cache: it is not synced, and one that is missing or wrong is built again.
final class SegmentIndex {
  /// Where a search for an offset begins.
  record Entry(long offset, long position) {}

  static final long INTERVAL = 32 * 1024;

  private static final long MAGIC = 0x4550484944583031L; // EPHIDX01
  private static final int FIXED_BYTES = 8 + 16 + 8 + 8 + 8 + 4 + 4;

  private long[] offsets = new long[16];
  private long[] positions = new long[16];
  private int size;

  /// Adds a record if it is far enough behind the last one that was added.
  synchronized void add(long offset, long position) {
    if (size > 0 && position - positions[size - 1] < INTERVAL) {
      return;
    }
    if (size == offsets.length) {
      offsets = Arrays.copyOf(offsets, 2 * size);
      positions = Arrays.copyOf(positions, 2 * size);
    }
    offsets[size] = offset;
    positions[size++] = position;
  }

  /// The last entry at or before this offset, or the start of the segment.
  synchronized Entry floor(long offset, long firstOffset) {
    int found = Arrays.binarySearch(offsets, 0, size, offset);
    int at = found >= 0 ? found : -found - 2;
    return at < 0
        ? new Entry(firstOffset, RecordFormat.SEGMENT_HEADER_BYTES)
        : new Entry(offsets[at], positions[at]);
  }

  /// Reads the file; null if it is missing, damaged or of another segment.
  ///
  /// @param logBytes the size of the segment's file
  static @Nullable SegmentIndex read(Path file, SegmentName name, long endOffset, long logBytes) {
    byte[] bytes;
    // Not Files.readAllBytes: it fails in a thread that was interrupted.
    try (FileInputStream in = new FileInputStream(file.toFile())) {
      bytes = in.readAllBytes();
    } catch (IOException missing) {
      return null;
    }
    if (bytes.length < FIXED_BYTES) {
      return null;
    }
    ByteBuffer in = ByteBuffer.wrap(bytes);
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, bytes.length - 4);
    byte[] epoch = new byte[16];
    boolean right =
        in.getInt(bytes.length - 4) == (int) crc.getValue()
            && in.getLong() == MAGIC
            && Arrays.equals(take(in, epoch), RecordFormat.epochBytes(name.epoch()))
            && in.getLong() == name.firstOffset()
            && in.getLong() == endOffset
            && in.getLong() == logBytes;
    if (!right) {
      return null;
    }
    int count = in.getInt();
    if (count < 0 || in.remaining() != 16L * count + 4) {
      return null;
    }
    SegmentIndex index = new SegmentIndex();
    for (int i = 0; i < count; i++) {
      index.add(in.getLong(), in.getLong());
    }
    return index;
  }

  private static byte[] take(ByteBuffer in, byte[] bytes) {
    in.get(bytes);
    return bytes;
  }

  synchronized void write(Path file, SegmentName name, long endOffset, long logBytes)
      throws IOException {
    ByteBuffer out = ByteBuffer.allocate(FIXED_BYTES + 16 * size);
    out.putLong(MAGIC).put(RecordFormat.epochBytes(name.epoch())).putLong(name.firstOffset());
    out.putLong(endOffset).putLong(logBytes).putInt(size);
    for (int i = 0; i < size; i++) {
      out.putLong(offsets[i]).putLong(positions[i]);
    }
    CRC32C crc = new CRC32C();
    crc.update(out.array(), 0, out.position());
    out.putInt((int) crc.getValue());
    Path next =
        file.resolveSibling(
            file.getFileName()
                + "."
                + ThreadLocalRandom.current().nextLong(Long.MAX_VALUE)
                + SegmentName.TEMPORARY);
    try (FileChannel to =
        DurableFiles.open(next, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW)) {
      DurableFiles.writeFully(to, out.rewind(), 0);
    }
    Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  /// Reads a whole segment for the index, also over damage.
  static SegmentIndex build(SegmentReader reader, long endOffset, long limit) throws IOException {
    SegmentIndex index = new SegmentIndex();
    SegmentScan scan = new SegmentScan(reader, endOffset, limit);
    for (SegmentScan.Step step = scan.next(); step != null; step = scan.next()) {
      if (step instanceof SegmentScan.Sound(SegmentReader.Frame frame)) {
        index.add(frame.offset(), frame.position());
      }
    }
    return index;
  }
}
