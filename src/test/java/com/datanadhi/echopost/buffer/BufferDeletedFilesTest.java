package com.datanadhi.echopost.buffer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Another process deletes the files of an open buffer.
class BufferDeletedFilesTest extends BufferFixture {
  private static final int RECORDS = 50;
  private static final int ROUNDS = 40;
  private static final int LONGEST_PAUSE_NANOS = 12_000_000;

  private void deleteAll() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.toList()) {
        Files.deleteIfExists(file);
      }
    }
  }

  private void restoreStep() {
    clock.advance(Duration.ofSeconds(2));
    buffer.checkNames();
  }

  /// An empty database in its place would be taken for the buffer.
  @Test
  void a_copy_that_is_deleted_before_it_is_opened_is_made_again() throws Exception {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int n = 0; n < RECORDS; n++) {
      Appended.store(buffer, "{\"n\":" + n + "}");
    }

    for (int round = 0; round < ROUNDS; round++) {
      deleteAll();
      await()
          .pollInterval(Duration.ofNanos(100_000))
          .until(() -> {
            restoreStep();
            return Files.exists(directory.resolve("buffer.db"));
          });
      long until = System.nanoTime() + random.nextInt(LONGEST_PAUSE_NANOS);
      while (System.nanoTime() - until < 0) {
        Thread.onSpinWait();
      }
    }

    await()
        .until(() -> {
          restoreStep();
          return List.of("buffer.db", "buffer.db-wal", "buffer.db-shm", "buffer.db-watermark")
              .stream()
              .allMatch(name -> Files.exists(directory.resolve(name)));
        });
    assertThat(buffer.failure()).as("seed %d", seed).isNull();
    reopen();
    assertThat(buffer.totals().pending()).as("seed %d", seed).isEqualTo(RECORDS);
  }
}
