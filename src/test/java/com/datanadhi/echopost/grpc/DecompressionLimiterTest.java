package com.datanadhi.echopost.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.DefaultEventLoop;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class DecompressionLimiterTest {
  private final EventLoop loop = new DefaultEventLoop();
  private final DecompressionLimiter limiter = new DecompressionLimiter(loop);
  private final List<String> retried = new ArrayList<>();

  @AfterEach
  void close() {
    var _ = loop.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
  }

  /// Runs `step` on the loop, and waits for what it has scheduled.
  private void onTheLoop(Runnable step) throws Exception {
    CountDownLatch done = new CountDownLatch(1);
    loop.submit(
            () -> {
              step.run();
              var _ = loop.schedule(done::countDown, 1, TimeUnit.NANOSECONDS);
            })
        .get();
    assertThat(done.await(1, TimeUnit.MINUTES)).isTrue();
  }

  private void begin(int times) {
    for (int n = 0; n < times; n++) {
      assertThat(limiter.begin(() -> {})).isTrue();
    }
  }

  @Test
  void a_fifth_message_waits_for_one_of_four_to_end() throws Exception {
    onTheLoop(() -> {
      begin(4);
      assertThat(limiter.begin(() -> retried.add("fifth"))).isFalse();
      assertThat(limiter.begin(() -> retried.add("sixth"))).isFalse();
    });
    assertThat(retried).isEmpty();

    onTheLoop(() -> {
      limiter.ended();
      // In a later iteration of the loop, so that it reads other connections first.
      assertThat(retried).isEmpty();
    });

    // Neither has started a message: there is still room.
    assertThat(retried).containsExactly("fifth", "sixth");
  }

  @Test
  void a_message_that_starts_on_its_turn_takes_the_room() throws Exception {
    onTheLoop(() -> {
      begin(4);
      assertThat(limiter.begin(() -> begin(1))).isFalse();
      assertThat(limiter.begin(() -> retried.add("next"))).isFalse();
    });

    onTheLoop(limiter::ended);
    assertThat(retried).isEmpty();

    onTheLoop(limiter::ended);
    assertThat(retried).containsExactly("next");
  }

  @Test
  void a_connection_that_has_ended_is_not_asked_again() throws Exception {
    Runnable gone = () -> retried.add("gone");
    onTheLoop(() -> {
      begin(4);
      assertThat(limiter.begin(gone)).isFalse();
      limiter.remove(gone);
    });

    onTheLoop(limiter::ended);

    assertThat(retried).isEmpty();
  }
}
