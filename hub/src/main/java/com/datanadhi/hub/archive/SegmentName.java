package com.datanadhi.hub.archive;

import java.time.LocalDate;
import java.util.Comparator;

/// The name of a segment. Names sort as the records in the segments do.
///
/// @param date in UTC, of all its records
/// @param number from 1 each day
public record SegmentName(String tenant, LocalDate date, int number)
    implements Comparable<SegmentName> {
  private static final Comparator<SegmentName> ORDER =
      Comparator.comparing(SegmentName::tenant)
          .thenComparing(SegmentName::date)
          .thenComparingInt(SegmentName::number);

  /// The key of its records.
  public String dataKey() {
    return ArchiveKeys.data(this);
  }

  /// The key of its checksum.
  public String checksumKey() {
    return ArchiveKeys.checksum(this);
  }

  @Override
  public int compareTo(SegmentName other) {
    return ORDER.compare(this, other);
  }
}
