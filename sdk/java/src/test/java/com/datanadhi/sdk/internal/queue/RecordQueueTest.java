package com.datanadhi.sdk.internal.queue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RecordQueueTest {
  private static OutgoingRecord record(int number) {
    return new OutgoingRecord(List.of(), "{}", Integer.toString(number));
  }

  private static List<Integer> numbers(List<OutgoingRecord> records) {
    return records.stream().map(record -> Integer.parseInt(record.key())).toList();
  }

  @Test
  void a_record_that_is_given_back_returns_to_its_position() {
    RecordQueue queue = new RecordQueue(10);
    IntStream.range(0, 6).forEach(n -> assertThat(queue.offer(record(n))).isTrue());
    List<OutgoingRecord> first = queue.take(2);
    List<OutgoingRecord> second = queue.take(2);
    queue.giveBack(second);
    queue.giveBack(first.subList(1, 2));
    assertThat(numbers(queue.take(10))).containsExactly(1, 2, 3, 4, 5);
    assertThat(queue.depth()).isZero();
  }

  @Test
  void a_full_queue_refuses_new_records_but_not_those_that_are_given_back() {
    RecordQueue queue = new RecordQueue(10);
    IntStream.range(0, 10).forEach(n -> assertThat(queue.offer(record(n))).isTrue());
    assertThat(queue.offer(record(10))).isFalse();
    List<OutgoingRecord> taken = queue.take(3);
    IntStream.range(10, 13).forEach(n -> assertThat(queue.offer(record(n))).isTrue());
    queue.giveBack(taken);
    assertThat(queue.depth()).isEqualTo(13);
    assertThat(queue.offer(record(13))).isFalse();
    assertThat(numbers(queue.take(20))).isEqualTo(IntStream.range(0, 13).boxed().toList());
  }

  @Test
  void a_closed_queue_refuses_records_and_still_hands_out_its_own() {
    RecordQueue queue = new RecordQueue(10);
    assertThat(queue.offer(record(0))).isTrue();
    queue.close();
    queue.close();
    assertThat(queue.offer(record(1))).isFalse();
    assertThat(queue.depth()).isEqualTo(1);
    assertThat(numbers(queue.take(10))).containsExactly(0);
    assertThat(queue.isClosed()).isTrue();
  }

  @Test
  void a_wait_ends_at_once_if_the_queue_is_not_empty() {
    RecordQueue queue = new RecordQueue(10);
    assertThat(queue.offer(record(0))).isTrue();
    assertTimeoutPreemptively(Duration.ofSeconds(60), () -> queue.await(Long.MAX_VALUE));
  }

  @Test
  void each_record_is_taken_once_by_many_threads() throws Exception {
    long seed = System.nanoTime();
    System.out.println("RecordQueueTest: seed " + seed);
    RecordQueue queue = new RecordQueue(500);
    int threads = 4;
    int each = 20_000;
    Set<Integer> seen = ConcurrentHashMap.newKeySet();
    List<Integer> twice = new ArrayList<>();
    List<Thread> all = new ArrayList<>();
    for (int t = 0; t < threads; t++) {
      int from = t * each;
      all.add(
          new Thread(() -> {
            for (int n = from; n < from + each; n++) {
              while (!queue.offer(record(n))) {
                Thread.onSpinWait();
              }
            }
          }));
      Random random = new Random(seed + t);
      all.add(
          new Thread(() -> {
            try {
              while (seen.size() < threads * each) {
                queue.await(5);
                List<OutgoingRecord> taken = queue.take(1 + random.nextInt(50));
                int kept = random.nextInt(taken.size() + 1);
                for (int n : numbers(taken.subList(0, kept))) {
                  if (!seen.add(n)) {
                    synchronized (twice) {
                      twice.add(n);
                    }
                  }
                }
                queue.giveBack(taken.subList(kept, taken.size()));
              }
            } catch (InterruptedException timeout) {
              // The assertions below then fail.
            }
          }));
    }
    all.forEach(Thread::start);
    for (Thread thread : all) {
      thread.join(60_000);
      thread.interrupt();
    }
    assertThat(twice).isEmpty();
    assertThat(seen).hasSize(threads * each);
    assertThat(queue.depth()).isZero();
  }
}
