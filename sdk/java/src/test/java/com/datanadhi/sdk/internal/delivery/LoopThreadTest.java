package com.datanadhi.sdk.internal.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.sdk.internal.logging.RateLimitedLog;
import com.datanadhi.sdk.internal.time.ManualTime;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class LoopThreadTest {
  private static final Duration TIME_LIMIT = Duration.ofSeconds(60);

  private final ManualTime time = new ManualTime();
  private final AtomicInteger turns = new AtomicInteger();
  private final CountDownLatch waiting = new CountDownLatch(1);

  private LoopThread thread(LoopThread.Turn turn) {
    return new LoopThread("test-loop", new RateLimitedLog(time), time, turn);
  }

  private void waitUntilInterrupted() throws InterruptedException {
    waiting.countDown();
    new CountDownLatch(1).await();
  }

  @Test
  void a_thread_pauses_and_continues_after_an_error() throws Exception {
    LoopThread thread =
        thread(() -> {
          if (turns.incrementAndGet() <= 3) {
            throw new AssertionError("turn " + turns);
          }
          waitUntilInterrupted();
        });
    thread.start();
    assertThat(waiting.await(60, TimeUnit.SECONDS)).isTrue();
    assertThat(time.elapsed()).isEqualTo(Duration.ofMillis(600));
    thread.stop();
    thread.awaitEnd(TIME_LIMIT);
    assertThat(turns).hasValue(4);
  }

  @Test
  void stop_interrupts_the_running_turn_and_starts_no_other() throws Exception {
    LoopThread thread =
        thread(() -> {
          turns.incrementAndGet();
          waitUntilInterrupted();
        });
    thread.start();
    assertThat(waiting.await(60, TimeUnit.SECONDS)).isTrue();
    thread.stop();
    thread.awaitEnd(TIME_LIMIT);
    assertThat(thread.isStopped()).isTrue();
    assertThat(turns).hasValue(1);
  }
}
