package com.datanadhi.echopost.upstream;

import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/// Describes why a connection or a request failed, in a few words for the log.
final class FailureText {
  private FailureText() {}

  static String of(@Nullable Throwable failure) {
    if (failure == null) {
      return "unknown";
    }
    if (failure.getMessage() == null) {
      return failure.getClass().getSimpleName();
    }
    // Netty's native transport starts its messages with the system call and its error number.
    String message =
        failure.getMessage().replaceFirst("^\\w+\\(\\.\\.\\) failed with error\\(-\\d+\\): ", "");
    return failure instanceof SSLException ? "TLS: " + message : message;
  }
}
