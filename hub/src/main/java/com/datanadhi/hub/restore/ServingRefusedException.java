package com.datanadhi.hub.restore;

import java.io.IOException;

/// A hub must not serve on this directory with this object store. The message says what to do.
public final class ServingRefusedException extends IOException {
  private static final long serialVersionUID = 1;

  public ServingRefusedException(String message) {
    super(message);
  }
}
