package com.datanadhi.echopost.upstream;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// What came of one request to the main server.
public sealed interface ServerResponse {
  /// The server, or something in front of it, answered.
  ///
  /// @param status 200 to 599, or what else stood there
  /// @param retryAfter how long it asked to wait, or null
  /// @param body the first 1 KiB of the body, as UTF-8
  record Answered(int status, @Nullable Duration retryAfter, String body)
      implements ServerResponse {
    /// 200 to 299.
    public boolean isSuccess() {
      return status >= 200 && status < 300;
    }
  }

  /// No answer: no connection, a broken one, a TLS failure, or none in time.
  ///
  /// @param reason for a person, without secrets
  record NoAnswer(String reason) implements ServerResponse {}
}
