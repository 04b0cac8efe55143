package com.datanadhi.hub.log.segments;

import com.datanadhi.hub.log.NewEntry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.zip.CRC32C;

/// The segment of a stream that is written. Confined to the writer's thread.
final class OpenSegment {
  private final Segment segment;
  private final SegmentIndex index;
  private final FileChannel channel;
  private final ByteBuffer buffer;
  private final byte[] epoch;
  private final CRC32C crc = new CRC32C();
  private final long openedAt;
  private long flushed;
  private long endOffset;

  /// @param buffer of the writer, empty; it is empty again after [#flush]
  /// @param openedAt on the clock that goes forward, in ns
  OpenSegment(
      Segment segment,
      SegmentIndex index,
      FileChannel channel,
      ByteBuffer buffer,
      long openedAt,
      long createdAt) {
    this.segment = segment;
    this.index = index;
    this.channel = channel;
    this.buffer = buffer;
    this.openedAt = openedAt;
    this.endOffset = segment.firstOffset();
    this.epoch = RecordFormat.epochBytes(segment.name().epoch());
    buffer.put(
        RecordFormat.segmentHeader(segment.name().epoch(), segment.firstOffset(), createdAt));
  }

  Segment segment() {
    return segment;
  }

  SegmentIndex index() {
    return index;
  }

  long openedAt() {
    return openedAt;
  }

  long endOffset() {
    return endOffset;
  }

  /// Where the next record goes in the file.
  long position() {
    return flushed + buffer.position();
  }

  boolean hasRecords() {
    return endOffset > segment.firstOffset();
  }

  /// Adds a record to the buffer, which is written when it is full.
  void add(NewEntry entry, long stableEnd) throws IOException {
    if (buffer.remaining() < RecordFormat.HEADER_BYTES) {
      flush();
    }
    index.add(endOffset, position());
    byte[] payload = entry.payload();
    RecordFormat.putHeader(
        buffer, epoch, crc, endOffset, entry.time(), endOffset - stableEnd, entry.type(), payload);
    for (int done = 0; done < payload.length; ) {
      if (!buffer.hasRemaining()) {
        flush();
      }
      int part = Math.min(buffer.remaining(), payload.length - done);
      buffer.put(payload, done, part);
      done += part;
    }
    endOffset++;
  }

  /// Hands the buffer to the operating system.
  void flush() throws IOException {
    int bytes = buffer.position();
    DurableFiles.writeFully(channel, buffer.flip(), flushed);
    buffer.clear();
    flushed += bytes;
  }

  void sync() throws IOException {
    channel.force(false);
  }

  /// Writes the seal and makes it durable. All records are synced already: the seal says so.
  void seal(long sealedAt) throws IOException {
    DurableFiles.writeFully(
        channel, ByteBuffer.wrap(RecordFormat.seal(epoch, endOffset, sealedAt)), flushed);
    flushed += RecordFormat.HEADER_BYTES;
    channel.truncate(flushed);
    channel.force(true);
    channel.close();
    DurableFiles.makeReadOnly(segment.file());
  }

  void close() throws IOException {
    channel.close();
  }
}
