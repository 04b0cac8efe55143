package com.datanadhi.hub.apply;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class LoopSignalTest {
  private final LoopSignal signal = new LoopSignal();

  @Test
  void a_wake_before_the_pause_is_not_lost_and_ends_only_one() throws Exception {
    signal.wake();
    signal.pause(Duration.ofHours(1));
    signal.pause(Duration.ZERO);
    assertThat(signal.isStopped()).isFalse();
  }

  @Test
  void a_pause_of_a_loop_that_is_stopped_ends_at_once() throws Exception {
    signal.stop();
    signal.pause(Duration.ofHours(1));
    signal.pause(Duration.ofHours(1));
    assertThat(signal.isStopped()).isTrue();
  }

  @Test
  void a_stop_ends_a_pause_in_progress() throws Exception {
    Thread stopper = Thread.ofVirtual().start(signal::stop);
    while (!signal.isStopped()) {
      signal.pause(Duration.ofHours(1));
    }
    stopper.join();
  }
}
