package com.datanadhi.sdk.internal.queue;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class OutstandingTest {
  private final Outstanding outstanding = new Outstanding();

  private OutgoingRecord add() {
    OutgoingRecord record = new OutgoingRecord(List.of(), "{}", "key");
    outstanding.add(record);
    return record;
  }

  @Test
  void each_flush_waits_for_the_records_before_it() {
    OutgoingRecord first = add();
    Outstanding.Earlier beforeSecond = outstanding.earlier();
    OutgoingRecord second = add();
    Outstanding.Earlier beforeThird = outstanding.earlier();
    add();
    assertThat(outstanding.settle(second)).isTrue();
    assertThat(beforeSecond.areSettled()).isFalse();
    assertThat(beforeThird.areSettled()).isFalse();
    assertThat(outstanding.settle(first)).isTrue();
    assertThat(beforeSecond.areSettled()).isTrue();
    assertThat(beforeThird.areSettled()).isTrue();
    assertThat(outstanding.count()).isEqualTo(1);
  }

  @Test
  void a_record_that_was_cleared_cannot_be_settled() {
    OutgoingRecord first = add();
    outstanding.earlier();
    OutgoingRecord second = add();
    assertThat(outstanding.settle(first)).isTrue();
    assertThat(outstanding.clear()).isEqualTo(1);
    assertThat(outstanding.settle(second)).isFalse();
    assertThat(outstanding.count()).isZero();
  }

  @Test
  void no_record_is_missed_while_groups_end() throws Exception {
    AtomicBoolean ends = new AtomicBoolean(true);
    Thread flusher =
        new Thread(() -> {
          while (ends.get()) {
            outstanding.earlier();
          }
        });
    flusher.start();
    List<OutgoingRecord> added = new ArrayList<>();
    try {
      for (int i = 0; i < 100_000; i++) {
        added.add(add());
        // The flusher forgets empty groups, so most of them are.
        if (i % 3 != 0) {
          assertThat(outstanding.settle(added.remove(added.size() - 1))).isTrue();
        }
        assertThat(outstanding.earlier().areSettled()).isFalse();
        if (added.size() == 100) {
          added.forEach(outstanding::settle);
          added.clear();
          assertThat(outstanding.earlier().areSettled()).isTrue();
          added.add(add());
        }
      }
    } finally {
      ends.set(false);
      flusher.join();
    }
    assertThat(outstanding.count()).isEqualTo(added.size());
  }
}
