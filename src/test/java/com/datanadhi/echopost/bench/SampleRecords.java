package com.datanadhi.echopost.bench;

import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.UUID;
import java.util.stream.Stream;

/// Records as services write them, no two the same: words of a small vocabulary, and numbers. The
/// same ones in each run. Not thread-safe.
final class SampleRecords {
  private static final List<String> WORDS =
      List.of(
          "accepted",
          "account",
          "address",
          "after",
          "amount",
          "and",
          "attempt",
          "before",
          "budget",
          "cache",
          "cancelled",
          "card",
          "cart",
          "charged",
          "checkout",
          "closed",
          "connection",
          "currency",
          "customer",
          "deadline",
          "declined",
          "delivery",
          "discount",
          "email",
          "expired",
          "failed",
          "from",
          "gateway",
          "in",
          "invoice",
          "item",
          "limit",
          "order",
          "partner",
          "payment",
          "pending",
          "price",
          "queue",
          "received",
          "refund",
          "rejected",
          "request",
          "retry",
          "returned",
          "sent",
          "session",
          "shipment",
          "stock",
          "timeout",
          "to",
          "total",
          "updated",
          "voucher",
          "waiting",
          "was",
          "with");
  private static final List<String> SERVICES =
      List.of("orders", "payments", "shipping", "accounts");

  private final int bytes;
  private final Random random = new Random(1);

  /// @param bytes of each record
  SampleRecords(int bytes) {
    this.bytes = bytes;
  }

  /// The next records.
  List<String> next(int count) {
    return Stream.generate(this::next).limit(count).toList();
  }

  private String next() {
    StringBuilder record =
        new StringBuilder(
            String.format(
                Locale.ROOT,
                "{\"level\":\"INFO\",\"service\":\"%s\",\"request\":\"%s\",\"customer\":%d,"
                    + "\"milliseconds\":%.3f,\"message\":\"",
                one(SERVICES),
                new UUID(random.nextLong(), random.nextLong()),
                random.nextInt(100_000, 1_000_000),
                random.nextDouble(1_000)));
    while (record.length() < bytes) {
      record.append(one(WORDS)).append(' ');
    }
    record.setLength(bytes - 2);
    return record.append("\"}").toString();
  }

  private String one(List<String> values) {
    return values.get(random.nextInt(values.size()));
  }
}
