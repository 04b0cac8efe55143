package com.datanadhi.hub.log;

import java.util.UUID;

/// A part of a stream.
///
/// @param firstOffset of its first record
/// @param endOffset after its last record
/// @param bytes of its records
/// @param sealedAt when it was sealed, in milliseconds since 1970; 0 if it is open
public record SegmentInfo(UUID epoch, long firstOffset, long endOffset, long bytes, long sealedAt) {
  public boolean isSealed() {
    return sealedAt != 0;
  }
}
