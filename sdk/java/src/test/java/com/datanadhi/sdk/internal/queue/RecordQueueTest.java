package com.datanadhi.sdk.internal.queue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import com.datanadhi.sdk.SubmitResult;
import com.datanadhi.sdk.internal.time.Clock;
import com.datanadhi.sdk.internal.time.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RecordQueueTest {
  private static final Duration TIME_LIMIT = Duration.ofSeconds(60);

  private static OutgoingRecord record(int number) {
    return new OutgoingRecord(List.of(), "{}", Integer.toString(number));
  }

  private static RecordQueue queue(int records, int batch, Clock clock) {
    return new RecordQueue(new QueueLimits(1 << 30, records, batch, 1 << 20), clock);
  }

  private static RecordQueue queueOfBytes(long bytes) {
    return new RecordQueue(new QueueLimits(bytes, 0, 500, 1 << 20), Clock.system());
  }

  private static List<OutgoingRecord> take(RecordQueue queue, int records) {
    return queue.take(records, Long.MAX_VALUE);
  }

  /** A record with so many bytes of heap. */
  private static OutgoingRecord recordOf(int bytes) {
    OutgoingRecord record =
        new OutgoingRecord(List.of(), "\"" + "x".repeat(bytes - 258) + "\"", "k");
    assertThat(record.heapBytes()).isEqualTo(bytes);
    return record;
  }

  private static List<Integer> numbers(List<OutgoingRecord> records) {
    return records.stream().map(record -> Integer.parseInt(record.key())).toList();
  }

  @Test
  void a_record_that_is_given_back_returns_to_its_position() {
    RecordQueue queue = queue(10, 500, Clock.system());
    IntStream.range(0, 6)
        .forEach(n -> assertThat(queue.offer(record(n))).isEqualTo(SubmitResult.ACCEPTED));
    List<OutgoingRecord> first = take(queue, 2);
    List<OutgoingRecord> second = take(queue, 2);
    queue.giveBack(second);
    queue.giveBack(first.subList(1, 2));
    assertThat(numbers(take(queue, 10))).containsExactly(1, 2, 3, 4, 5);
    assertThat(queue.depth()).isZero();
  }

  @Test
  void a_full_queue_refuses_new_records_but_not_those_that_are_given_back() {
    RecordQueue queue = queue(10, 500, Clock.system());
    IntStream.range(0, 10)
        .forEach(n -> assertThat(queue.offer(record(n))).isEqualTo(SubmitResult.ACCEPTED));
    assertThat(queue.offer(record(10))).isEqualTo(SubmitResult.QUEUE_FULL);
    List<OutgoingRecord> taken = take(queue, 3);
    IntStream.range(10, 13)
        .forEach(n -> assertThat(queue.offer(record(n))).isEqualTo(SubmitResult.ACCEPTED));
    queue.giveBack(taken);
    assertThat(queue.depth()).isEqualTo(13);
    assertThat(queue.offer(record(13))).isEqualTo(SubmitResult.QUEUE_FULL);
    assertThat(numbers(take(queue, 20))).isEqualTo(IntStream.range(0, 13).boxed().toList());
  }

  @Test
  void a_closed_queue_refuses_records_and_still_hands_out_its_own() {
    RecordQueue queue = queue(10, 500, Clock.system());
    assertThat(queue.offer(record(0))).isEqualTo(SubmitResult.ACCEPTED);
    queue.close();
    queue.close();
    assertThat(queue.offer(record(1))).isEqualTo(SubmitResult.CLOSED);
    assertThat(queue.depth()).isEqualTo(1);
    assertThat(numbers(take(queue, 10))).containsExactly(0);
    assertThat(queue.isClosed()).isTrue();
  }

  @Test
  void a_wait_ends_at_once_if_the_queue_is_not_empty() {
    RecordQueue queue = queue(10, 500, Clock.system());
    assertThat(queue.offer(record(0))).isEqualTo(SubmitResult.ACCEPTED);
    assertTimeoutPreemptively(Duration.ofSeconds(60), () -> queue.await(Long.MAX_VALUE));
  }

  @Test
  void each_record_has_a_thread_that_waited_for_one() {
    List<OutgoingRecord> records = IntStream.range(0, 3).mapToObj(n -> record(n)).toList();
    for (int round = 0; round < 50; round++) {
      RecordQueue queue = queue(10, 500, Clock.system());
      List<OutgoingRecord> taken = new CopyOnWriteArrayList<>();
      List<Thread> takers = records.stream().map(each -> taker(queue, taken)).toList();
      await()
          .atMost(TIME_LIMIT)
          .until(() ->
              takers.stream().allMatch(taker -> taker.getState() == Thread.State.TIMED_WAITING));
      for (OutgoingRecord record : records) {
        assertThat(queue.offer(record)).isEqualTo(SubmitResult.ACCEPTED);
      }
      await().atMost(TIME_LIMIT).until(() -> taken.size() == records.size());
    }
  }

  /** A thread that waits for a record, takes it and ends. */
  private static Thread taker(RecordQueue queue, List<OutgoingRecord> taken) {
    Thread taker =
        new Thread(() -> {
          try {
            List<OutgoingRecord> one;
            do {
              queue.await(Duration.ofDays(1).toMillis());
              one = take(queue, 1);
            } while (one.isEmpty());
            taken.addAll(one);
          } catch (InterruptedException impossible) {
            throw new AssertionError(impossible);
          }
        });
    taker.setDaemon(true);
    taker.start();
    return taker;
  }

  @Test
  void a_wait_for_a_batch_ends_when_it_is_complete_or_the_queue_is_closed() throws Exception {
    RecordQueue complete = queue(10, 2, Clock.system());
    assertThat(
            endsAfter(
                complete,
                () -> assertThat(complete.offer(record(1))).isEqualTo(SubmitResult.ACCEPTED)))
        .isTrue();
    RecordQueue closed = queue(10, 5, Clock.system());
    assertThat(endsAfter(closed, closed::close)).isTrue();
    // Half of the queue is enough: else it would be full before a batch is complete.
    RecordQueue small = queue(4, 500, Clock.system());
    assertThat(
            endsAfter(
                small, () -> assertThat(small.offer(record(1))).isEqualTo(SubmitResult.ACCEPTED)))
        .isTrue();
  }

  /** Whether a wait for a batch, which begins with one record, goes on until {@code event}. */
  private static boolean endsAfter(RecordQueue queue, Runnable event) throws Exception {
    // There is nothing to wait for.
    queue.awaitBatch(Duration.ofDays(1));
    assertThat(queue.offer(record(0))).isEqualTo(SubmitResult.ACCEPTED);
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
    RecordQueue queue = queue(10, 5, time);
    assertThat(queue.offer(record(0))).isEqualTo(SubmitResult.ACCEPTED);
    time.sleep(Duration.ofDays(1));
    assertThat(queue.offer(record(1))).isEqualTo(SubmitResult.ACCEPTED);
    assertTimeoutPreemptively(TIME_LIMIT, () -> queue.awaitBatch(Duration.ofDays(1)));
    assertThat(numbers(queue.takeWhile(next -> !next.key().equals("1")))).containsExactly(0);
    assertThat(queue.depth()).isEqualTo(1);
  }

  @Test
  void records_that_were_taken_count_until_they_are_settled() {
    RecordQueue queue = queueOfBytes(10_000);
    assertThat(queue.offer(recordOf(6_000))).isEqualTo(SubmitResult.ACCEPTED);
    assertThat(queue.offer(recordOf(4_001))).isEqualTo(SubmitResult.QUEUE_FULL);
    assertThat(queue.offer(recordOf(4_000))).isEqualTo(SubmitResult.ACCEPTED);
    List<OutgoingRecord> taken = take(queue, 1);
    assertThat(queue.offer(recordOf(300))).isEqualTo(SubmitResult.QUEUE_FULL);
    queue.giveBack(taken);
    assertThat(queue.heldBytes()).isEqualTo(10_000);
    queue.settle(take(queue, 1));
    assertThat(queue.heldBytes()).isEqualTo(4_000);
    assertThat(queue.offer(recordOf(6_000))).isEqualTo(SubmitResult.ACCEPTED);
  }

  @Test
  void a_record_that_is_larger_than_the_queue_is_accepted_alone() {
    RecordQueue queue = queueOfBytes(1_000);
    assertThat(queue.offer(recordOf(5_000))).isEqualTo(SubmitResult.ACCEPTED);
    assertThat(queue.offer(recordOf(300))).isEqualTo(SubmitResult.QUEUE_FULL);
  }

  @Test
  void the_queue_counts_as_full_while_there_is_no_space_for_a_record_that_was_refused() {
    RecordQueue queue = queueOfBytes(10_000);
    assertThat(queue.offer(recordOf(4_000))).isEqualTo(SubmitResult.ACCEPTED);
    assertThat(queue.offer(recordOf(4_000))).isEqualTo(SubmitResult.ACCEPTED);
    assertThat(queue.full().isReached()).isFalse();
    assertThat(queue.offer(recordOf(4_000))).isEqualTo(SubmitResult.QUEUE_FULL);
    assertThat(queue.full().isReached()).isTrue();
    assertThat(queue.nearlyFull().isReached()).isTrue();
    queue.settle(take(queue, 1));
    assertThat(queue.full().isReached()).isFalse();
  }

  @Test
  void a_take_is_bounded_in_bytes_but_takes_at_least_one_record() {
    RecordQueue queue = queueOfBytes(1 << 20);
    for (int i = 0; i < 4; i++) {
      assertThat(queue.offer(recordOf(1_256))).isEqualTo(SubmitResult.ACCEPTED);
    }
    assertThat(queue.take(100, 2_500)).hasSize(2);
    assertThat(queue.take(100, 10)).hasSize(1);
    assertThat(queue.take(100, 2_500)).hasSize(1);
  }

  @Test
  void characters_outside_ascii_count_two_bytes() {
    assertThat(new OutgoingRecord(List.of(), "\"\u20ac\"", "k").heapBytes()).isEqualTo(262);
    assertThat(new OutgoingRecord(List.of(), "\"\u20ac\"", "k").bytes()).isEqualTo(5);
  }

  @Test
  void an_offer_that_may_wait_gets_the_space_that_is_freed() throws Exception {
    RecordQueue queue = queueOfBytes(1_000);
    assertThat(queue.offer(recordOf(900), TIME_LIMIT)).isEqualTo(SubmitResult.ACCEPTED);
    List<OutgoingRecord> taken = take(queue, 1);
    assertThat(resultAfter(queue, () -> queue.settle(taken))).isEqualTo(SubmitResult.ACCEPTED);
    assertThat(queue.offer(recordOf(900), Duration.ofMillis(1))).isEqualTo(SubmitResult.QUEUE_FULL);
    assertThat(resultAfter(queue, queue::close)).isEqualTo(SubmitResult.CLOSED);
  }

  /** The result of an offer that waits until {@code event}. */
  private static SubmitResult resultAfter(RecordQueue queue, Runnable event) throws Exception {
    AtomicReference<SubmitResult> result = new AtomicReference<>();
    Thread waiting =
        new Thread(() -> {
          try {
            result.set(queue.offer(recordOf(900), Duration.ofDays(1)));
          } catch (InterruptedException timeout) {
            // The thread ends, after the time limit.
          }
        });
    waiting.start();
    await().atMost(TIME_LIMIT).until(() -> waiting.getState() == Thread.State.TIMED_WAITING);
    event.run();
    waiting.join(TIME_LIMIT.toMillis());
    waiting.interrupt();
    return result.get();
  }

  @Test
  void each_record_is_taken_once_by_many_threads() throws Exception {
    long seed = System.nanoTime();
    System.out.println("RecordQueueTest: seed " + seed);
    RecordQueue queue = queue(500, 500, Clock.system());
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
              while (!queue.offer(record(n)).isAccepted()) {
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
                List<OutgoingRecord> taken = take(queue, 1 + random.nextInt(50));
                int kept = random.nextInt(taken.size() + 1);
                for (int n : numbers(taken.subList(0, kept))) {
                  if (!seen.add(n)) {
                    synchronized (twice) {
                      twice.add(n);
                    }
                  }
                }
                queue.giveBack(taken.subList(kept, taken.size()));
                queue.settle(taken.subList(0, kept));
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
    assertThat(queue.heldBytes()).isZero();
  }
}
