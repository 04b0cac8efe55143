package com.datanadhi.echopost.replay;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class BatchSizeTest {
  private static final long PROMPT = 1_000_000;
  private static final long LATE = BatchSize.PROMPT.toNanos() + 1;

  private final BatchSize size = new BatchSize();

  private void grow() {
    while (size.records() < BatchSize.LARGEST) {
      size.answered(size.records(), PROMPT);
    }
  }

  @Test
  void it_doubles_from_one_to_the_limit() {
    for (int expected : new int[] {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_000, 1_000}) {
      assertThat(size.records()).isEqualTo(expected);
      size.answered(size.records(), PROMPT);
    }
  }

  @Test
  void a_batch_that_was_not_full_does_not_make_it_grow() {
    size.answered(1, PROMPT);
    size.answered(1, PROMPT);
    assertThat(size.records()).isEqualTo(2);
  }

  /// Answers full batches promptly until the size changes, and returns how many it took.
  private int batchesUntilItGrows() {
    int before = size.records();
    int batches = 0;
    while (size.records() == before && batches < 100) {
      size.answered(before, PROMPT);
      batches++;
    }
    return batches;
  }

  @Test
  void a_late_answer_halves_it_and_16_prompt_ones_double_it_again() {
    grow();
    size.answered(1_000, LATE);
    assertThat(size.records()).isEqualTo(500);
    assertThat(batchesUntilItGrows()).isEqualTo(BatchSize.PROMPT_AT_BOUND);
    assertThat(size.records()).isEqualTo(1_000);
    size.answered(10, LATE);
    assertThat(size.records()).isEqualTo(5);
    assertThat(batchesUntilItGrows()).isEqualTo(BatchSize.PROMPT_AT_BOUND);
    assertThat(batchesUntilItGrows()).isEqualTo(1);
    assertThat(size.records()).isEqualTo(20);
  }

  @Test
  void a_server_with_a_limit_refuses_one_batch_in_17() {
    int tooLarge = 0;
    for (int i = 0; i < 1_000; i++) {
      if (size.records() > 300) {
        size.halve(size.records());
        tooLarge++;
      } else {
        size.answered(size.records(), PROMPT);
      }
    }
    assertThat(tooLarge).isBetween(1, 1 + 1_000 / (BatchSize.PROMPT_AT_BOUND + 1));
  }

  @Test
  void too_large_halves_down_to_one_and_25_prompt_batches_bring_it_back() {
    grow();
    for (int i = 0; i < 20; i++) {
      size.halve(size.records());
    }
    assertThat(size.records()).isEqualTo(1);
    int batches = 0;
    while (size.records() < BatchSize.LARGEST) {
      size.answered(size.records(), PROMPT);
      batches++;
    }
    assertThat(batches).isEqualTo(25);
  }

  @Test
  void after_a_restart_it_doubles_up_to_half_the_size_that_got_no_answer() {
    grow();
    size.restart();
    assertThat(size.records()).isEqualTo(1);
    size.restart();
    for (int i = 0; i < 9; i++) {
      size.answered(size.records(), PROMPT);
    }
    assertThat(size.records()).isEqualTo(500);
    assertThat(batchesUntilItGrows()).isEqualTo(BatchSize.PROMPT_AT_BOUND);
    assertThat(size.records()).isEqualTo(1_000);
  }
}
