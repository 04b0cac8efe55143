package com.datanadhi.echopost.buffer;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.time.ManualClock;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BufferCheckTest {
  @TempDir Path directory;

  private static String[] many(int count) {
    return IntStream.rangeClosed(1, count)
        .mapToObj(n -> "{\"n\":" + n + "}")
        .toArray(String[]::new);
  }

  @Test
  void a_check_beside_a_writer_skips_what_would_block_checkpoints_and_does_the_rest()
      throws Exception {
    try (Buffer buffer = Buffer.open(directory, new ManualClock(), BufferListener.NONE)) {
      Appended.store(buffer, many(5_000));
      AtomicLong log = new AtomicLong();

      BufferCheck.Result report =
          BufferCheck.run(directory, () -> log.addAndGet(1_000), 1, _ -> {});

      assertThat(report.unfinished()).isNotEmpty();
      assertThat(report.checked()).isEqualTo(5_000);
      assertThat(report.isSound()).isTrue();
    }
  }
}
