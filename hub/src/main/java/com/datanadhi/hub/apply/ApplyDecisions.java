package com.datanadhi.hub.apply;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// What operators have decided about log records, from the `control` stream.
public interface ApplyDecisions {
  /// Why the log record is skipped, or null if it is to be applied.
  @Nullable String skipReason(String stream, long offset);

  /// The ranges of offsets that nothing can replace, in order.
  List<Loss> losses(String stream);

  /// A range of offsets that are lost.
  ///
  /// @param first offset that is lost
  /// @param last offset that is lost
  record Loss(long first, long last, String reason) {}
}
