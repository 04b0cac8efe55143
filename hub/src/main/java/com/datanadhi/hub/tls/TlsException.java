package com.datanadhi.hub.tls;

import java.io.IOException;

/// Certificate or key cannot be used. The message says which file and why.
public final class TlsException extends IOException {
  private static final long serialVersionUID = 1;

  TlsException(String message, Throwable cause) {
    super(message, cause);
  }

  TlsException(String message) {
    super(message);
  }
}
