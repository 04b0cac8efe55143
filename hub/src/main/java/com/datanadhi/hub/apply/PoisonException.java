package com.datanadhi.hub.apply;

/// A log record cannot be applied, however often it is tried. An operator can skip it.
public final class PoisonException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final long offset;

  /// @param offset of the log record
  /// @param reason why it cannot be applied
  PoisonException(long offset, String reason) {
    super(reason);
    this.offset = offset;
  }

  public long offset() {
    return offset;
  }
}
