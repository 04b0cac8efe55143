package com.datanadhi.hub.log;

/// Records of a sealed segment cannot be read. They are never skipped in silence.
public final class DamagedException extends Exception {
  private static final long serialVersionUID = 1;

  private final String stream;
  private final long firstOffset;
  private final long endOffset;
  private final String reason;

  /// @param firstOffset of the first record that cannot be read
  /// @param endOffset of the first record behind the damage that can be read
  public DamagedException(String stream, long firstOffset, long endOffset, String reason) {
    super(
        "records "
            + firstOffset
            + " to "
            + (endOffset - 1)
            + " of "
            + stream
            + " are damaged: "
            + reason);
    this.stream = stream;
    this.firstOffset = firstOffset;
    this.endOffset = endOffset;
    this.reason = reason;
  }

  /// The part of the damage before an offset.
  ///
  /// @param end behind the first damaged record
  public DamagedException before(long end) {
    return end >= endOffset ? this : new DamagedException(stream, firstOffset, end, reason);
  }

  public String stream() {
    return stream;
  }

  public long firstOffset() {
    return firstOffset;
  }

  public long endOffset() {
    return endOffset;
  }
}
