package com.datanadhi.sdk.internal.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.sdk.internal.time.ManualTime;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class BatchSizeTest {
  private static final Duration FAST = Duration.ofSeconds(1);
  private static final Duration SLOW = Duration.ofMillis(1_001);

  private final ManualTime time = new ManualTime();
  private final BatchSize size = new BatchSize(500, time);

  /** Answers full requests until the size changes, or 100 of them. */
  private int answeredUntilItGrows() {
    int before = size.next();
    int requests = 0;
    while (size.next() == before && requests < 100) {
      size.answered(before, FAST);
      requests++;
    }
    return requests;
  }

  @Test
  void a_size_that_was_too_large_or_too_slow_is_tried_again_after_16_good_batches() {
    assertThat(size.next()).isEqualTo(500);
    size.tooLarge(400);
    assertThat(size.next()).isEqualTo(200);
    assertThat(answeredUntilItGrows()).isEqualTo(16);
    assertThat(size.next()).isEqualTo(400);
    size.answered(400, SLOW);
    assertThat(size.next()).isEqualTo(200);
    assertThat(answeredUntilItGrows()).isEqualTo(16);
    assertThat(answeredUntilItGrows()).isEqualTo(1);
    assertThat(size.next()).isEqualTo(500);
  }

  @Test
  void from_one_record_it_is_at_its_maximum_after_25_good_requests() {
    for (int i = 0; i < 9; i++) {
      size.tooLarge(size.next());
    }
    assertThat(size.next()).isEqualTo(1);
    int requests = 0;
    while (size.next() < 500) {
      size.answered(size.next(), FAST);
      requests++;
    }
    assertThat(requests).isEqualTo(25 - 1);
  }

  @Test
  void a_batch_that_is_not_full_does_not_make_it_grow() {
    size.tooLarge(500);
    for (int i = 0; i < 100; i++) {
      size.answered(249, FAST);
      size.answered(1, FAST);
      size.answered(1, SLOW);
    }
    assertThat(size.next()).isEqualTo(250);
  }

  @Test
  void a_batch_without_an_answer_is_halved_and_a_single_record_is_not() {
    size.unavailable(7);
    assertThat(size.next()).isEqualTo(3);
    size.unavailable(1);
    assertThat(size.next()).isEqualTo(3);
    size.unavailable(2);
    assertThat(size.next()).isEqualTo(1);
    assertThat(answeredUntilItGrows()).isEqualTo(16);
    assertThat(answeredUntilItGrows()).isEqualTo(1);
    assertThat(size.next()).isEqualTo(4);
  }

  @Test
  void batches_of_other_workers_that_were_sent_before_do_not_count_twice() {
    size.tooLarge(500);
    size.tooLarge(500);
    assertThat(size.next()).isEqualTo(250);
    size.tooLarge(250);
    size.tooLarge(500);
    assertThat(size.next()).isEqualTo(125);
  }

  @Test
  void after_three_unreadable_answers_in_a_row_records_go_one_by_one_for_a_minute()
      throws Exception {
    assertThat(size.unreadable()).isFalse();
    assertThat(size.unreadable()).isFalse();
    size.answered(500, FAST);
    assertThat(size.unreadable()).isFalse();
    assertThat(size.unreadable()).isFalse();
    assertThat(size.next()).isEqualTo(500);
    assertThat(size.unreadable()).isTrue();
    assertThat(size.next()).isEqualTo(1);
    size.answered(1, SLOW);
    time.sleep(Duration.ofSeconds(61));
    assertThat(size.next()).isEqualTo(500);
  }

  @Test
  void records_go_in_batches_again_when_the_server_is_back_after_it_was_down() {
    for (int i = 0; i < 3; i++) {
      boolean unused = size.unreadable();
    }
    assertThat(size.next()).isEqualTo(1);
    size.unavailable(1);
    assertThat(size.next()).isEqualTo(500);
  }

  @Test
  void any_other_answer_ends_a_row_of_unreadable_ones() {
    Runnable[] others = {
      size::refused, () -> size.tooLarge(1_000), () -> size.unavailable(1_000),
    };
    for (Runnable other : others) {
      assertThat(size.unreadable()).isFalse();
      assertThat(size.unreadable()).isFalse();
      other.run();
    }
    assertThat(size.next()).isEqualTo(500);
  }
}
