package com.datanadhi.sdk.internal.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.sdk.internal.time.ManualTime;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InterProcessLockTest {
  private static final Duration TIMEOUT = Duration.ofMinutes(15);

  @TempDir Path directory;
  private final ManualTime time = new ManualTime();

  @Test
  void a_lock_that_another_holds_is_awaited_until_the_timeout() throws Exception {
    Path file = directory.resolve("lock");
    InterProcessLock lock = new InterProcessLock(file, time, time);
    try (FileChannel channel =
            FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock held = channel.lock()) {
      assertThat(held.isValid()).isTrue();
      assertThatThrownBy(() -> lock.withLock(TIMEOUT, () -> "not reached"))
          .isInstanceOf(TimeoutException.class)
          .hasMessageContaining(file.toString());
    }
    assertThat(time.elapsed()).isGreaterThan(TIMEOUT);
    assertThat(lock.<String>withLock(TIMEOUT, () -> "locked")).isEqualTo("locked");
  }

  @Test
  void a_lock_is_released_when_the_action_throws() throws Exception {
    InterProcessLock lock = new InterProcessLock(directory.resolve("lock"), time, time);
    assertThatThrownBy(() ->
            lock.withLock(
                TIMEOUT,
                () -> {
                  throw new IOException("disk full");
                }))
        .isInstanceOf(IOException.class)
        .hasMessage("disk full");
    assertThat(lock.<String>withLock(Duration.ZERO, () -> "locked")).isEqualTo("locked");
  }
}
