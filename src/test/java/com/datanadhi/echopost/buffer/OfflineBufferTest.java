package com.datanadhi.echopost.buffer;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.record.RejectedRange;
import com.datanadhi.echopost.record.RejectedRange.Action;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// A buffer that an operator changes while no agent runs.
class OfflineBufferTest extends BufferFixture {
  @Test
  void records_are_redriven_and_discarded_without_an_agent() throws Exception {
    Appended.store(buffer, "1", "2", "3");
    for (int status : new int[] {400, 422, 400}) {
      rejectNext(status);
    }
    buffer.close();
    try (OfflineBuffer offline = OfflineBuffer.open(directory, new RecordKeys())) {
      assertThat(offline.apply(new RejectedRange(Action.REDRIVE, 0, 3, 400)).count()).isEqualTo(2);
      assertThat(offline.apply(new RejectedRange(Action.DISCARD, 0, 3, null)).count()).isEqualTo(1);
    }
    open();
    assertThat(buffer.wasDamaged()).isFalse();
    assertThat(payloadsAndKeys()).containsExactly("1 " + source() + "-1", "3 " + source() + "-3");
    assertLedger("3 0 2 0 1", "2 0");
  }

  @Test
  void a_file_without_a_first_commit_is_a_buffer() throws Exception {
    Path fresh = Files.createDirectory(directory.resolve("fresh"));
    Files.createFile(fresh.resolve("buffer.db"));
    OfflineBuffer.open(fresh, new RecordKeys()).close();
    try (BufferView view = BufferView.open(fresh)) {
      assertThat(view.totals().pending()).isZero();
    }
  }
}
