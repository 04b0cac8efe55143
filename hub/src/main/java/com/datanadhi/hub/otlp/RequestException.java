package com.datanadhi.hub.otlp;

/// A request of OTLP is refused as a whole: nothing of it is stored. Without a stack trace: it is
/// an ordinary answer.
public final class RequestException extends Exception {
  private static final long serialVersionUID = 1;

  private final Kind kind;

  RequestException(Kind kind, String message) {
    super(message, null, false, false);
    this.kind = kind;
  }

  /// Why.
  public enum Kind {
    /// It is not OTLP.
    MALFORMED,

    /// It is larger than is ever accepted.
    TOO_LARGE,

    /// Other requests hold the memory.
    NO_MEMORY
  }

  public Kind kind() {
    return kind;
  }
}
