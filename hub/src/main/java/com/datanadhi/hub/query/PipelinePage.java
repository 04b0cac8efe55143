package com.datanadhi.hub.query;

import com.datanadhi.hub.view.Interval;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The next records of a pipeline for a consumer.
///
/// @param records in order of n
/// @param cursor up to which n the consumer has read
/// @param expired the numbers after the cursor whose records have left the view, or null
public record PipelinePage(List<PipelineRecord> records, long cursor, @Nullable Interval expired) {
  public PipelinePage {
    records = List.copyOf(records);
  }

  /// The bytes of its records.
  public long bytes() {
    return records.stream().mapToLong(each -> each.line().bytes()).sum();
  }

  /// The value of the header `Hub-Expired`, or null if nothing has expired.
  public @Nullable String expiredHeader() {
    return expired == null ? null : expired.first() + "-" + expired.last();
  }
}
