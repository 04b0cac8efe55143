package com.datanadhi.echopost.replay;

import com.datanadhi.echopost.upstream.ServerResponse;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// The outcome of a delivery for the record, by the table of the main server's responses in
/// docs/REFERENCE.md. Immutable.
sealed interface DeliveryOutcome {
  /// The server accepted the record.
  record Delivered() implements DeliveryOutcome {}

  /// The server is not available: the record stays pending, and replay pauses until a probe
  /// succeeds.
  record Unavailable(String reason, @Nullable Duration retryAfter) implements DeliveryOutcome {}

  /// The record is bad, or the server is not fully available yet: [PoisonPolicy] decides.
  record Doubtful(int status, String response, @Nullable Duration retryAfter)
      implements DeliveryOutcome {}

  /// The server rejected the record permanently.
  record Rejected(int status, String response) implements DeliveryOutcome {}

  /// Classifies one response.
  static DeliveryOutcome of(ServerResponse response) {
    return switch (response) {
      case ServerResponse.NoAnswer none -> new Unavailable(none.reason(), null);
      case ServerResponse.Answered answered -> of(answered);
    };
  }

  private static DeliveryOutcome of(ServerResponse.Answered answered) {
    int status = answered.status();
    return switch (status) {
      case 407, 408, 425, 429 -> unavailable(answered);
      case 401, 403, 404, 405, 500 -> doubtful(answered);
      default -> {
        if (answered.isSuccess()) {
          yield new Delivered();
        }
        if (status >= 300 && status < 400) {
          yield doubtful(answered);
        }
        yield status >= 400 && status < 500
            ? new Rejected(status, answered.body())
            : unavailable(answered);
      }
    };
  }

  private static DeliveryOutcome unavailable(ServerResponse.Answered answered) {
    return new Unavailable("HTTP " + answered.status(), answered.retryAfter());
  }

  private static DeliveryOutcome doubtful(ServerResponse.Answered answered) {
    return new Doubtful(answered.status(), answered.body(), answered.retryAfter());
  }
}
