package com.datanadhi.echopost.replay;

import com.datanadhi.echopost.upstream.ServerResponse;

/// The outcome of a batch, by the table of the answers to batches in docs/REFERENCE.md. Immutable.
sealed interface BatchOutcome {
  /// Of an answer that cannot be used, a person is shown so much.
  int REASON_CHARS = 200;

  /// The server has decided about each record.
  record Settled(BatchAnswer answer) implements BatchOutcome {}

  /// 200 with a body that cannot be used: nothing of the batch counts.
  ///
  /// @param reason for a person
  record Unreadable(String reason) implements BatchOutcome {}

  /// The server takes only smaller batches.
  record TooLarge() implements BatchOutcome {}

  /// The server takes no such batch: it is asked about each record.
  record Refused(int status) implements BatchOutcome {}

  /// The server is not available.
  record Unavailable(DeliveryOutcome.Unavailable cause) implements BatchOutcome {}

  /// Classifies the response to a batch of `lines` records.
  static BatchOutcome of(ServerResponse response, int lines) {
    if (DeliveryOutcome.of(response) instanceof DeliveryOutcome.Unavailable unavailable) {
      return new Unavailable(unavailable);
    }
    ServerResponse.Answered answered = (ServerResponse.Answered) response;
    return switch (answered.status()) {
      case 200 -> answered(answered.body(), lines);
      case 413 -> new TooLarge();
      default -> new Refused(answered.status());
    };
  }

  private static BatchOutcome answered(String body, int lines) {
    try {
      return new Settled(BatchAnswer.parse(body, lines));
    } catch (IllegalArgumentException malformed) {
      String start = body.substring(0, Math.min(body.length(), REASON_CHARS));
      return new Unreadable(malformed.getMessage() + ": \"" + start + '"');
    }
  }
}
