package com.datanadhi.echopost.buffer;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.record.RejectedRange;
import com.datanadhi.echopost.record.Rejection;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.record.Totals;
import com.datanadhi.echopost.time.ManualClock;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Compares the buffer with a plain queue, step by step.
class BufferRandomTest {
  private static final int STEPS = 3_000;

  private record Expected(long id, String payload) {}

  @TempDir Path directory;
  private final Deque<Expected> queue = new ArrayDeque<>();
  private final List<Expected> rejectedRecords = new ArrayList<>();
  private long accepted;
  private long delivered;
  private long rejected;
  // All rejections; `rejected` counts the rows that are in the table now.
  private long rejections;
  private long redriven;
  private long discarded;

  private static Buffer open(Path directory) throws StorageException {
    return Buffer.open(directory, new ManualClock(), BufferListener.NONE);
  }

  @Test
  void the_buffer_behaves_like_a_queue_that_survives_reopening_and_its_ledger_always_adds_up()
      throws Exception {
    long seed = Long.getLong("echopost.seed", new Random().nextLong());
    System.out.println("BufferRandomTest seed " + seed + " (-Dechopost.seed=" + seed + ")");
    Random random = new Random(seed);
    Buffer buffer = open(directory);
    Sqlite second = new Sqlite(directory);
    try {
      for (int step = 0; step < STEPS; step++) {
        switch (random.nextInt(22)) {
          case 0, 1, 2, 3, 4, 5, 6 -> append(buffer, random);
          case 7, 8, 9, 10 -> read(buffer, random);
          case 11, 12, 13, 14, 15 -> acknowledge(buffer, random);
          case 16, 17 -> reject(buffer, random);
          case 18 -> buffer.reclaimSpace();
          case 19, 20 -> applyBatch(buffer, random);
          default -> {
            if (random.nextInt(5) == 0) {
              second.close();
              buffer.close();
              buffer = open(directory);
              second = new Sqlite(directory);
            }
          }
        }
        assertLedger(buffer, second, "seed " + seed + ", step " + step);
      }
      assertThat(accepted).isGreaterThan(1_000);
      assertThat(delivered).isPositive();
      assertThat(rejections).isPositive();
      assertThat(redriven).isPositive();
      assertThat(discarded).isPositive();
      buffer.close();
      assertThat(buffer.wasDamaged()).isFalse();
    } finally {
      second.close();
      buffer.close();
    }
  }

  private void append(Buffer buffer, Random random) {
    List<Appended> all = new ArrayList<>();
    for (int n = random.nextInt(6); n >= 0; n--) {
      String payload =
          "\"" + "é".repeat(random.nextInt(random.nextInt(50) == 0 ? 100_000 : 40)) + "\"";
      accepted++;
      queue.add(new Expected(accepted + redriven, payload));
      all.add(Appended.to(buffer, Appended.record(payload, "", null)));
    }
    for (Appended append : all) {
      assertThat(append.outcome()).isEqualTo(new AppendRequest.Outcome.Stored());
    }
  }

  private void read(Buffer buffer, Random random) throws Exception {
    int records = 1 + random.nextInt(22);
    List<PendingRecord> batch = buffer.read(records, Long.MAX_VALUE);
    assertThat(batch).allMatch(PendingRecord::sound);
    assertThat(
            batch.stream()
                .map(record ->
                    new Expected(record.id(), new String(record.content().jsonData(), UTF_8))))
        .containsExactlyElementsOf(queue.stream().limit(records).toList());
  }

  private void acknowledge(Buffer buffer, Random random) throws Exception {
    if (queue.isEmpty()) {
      return;
    }
    long through = 0;
    for (int n = random.nextInt(Math.min(queue.size(), 12)); n >= 0; n--) {
      through = queue.remove().id();
      delivered++;
    }
    buffer.acknowledge(through);
  }

  private void reject(Buffer buffer, Random random) throws Exception {
    if (queue.isEmpty()) {
      return;
    }
    PendingRecord first = buffer.read(1, 1).getFirst();
    Expected head = queue.remove();
    assertThat(first.id()).isEqualTo(head.id());
    rejectedRecords.add(head);
    rejected++;
    rejections++;
    buffer.reject(new Rejection(first, 400 + random.nextInt(100), "no", 1, 0));
  }

  private void applyBatch(Buffer buffer, Random random) throws Exception {
    if (rejectedRecords.isEmpty()) {
      return;
    }
    int from = random.nextInt(rejectedRecords.size());
    List<Expected> some =
        rejectedRecords.subList(from, from + 1 + random.nextInt(rejectedRecords.size() - from));
    RejectedRange.Action action =
        random.nextInt(3) == 0 ? RejectedRange.Action.DISCARD : RejectedRange.Action.REDRIVE;
    RejectedRange range =
        new RejectedRange(action, some.getFirst().id() - 1, some.getLast().id(), null);
    int done = 0;
    while (!range.isComplete()) {
      RejectedRange.Batch batch = buffer.apply(range).get(1, TimeUnit.MINUTES);
      done += batch.count();
      range = range.after(batch);
    }
    assertThat(done).isEqualTo(some.size());
    for (Expected one : some) {
      if (action == RejectedRange.Action.DISCARD) {
        discarded++;
      } else {
        redriven++;
        queue.add(new Expected(accepted + redriven, one.payload()));
      }
    }
    rejected -= some.size();
    some.clear();
  }

  private void assertLedger(Buffer buffer, Sqlite second, String where) throws Exception {
    Totals totals = buffer.totals();
    // Every id ever assigned is pending, delivered, or was rejected once.
    long newest = accepted + redriven;
    assertThat(totals)
        .as(where)
        .isEqualTo(
            new Totals(accepted, delivered, rejected, discarded, newest, newest - queue.size()));
    assertThat(totals.pending()).as(where).isEqualTo(queue.size());
    // One statement sees one commit.
    assertThat(
            second.query(
                "SELECT accepted||'='||delivered||'+'||(SELECT count(*) FROM"
                    + " records)||'+'||rejected||', '||(SELECT count(*) FROM rejected)||' rejected'"
                    + " FROM meta WHERE accepted = delivered + rejected + discarded + (SELECT"
                    + " count(*) FROM records)"))
        .as(where)
        .isEqualTo(
            accepted
                + "="
                + delivered
                + "+"
                + queue.size()
                + "+"
                + rejected
                + ", "
                + rejected
                + " rejected");
  }
}
