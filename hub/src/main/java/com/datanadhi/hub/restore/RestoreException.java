package com.datanadhi.hub.restore;

import org.jspecify.annotations.Nullable;

/// Something cannot be restored. The message says what and why, and names the object.
public final class RestoreException extends Exception {
  private static final long serialVersionUID = 1;

  RestoreException(String message) {
    super(message);
  }

  RestoreException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
