package com.datanadhi.hub.view;

import org.jspecify.annotations.Nullable;

/// A tenant's database cannot be used.
public final class ViewException extends Exception {
  private static final long serialVersionUID = 1;

  private final Kind kind;

  public ViewException(Kind kind, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.kind = kind;
  }

  public Kind kind() {
    return kind;
  }

  /// What is wrong.
  public enum Kind {
    /// The file is missing or not a sound database: set it aside and rebuild it.
    DAMAGED,
    /// It cannot be opened or used now: permissions, no room, a lock that is held, a failing disk.
    UNAVAILABLE,
    /// A newer version of the hub has written it.
    NEWER
  }
}
