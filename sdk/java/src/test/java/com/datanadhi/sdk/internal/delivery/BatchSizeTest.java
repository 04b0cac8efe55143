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

  @Test
  void a_slow_server_gets_smaller_batches_until_it_answers_within_a_second() {
    assertThat(size.next()).isEqualTo(500);
    size.answered(SLOW);
    size.answered(SLOW);
    assertThat(size.next()).isEqualTo(125);
    size.answered(FAST);
    size.answered(FAST);
    size.answered(FAST);
    assertThat(size.next()).isEqualTo(500);
    size.notAnswered(7);
    assertThat(size.next()).isEqualTo(3);
    size.notAnswered(1);
    assertThat(size.next()).isEqualTo(1);
  }

  @Test
  void the_size_that_was_too_large_is_not_tried_again_for_a_minute() throws Exception {
    size.tooLarge(400);
    assertThat(size.next()).isEqualTo(200);
    size.answered(FAST);
    assertThat(size.next()).isEqualTo(200);
    time.sleep(Duration.ofSeconds(61));
    assertThat(size.next()).isEqualTo(400);
    size.answered(FAST);
    assertThat(size.next()).isEqualTo(500);
  }

  @Test
  void after_three_unreadable_answers_in_a_row_records_go_one_by_one_for_a_minute()
      throws Exception {
    assertThat(size.unreadable()).isFalse();
    assertThat(size.unreadable()).isFalse();
    size.answered(FAST);
    assertThat(size.unreadable()).isFalse();
    assertThat(size.unreadable()).isFalse();
    assertThat(size.next()).isEqualTo(500);
    assertThat(size.unreadable()).isTrue();
    assertThat(size.next()).isEqualTo(1);
    time.sleep(Duration.ofSeconds(61));
    assertThat(size.next()).isEqualTo(500);
  }
}
