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

  @Test
  void a_late_answer_halves_it_and_then_it_grows_slowly() {
    grow();
    size.answered(1_000, LATE);
    assertThat(size.records()).isEqualTo(500);
    size.answered(500, PROMPT);
    assertThat(size.records()).isEqualTo(531);
    size.answered(10, LATE);
    assertThat(size.records()).isEqualTo(5);
    size.answered(5, PROMPT);
    assertThat(size.records()).isEqualTo(6);
  }

  @Test
  void too_large_halves_down_to_one() {
    grow();
    for (int i = 0; i < 20; i++) {
      size.halve(size.records());
    }
    assertThat(size.records()).isEqualTo(1);
  }

  @Test
  void after_a_restart_it_doubles_up_to_the_size_that_is_known_to_be_good() {
    grow();
    size.halve(1_000);
    size.restart();
    assertThat(size.records()).isEqualTo(1);
    for (int i = 0; i < 9; i++) {
      size.answered(size.records(), PROMPT);
    }
    assertThat(size.records()).isEqualTo(500);
  }
}
