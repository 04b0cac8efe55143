package com.datanadhi.hub.apply;

import com.datanadhi.hub.log.LogEntry;
import com.datanadhi.hub.proto.LogRecordBody;
import com.datanadhi.hub.record.EventBody;
import com.datanadhi.hub.record.EventCodec;
import com.datanadhi.hub.record.EventCodec.InvalidBodyException;
import com.datanadhi.hub.record.TenantName;
import com.google.protobuf.InvalidProtocolBufferException;
import org.jspecify.annotations.Nullable;

/// A log record, decoded as far as it can be.
///
/// @param tenant whose it is; null if that cannot be told
/// @param body null if it cannot be decoded
/// @param problem why it cannot be decoded, or the empty string
record Incoming(LogEntry entry, @Nullable String tenant, @Nullable EventBody body, String problem) {

  static Incoming of(LogEntry entry) {
    switch (entry.type()) {
      case EventBody.TRANSACTIONS, EventBody.CONFLICT, EventBody.QUARANTINED -> {}
      default -> {
        return broken(
            entry, "it has the type " + entry.type() + ", which this program does not know");
      }
    }
    EventBody body;
    try {
      body = EventCodec.decode(entry.payload());
    } catch (InvalidBodyException | RuntimeException invalid) {
      return broken(entry, String.valueOf(invalid.getMessage()));
    }
    String tenant = body.transactions().getFirst().tenant();
    if (!isTenant(tenant)) {
      return new Incoming(entry, null, null, "its tenant has a name that is not allowed");
    }
    for (var transaction : body.transactions()) {
      if (!transaction.tenant().equals(tenant)) {
        return new Incoming(entry, tenant, null, "it has transactions of several tenants");
      }
      if (transaction.records().isEmpty()) {
        return new Incoming(entry, tenant, null, "it has a transaction without a record");
      }
    }
    return new Incoming(entry, tenant, body, "");
  }

  /// A record of a newer version often still tells its tenant: then only that tenant is affected.
  private static Incoming broken(LogEntry entry, String problem) {
    String tenant = null;
    try {
      LogRecordBody message = LogRecordBody.parseFrom(entry.payload());
      if (message.getTransactionsCount() > 0) {
        String named = message.getTransactions(0).getTenant();
        tenant = isTenant(named) ? named : null;
      }
    } catch (InvalidProtocolBufferException unreadable) {
      tenant = null;
    }
    return new Incoming(entry, tenant, null, problem);
  }

  private static boolean isTenant(String name) {
    return TenantName.isValid(name) || name.equals(TenantName.CONTROL);
  }
}
