package com.datanadhi.hub.record;

import java.util.List;

/// The payload of a log record of type [#TRANSACTIONS], [#CONFLICT] or [#QUARANTINED], as
/// `proto/hub_log.proto` encodes it.
///
/// @param keyHorizonMillis in force at the append
/// @param durability in force at the append
/// @param transactions one; several from an upload; all are stored or none
/// @param reason why they go into quarantine; empty for other types
public record EventBody(
    long keyHorizonMillis, String durability, List<Transaction> transactions, String reason) {
  /// Transactions to apply.
  public static final int TRANSACTIONS = 1;

  /// A transaction whose key is known with another payload.
  public static final int CONFLICT = 2;

  /// Records that cannot be stored, kept as they came.
  public static final int QUARANTINED = 3;

  public EventBody {
    transactions = List.copyOf(transactions);
  }

  /// A payload of another type than [#QUARANTINED].
  public EventBody(long keyHorizonMillis, String durability, List<Transaction> transactions) {
    this(keyHorizonMillis, durability, transactions, "");
  }
}
