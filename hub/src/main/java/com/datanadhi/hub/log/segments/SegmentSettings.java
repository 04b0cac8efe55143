package com.datanadhi.hub.log.segments;

import com.datanadhi.hub.log.Log;
import java.time.Duration;

/// How a [SegmentLog] keeps its records.
///
/// @param segmentBytes size at which a segment of a stream is sealed; this much is allocated ahead
/// @param controlSegmentBytes the same for the stream `control`
/// @param segmentAge age at which a segment that has records is sealed
/// @param waitingBytesBound bound of the bytes that are accepted and not yet written
public record SegmentSettings(
    long segmentBytes, long controlSegmentBytes, Duration segmentAge, long waitingBytesBound) {
  private static final long SMALLEST_SEGMENT = 1024;
  private static final long LARGEST_SEGMENT = 1L << 30;

  /// @throws IllegalArgumentException a value is out of its range
  public SegmentSettings {
    checkSegmentBytes("segmentBytes", segmentBytes);
    checkSegmentBytes("controlSegmentBytes", controlSegmentBytes);
    if (!segmentAge.isPositive()) {
      throw new IllegalArgumentException("segmentAge must be positive: " + segmentAge);
    }
    if (waitingBytesBound < 1) {
      throw new IllegalArgumentException(
          "waitingBytesBound must be positive: " + waitingBytesBound);
    }
  }

  /// 64 MiB segments (1 MiB for `control`), 10 minutes, 64 MiB waiting.
  public static SegmentSettings defaults() {
    return new SegmentSettings(64L << 20, 1L << 20, Duration.ofMinutes(10), 64L << 20);
  }

  long segmentBytes(String stream) {
    return stream.equals("control") ? Math.min(controlSegmentBytes, segmentBytes) : segmentBytes;
  }

  private static void checkSegmentBytes(String name, long value) {
    if (value < SMALLEST_SEGMENT || value > LARGEST_SEGMENT) {
      throw new IllegalArgumentException(
          name + " must be " + SMALLEST_SEGMENT + " to " + LARGEST_SEGMENT + ": " + value);
    }
  }

  /// Bytes that an append of a payload needs in [#waitingBytesBound].
  public static long waitingBytes(int payload) {
    if (payload > Log.MAX_PAYLOAD) {
      throw new IllegalArgumentException("payload of " + payload + " bytes");
    }
    return (long) RecordFormat.HEADER_BYTES + payload;
  }
}
