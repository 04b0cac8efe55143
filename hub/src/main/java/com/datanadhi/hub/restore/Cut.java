package com.datanadhi.hub.restore;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// Where a tenant's restored history ends, and what it is made of.
///
/// @param snapshotId the snapshot that it begins with, or null
/// @param snapshotSeq the last seq of that snapshot, or 0
/// @param segments keys of the archive's segments that were read behind it, in order
/// @param bytes of snapshot and segments
/// @param seq the last record, or 0 if there is none
/// @param epoch of the log that its last record came from; null if there is none
/// @param receivedAt of the last record, in milliseconds since 1970, or 0
/// @param archiveSeq the last record that the archive has, or 0
/// @param around records within 5 s on both sides of the cut, in order: the nearest ones
/// @param nearBefore how many records there are within 5 s before the cut, as far as was looked
/// @param nearAfter the same behind it
/// @param roundedFrom the seq that was asked for, if it is inside a transaction; else null
public record Cut(
    String tenant,
    @Nullable String snapshotId,
    long snapshotSeq,
    List<String> segments,
    long bytes,
    long seq,
    @Nullable String epoch,
    long receivedAt,
    long archiveSeq,
    List<Near> around,
    long nearBefore,
    long nearAfter,
    @Nullable Long roundedFrom) {
  public Cut {
    segments = List.copyOf(segments);
    around = List.copyOf(around);
  }

  /// A record near the cut.
  ///
  /// @param isRestored whether it is before the cut
  public record Near(long seq, String key, long receivedAt, boolean isRestored) {}
}
