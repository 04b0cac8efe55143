package com.datanadhi.hub.apply;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.datanadhi.hub.log.NewEntry;
import com.datanadhi.hub.record.Digests;
import com.datanadhi.hub.record.EventBody;
import com.datanadhi.hub.record.EventCodec;
import com.datanadhi.hub.record.RecordData;
import com.datanadhi.hub.record.Transaction;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/// Makes log records that meet each case of applying often: few keys, sources with gaps, uploads,
/// conflicts, short horizons, and a clock that goes back.
final class RandomRecords {
  private static final List<String> SOURCES =
      List.of("0123456789abcdef0123456789abcdef", "6ba7b810-9dad-41d1-80b4-00c04fd430c8");

  private final Random random;
  private final List<String> tenants;
  private long now = 1_700_000_000_000L;
  private int fresh;

  RandomRecords(Random random, List<String> tenants) {
    this.random = random;
    this.tenants = tenants;
  }

  void appendTo(MemoryLog log) {
    NewEntry entry = next();
    log.append(entry.type(), entry.time(), entry.payload());
  }

  NewEntry next() {
    now +=
        switch (random.nextInt(20)) {
          case 0 -> -random.nextInt(5_000);
          case 1 -> random.nextInt(8_000);
          default -> random.nextInt(30);
        };
    String tenant = tenants.get(random.nextInt(tenants.size()));
    boolean isConflict = random.nextInt(15) == 0;
    List<Transaction> transactions = new ArrayList<>();
    int count = !isConflict && random.nextInt(6) == 0 ? 1 + random.nextInt(4) : 1;
    for (int i = 0; i < count; i++) {
      transactions.add(transaction(tenant));
    }
    EventBody body =
        new EventBody(
            random.nextInt(30) == 0 ? 500 : 6_000,
            random.nextBoolean() ? "fsync" : "wal",
            transactions);
    return new NewEntry(
        isConflict ? EventBody.CONFLICT : EventBody.TRANSACTIONS, now, EventCodec.encode(body));
  }

  private Transaction transaction(String tenant) {
    String key =
        switch (random.nextInt(4)) {
          case 0 -> "k-" + random.nextInt(12);
          case 1 -> SOURCES.get(random.nextInt(2)) + "-" + (1 + random.nextInt(40));
          case 2 -> SOURCES.get(random.nextInt(2)) + "-" + (100 + fresh++);
          default -> "fresh-" + fresh++;
        };
    List<RecordData> records = new ArrayList<>();
    int count = random.nextInt(5) == 0 ? 2 + random.nextInt(3) : 1;
    for (int i = 0; i < count; i++) {
      String text = "{\"v\":" + (random.nextInt(8) == 0 ? 2 : 1) + ",\"i\":" + i + "}";
      records.add(
          new RecordData(
              random.nextInt(10) == 0 ? List.of("q\"ü", "p") : List.of("p"),
              (random.nextInt(10) == 0 ? " " + text + "\n" : text).getBytes(UTF_8)));
    }
    return new Transaction(tenant, key, Digests.content(records), records);
  }
}
