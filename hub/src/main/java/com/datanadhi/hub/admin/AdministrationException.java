package com.datanadhi.hub.admin;

import org.jspecify.annotations.Nullable;

/// An operator's request was not done. The message says why, and what to do.
public final class AdministrationException extends Exception {
  private static final long serialVersionUID = 1;

  private final Reason reason;

  public AdministrationException(Reason reason, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.reason = reason;
  }

  public AdministrationException(Reason reason, String message) {
    this(reason, message, null);
  }

  public Reason reason() {
    return reason;
  }

  /// Why.
  public enum Reason {
    /// The request itself is wrong.
    INVALID,
    /// What it names does not exist.
    NOT_FOUND,
    /// Not now.
    UNAVAILABLE,
    /// The hub failed.
    FAILED
  }
}
