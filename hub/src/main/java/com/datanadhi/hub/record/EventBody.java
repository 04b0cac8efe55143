package com.datanadhi.hub.record;

import java.util.List;

/// The payload of a log record of type [#TRANSACTIONS] or [#CONFLICT], as `proto/hub_log.proto`
/// encodes it.
///
/// @param keyHorizonMillis in force at the append
/// @param durability in force at the append
/// @param transactions one; several from an upload; all are stored or none
public record EventBody(long keyHorizonMillis, String durability, List<Transaction> transactions) {
  /// Transactions to apply.
  public static final int TRANSACTIONS = 1;

  /// A transaction whose key is known with another payload.
  public static final int CONFLICT = 2;

  public EventBody {
    transactions = List.copyOf(transactions);
  }
}
