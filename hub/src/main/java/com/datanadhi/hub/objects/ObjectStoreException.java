package com.datanadhi.hub.objects;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// The object store did not do what it was asked for. The message says what, and names the object.
public final class ObjectStoreException extends IOException {
  private static final long serialVersionUID = 1;

  /// What can be done about it.
  public enum Kind {
    /// The store cannot be reached, is full, or is not able to do it now: to be tried again.
    UNAVAILABLE,
    /// The store refuses it, and will refuse it until somebody changes something: no such bucket,
    /// no permission, an object where a folder is to be.
    REFUSED,
    /// The store cannot do it at all, such as to create an object only if it does not exist.
    UNSUPPORTED,
    /// There is no such object.
    MISSING
  }

  private final Kind kind;

  public ObjectStoreException(Kind kind, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.kind = kind;
  }

  public Kind kind() {
    return kind;
  }
}
