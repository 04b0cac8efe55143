package com.datanadhi.echopost.upstream;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// The result of one request to the main server.
public sealed interface ServerResponse {
  /// Whether it decides about a delivered record at once: 2xx, or a 4xx that no other server, or
  /// this one at another time, would answer differently. After any other result another server
  /// behind the same name may be well, so the connection is not used again.
  default boolean isFinal() {
    return false;
  }

  /// An HTTP response came, from the server or from a proxy in front of it.
  ///
  /// @param status the HTTP status; usually 200 to 599, but not checked
  /// @param retryAfter the value of `Retry-After`, counted from when the response came; or null
  /// @param body the first 1 KiB of the body as text; after a batch all of it, up to 2 MiB
  record Answered(int status, @Nullable Duration retryAfter, String body)
      implements ServerResponse {
    /// 200 to 299.
    public boolean isSuccess() {
      return status >= 200 && status < 300;
    }

    @Override
    public boolean isFinal() {
      return isFinal(status);
    }

    static boolean isFinal(int status) {
      return switch (status) {
        case 401, 403, 404, 405, 407, 408, 425, 429 -> false;
        default -> (status >= 200 && status < 300) || (status >= 400 && status < 500);
      };
    }
  }

  /// No response came: the connection failed, TLS failed, or the timeout passed.
  ///
  /// @param reason for a person, without secrets
  record NoAnswer(String reason) implements ServerResponse {}
}
