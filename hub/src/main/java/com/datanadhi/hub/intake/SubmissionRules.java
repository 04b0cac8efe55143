package com.datanadhi.hub.intake;

import com.datanadhi.hub.record.IdempotencyKey;
import com.datanadhi.hub.record.RecordData;
import org.jspecify.annotations.Nullable;

/// What a transaction must be like. That each `log_data` is JSON has been checked by the door.
public final class SubmissionRules {
  /// Of one transaction.
  public static final int MAX_RECORDS = 1_000;

  static final int MAX_LOG_DATA = 4 << 20;
  static final int MAX_PIPELINES = 4 << 20;

  private SubmissionRules() {}

  /// Why the transaction cannot be stored, or null if it can.
  static Outcome.@Nullable Invalid check(Submission transaction) {
    // 413 comes before 400.
    int records = transaction.records().size();
    if (records > MAX_RECORDS) {
      return tooLarge(
          "The transaction has "
              + records
              + " records. Send at most "
              + MAX_RECORDS
              + " under one key.");
    }
    long pipelines = 0;
    boolean encodable = true;
    for (int i = 0; i < records; i++) {
      RecordData record = transaction.records().get(i);
      if (record.logData().length > MAX_LOG_DATA && transaction.quarantine() == null) {
        return tooLarge(
            "log_data of record "
                + (i + 1)
                + " has "
                + record.logData().length
                + " bytes. Send at most "
                + MAX_LOG_DATA
                + ".");
      }
      for (String pipeline : record.pipelines()) {
        int length = encodedLength(pipeline);
        encodable &= length >= 0;
        pipelines += Math.max(0, length);
      }
    }
    if (pipelines > MAX_PIPELINES) {
      return tooLarge(
          "The pipelines have "
              + pipelines
              + " bytes in UTF-8. Send at most "
              + MAX_PIPELINES
              + ".");
    }
    if (records == 0) {
      return bad("No records", "Send at least one record.");
    }
    if (!encodable) {
      return bad(
          "Bad pipelines",
          "A pipeline contains half of a surrogate pair, which has no UTF-8. Send whole"
              + " characters.");
    }
    for (int i = 0; i < records; i++) {
      if (transaction.records().get(i).logData().length == 0) {
        return bad(
            "Empty log_data", "log_data of record " + (i + 1) + " is empty. Send a JSON value.");
      }
    }
    String key = transaction.key();
    if (key != null && !IdempotencyKey.isValid(key)) {
      return bad(
          "Bad key",
          "An idempotency key has 1 to "
              + IdempotencyKey.MAX_LENGTH
              + " visible ASCII characters. Send such a key, or none.");
    }
    return null;
  }

  static Outcome.Invalid tooLarge(String detail) {
    return new Outcome.Invalid(413, "Too large", detail);
  }

  private static Outcome.Invalid bad(String title, String detail) {
    return new Outcome.Invalid(400, title, detail);
  }

  /// Bytes in UTF-8, or -1 if there are none.
  private static int encodedLength(String text) {
    int length = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c < 0x80) {
        length++;
      } else if (c < 0x800) {
        length += 2;
      } else if (!Character.isSurrogate(c)) {
        length += 3;
      } else if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        length += 4;
        i++;
      } else {
        return -1;
      }
    }
    return length;
  }
}
