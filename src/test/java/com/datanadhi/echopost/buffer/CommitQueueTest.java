package com.datanadhi.echopost.buffer;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.record.NewRecord;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class CommitQueueTest {
  private static final String MIB = "x".repeat(1 << 20);

  private final CommitQueue queue = new CommitQueue();

  private WriterWork.Append append(int records, String payload, long nanos) {
    Appended request =
        Appended.of(
            Collections.nCopies(records, Appended.record(payload, "", null))
                .toArray(NewRecord[]::new));
    WriterWork.Append append = WriterWork.Append.of(request, nanos);
    queue.enqueue(append);
    return append;
  }

  private WriterWork.Task<Integer> task(WriterWork.Option... options) {
    WriterWork.Task<Integer> task = WriterWork.Task.of(_ -> 1, options);
    queue.enqueue(task);
    return task;
  }

  @Test
  void a_batch_has_appends_and_tasks_each_in_the_order_of_arrival() {
    WriterWork.Append first = append(1, "1", 10);
    WriterWork.Task<Integer> second = task();
    WriterWork.Append third = append(1, "3", 30);
    WriterWork.Task<Integer> fourth = task();

    assertThat(take())
        .isEqualTo(new CommitQueue.Batch(List.of(first, third), List.of(second, fourth)));
    assertThat(queue.isEmpty()).isTrue();
    assertThat(take().isEmpty()).isTrue();
  }

  @Test
  void a_batch_is_bounded_in_records() {
    WriterWork.Append large = append(4_000, "1", 10);
    WriterWork.Append fits = append(96, "1", 20);
    WriterWork.Append next = append(1, "1", 30);

    assertThat(take().appends()).containsExactly(large, fits);
    assertThat(take().appends()).containsExactly(next);
  }

  @Test
  void a_batch_is_bounded_in_bytes() {
    WriterWork.Append first = append(3, MIB, 10);
    WriterWork.Append second = append(1, MIB, 20);

    assertThat(take().appends()).containsExactly(first);
    assertThat(take().appends()).containsExactly(second);
  }

  @Test
  void an_append_beyond_the_bounds_is_a_batch_by_itself() {
    WriterWork.Append large = append(5_000, "1", 10);
    WriterWork.Task<Integer> next = task();

    CommitQueue.Batch batch = take();
    assertThat(batch.appends()).containsExactly(large);
    assertThat(batch.tasks()).isEmpty();
    assertThat(take().tasks()).containsExactly(next);
  }

  @Test
  void all_that_waits_can_be_taken_at_once() {
    WriterWork.Append first = append(5_000, "1", 10);
    WriterWork.Append second = append(5_000, "1", 20);

    assertThat(queue.takeAll().appends()).containsExactly(first, second);
  }

  @Test
  void work_counts_as_waiting_until_it_is_completed() {
    WriterWork.Append append = append(2, "12", 10);
    WriterWork.Task<Integer> counted = task(WriterWork.Option.COUNTS_AS_RECORD);
    WriterWork.Task<Integer> other = task();
    assertThat(take().isEmpty()).isFalse();
    assertThat(queue.waitingRecords()).isEqualTo(3);
    assertThat(queue.waitingBytes()).isEqualTo(2L * (2 + "[\"p\"]".getBytes(UTF_8).length));

    queue.completed(append);
    assertThat(queue.waitingRecords()).isEqualTo(1);
    queue.completed(counted);
    queue.completed(other);

    assertThat(queue.waitingRecords()).isZero();
    assertThat(queue.waitingBytes()).isZero();
  }

  @Test
  void the_oldest_append_is_that_of_the_batch_under_way_or_else_of_the_next() {
    assertThat(queue.oldestWaitingNanos()).isNull();
    WriterWork.Append _ = append(1, "1", 10);
    assertThat(queue.oldestWaitingNanos()).isEqualTo(10);
    CommitQueue.Batch batch = take();
    WriterWork.Append _ = append(1, "1", 20);
    assertThat(batch.oldestNanos()).isEqualTo(10);
    assertThat(queue.oldestWaitingNanos()).isEqualTo(10);

    queue.batchCompleted();

    assertThat(queue.oldestWaitingNanos()).isEqualTo(20);
  }

  @Test
  void a_batch_is_single_with_one_piece_of_work_of_at_most_one_record() {
    WriterWork.Append _ = append(1, "1", 10);
    assertThat(take().isSingle()).isTrue();
    WriterWork.Append _ = append(2, "1", 10);
    assertThat(take().isSingle()).isFalse();
    WriterWork.Task<Integer> _ = task();
    assertThat(take().isSingle()).isTrue();
    WriterWork.Task<Integer> _ = task();
    WriterWork.Append _ = append(1, "1", 10);
    assertThat(take().isSingle()).isFalse();
  }

  private CommitQueue.Batch take() {
    return queue.take(GroupCommit.MAX_RECORDS, GroupCommit.MAX_BYTES);
  }
}
