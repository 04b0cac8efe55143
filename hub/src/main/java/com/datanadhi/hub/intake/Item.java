package com.datanadhi.hub.intake;

import com.datanadhi.hub.record.Content;
import com.datanadhi.hub.record.Digests;
import com.datanadhi.hub.record.EventBody;
import com.datanadhi.hub.record.SourceKey;
import com.datanadhi.hub.record.Transaction;
import org.jspecify.annotations.Nullable;

/// A valid transaction with everything that can be computed before the tenant's lock is taken.
///
/// @param made whether the hub made the key, so that nobody can know it
/// @param quarantine why it goes into quarantine, or null
/// @param source null if the key belongs to none
record Item(
    Transaction transaction,
    @Nullable String quarantine,
    boolean made,
    @Nullable SourceKey source,
    KeyId id,
    Fingerprint fingerprint) {
  /// @param made the key, if the sender sent none
  static Item of(String tenant, Submission submission, @Nullable String made) {
    String key = submission.key() == null ? made : submission.key();
    if (key == null) {
      throw new IllegalArgumentException("a transaction needs a key");
    }
    Content content = Digests.content(submission.records());
    return new Item(
        new Transaction(tenant, key, content, submission.records()),
        submission.quarantine(),
        made != null,
        made == null ? SourceKey.parse(key) : null,
        KeyId.of(key),
        Fingerprint.of(content));
  }

  String key() {
    return transaction.key();
  }

  Content content() {
    return transaction.content();
  }

  /// The type of its log record.
  int type() {
    return quarantine == null ? EventBody.TRANSACTIONS : EventBody.QUARANTINED;
  }

  int records() {
    return transaction.records().size();
  }
}
