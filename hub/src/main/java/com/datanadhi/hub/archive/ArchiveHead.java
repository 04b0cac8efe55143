package com.datanadhi.hub.archive;

import com.datanadhi.hub.apply.Chain;
import java.time.LocalDate;
import org.jspecify.annotations.Nullable;

/// Where a tenant's archive ends: its newest finished segment, or the retained mark if retention
/// has left no segment.
///
/// @param seq the last seq that is archived, or 0
/// @param chain there
/// @param previous SHA-256 of the newest `.checksum`, which the next one names; null before the
///   first
/// @param segment the newest finished one, or null
/// @param checksum of the newest segment, or null
public record ArchiveHead(
    long seq,
    String chain,
    @Nullable String previous,
    @Nullable SegmentName segment,
    @Nullable SegmentChecksum checksum) {
  /// Of a tenant that has no archive yet.
  static ArchiveHead none(String tenant) {
    return new ArchiveHead(0, Chain.ofTenant(tenant).hex(), null, null, null);
  }

  /// The name of the segment that follows, for records of a day.
  SegmentName next(String tenant, LocalDate date) {
    int number = segment != null && segment.date().equals(date) ? segment.number() + 1 : 1;
    return new SegmentName(tenant, date, number);
  }
}
