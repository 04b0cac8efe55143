package com.datanadhi.hub.archive;

import com.datanadhi.hub.view.StoredEvent;
import org.jspecify.annotations.Nullable;

/// Checks that records that follow each other are transactions, from the first part of one on.
final class Transactions {
  private @Nullable StoredEvent last;

  /// Whether this is the next part of the transaction before it, or begins one.
  boolean continues(StoredEvent event) {
    StoredEvent before = last;
    last = event;
    if (event.part() == 1) {
      return true;
    }
    return before != null
        && event.part() == before.part() + 1
        && event.key().equals(before.key())
        && event.position().equals(before.position())
        && event.receivedAt() == before.receivedAt();
  }
}
