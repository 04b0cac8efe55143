package com.datanadhi.hub.log.segments;

import com.datanadhi.hub.log.Log;
import java.nio.ByteBuffer;
import java.util.UUID;
import java.util.zip.CRC32C;

/// The bytes of a segment, big endian. `docs/hub/log-contract.md` has the tables.
///
/// A record: length of the payload (4), CRC-32C (4), offset (8), time (8), number of records before
/// it that were not known to be synced when it was written (4), type (1), payload. The CRC is over
/// the 16 bytes of the epoch, the length, and everything behind the CRC: a payload that looks like
/// a record is not taken for one, because no sender knows the epoch.
final class RecordFormat {
  /// Of a record, before its payload.
  static final int HEADER_BYTES = 29;

  /// Of a segment, before its first record.
  static final int SEGMENT_HEADER_BYTES = 64;

  /// The type of the seal, which is the last record of a sealed segment: its offset is the end
  /// offset of the segment, its time the moment of sealing, and it has no payload.
  static final int SEAL = 0;

  static final long SEGMENT_MAGIC = 0x4550484C4F473031L; // EPHLOG01

  private RecordFormat() {}

  static byte[] epochBytes(UUID epoch) {
    return ByteBuffer.allocate(16)
        .putLong(epoch.getMostSignificantBits())
        .putLong(epoch.getLeastSignificantBits())
        .array();
  }

  static ByteBuffer segmentHeader(UUID epoch, long firstOffset, long createdAt) {
    ByteBuffer header = ByteBuffer.allocate(SEGMENT_HEADER_BYTES);
    header.putLong(SEGMENT_MAGIC).put(epochBytes(epoch)).putLong(firstOffset).putLong(createdAt);
    CRC32C crc = new CRC32C();
    crc.update(header.array(), 0, SEGMENT_HEADER_BYTES - 4);
    return header.putInt(SEGMENT_HEADER_BYTES - 4, (int) crc.getValue()).rewind();
  }

  static boolean isSegmentHeader(byte[] bytes, UUID epoch, long firstOffset) {
    ByteBuffer header = ByteBuffer.wrap(bytes);
    return bytes.length == SEGMENT_HEADER_BYTES
        && header.equals(segmentHeader(epoch, firstOffset, header.getLong(32)));
  }

  /// Puts a record's header at the buffer's position.
  ///
  /// @param crc scratch
  static void putHeader(
      ByteBuffer out,
      byte[] epoch,
      CRC32C crc,
      long offset,
      long time,
      long unsynced,
      int type,
      byte[] payload) {
    int start = out.position();
    out.putInt(payload.length)
        .putInt(0)
        .putLong(offset)
        .putLong(time)
        .putInt((int) Math.min(unsynced, Integer.MAX_VALUE))
        .put((byte) type);
    crc.reset();
    crc.update(epoch);
    crc.update(out.slice(start, 4));
    crc.update(out.slice(start + 8, HEADER_BYTES - 8));
    crc.update(payload);
    out.putInt(start + 4, (int) crc.getValue());
  }

  static byte[] seal(byte[] epoch, long endOffset, long time) {
    ByteBuffer seal = ByteBuffer.allocate(HEADER_BYTES);
    putHeader(seal, epoch, new CRC32C(), endOffset, time, 0, SEAL, new byte[0]);
    return seal.array();
  }

  static boolean isPayloadLength(int length) {
    return length >= 0 && length <= Log.MAX_PAYLOAD;
  }
}
