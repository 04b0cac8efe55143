package com.datanadhi.sdk.internal.queue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import com.datanadhi.sdk.internal.time.Clock;
import com.datanadhi.sdk.internal.time.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RecordQueueTest {
  private static final Duration TIME_LIMIT = Duration.ofSeconds(60);

  private static OutgoingRecord record(int number) {
    return new OutgoingRecord(List.of(), "{}", Integer.toString(number));
  }

  private static List<Integer> numbers(List<OutgoingRecord> records) {
    return records.stream().map(record -> Integer.parseInt(record.key())).toList();
  }

  @Test
  void a_record_that_is_given_back_returns_to_its_position() {
    RecordQueue queue = new RecordQueue(10, 500, Clock.system());
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
    RecordQueue queue = new RecordQueue(10, 500, Clock.system());
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
    RecordQueue queue = new RecordQueue(10, 500, Clock.system());
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
    RecordQueue queue = new RecordQueue(10, 500, Clock.system());
    assertThat(queue.offer(record(0))).isTrue();
    assertTimeoutPreemptively(Duration.ofSeconds(60), () -> queue.await(Long.MAX_VALUE));
  }

  @Test
  void a_wait_for_a_batch_ends_when_it_is_complete_or_the_queue_is_closed() throws Exception {
    RecordQueue complete = new RecordQueue(10, 2, Clock.system());
    assertThat(endsAfter(complete, () -> assertThat(complete.offer(record(1))).isTrue())).isTrue();
    RecordQueue closed = new RecordQueue(10, 5, Clock.system());
    assertThat(endsAfter(closed, closed::close)).isTrue();
    // Half of the queue is enough: else it would be full before a batch is complete.
    RecordQueue small = new RecordQueue(4, 500, Clock.system());
    assertThat(endsAfter(small, () -> assertThat(small.offer(record(1))).isTrue())).isTrue();
  }

  /** Whether a wait for a batch, which begins with one record, goes on until {@code event}. */
  private static boolean endsAfter(RecordQueue queue, Runnable event) throws Exception {
    // There is nothing to wait for.
    queue.awaitBatch(Duration.ofDays(1));
    assertThat(queue.offer(record(0))).isTrue();
    Thread waiting =
        new Thread(() -> {
          try {
            queue.awaitBatch(Duration.ofDays(1));
          } catch (InterruptedException timeout) {
            // The thread ends, after the time limit.
          }
        });
    waiting.start();
    await().atMost(TIME_LIMIT).until(() -> waiting.getState() == Thread.State.TIMED_WAITING);
    event.run();
    waiting.join(TIME_LIMIT.toMillis());
    boolean ended = !waiting.isAlive();
    waiting.interrupt();
    return ended;
  }

  @Test
  void a_record_waits_for_a_batch_no_longer_than_the_bound_since_it_was_offered() throws Exception {
    ManualTime time = new ManualTime();
    RecordQueue queue = new RecordQueue(10, 5, time);
    assertThat(queue.offer(record(0))).isTrue();
    time.sleep(Duration.ofDays(1));
    assertThat(queue.offer(record(1))).isTrue();
    assertTimeoutPreemptively(TIME_LIMIT, () -> queue.awaitBatch(Duration.ofDays(1)));
    assertThat(numbers(queue.takeWhile(next -> !next.key().equals("1")))).containsExactly(0);
    assertThat(queue.depth()).isEqualTo(1);
  }

  @Test
  void each_record_is_taken_once_by_many_threads() throws Exception {
    long seed = System.nanoTime();
    System.out.println("RecordQueueTest: seed " + seed);
    RecordQueue queue = new RecordQueue(500, 500, Clock.system());
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
