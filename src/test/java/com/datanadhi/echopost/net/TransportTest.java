package com.datanadhi.echopost.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class TransportTest {
  @Test
  void a_spinning_loop_polls_and_runs_its_tasks() throws Exception {
    AtomicBoolean awake = new AtomicBoolean(true);
    AtomicLong looks = new AtomicLong();
    EventLoopGroup group =
        Transport.ofThisSystem()
            .newEventLoop(
                "awake",
                () -> {
                  looks.incrementAndGet();
                  return awake.get();
                });
    try {
      EventLoop loop = group.next();
      assertThat(loop.submit(() -> "done").get()).isEqualTo("done");
      await().until(() -> looks.get() > 10_000);
      assertThat(loop.schedule(() -> "later", 1, TimeUnit.MILLISECONDS).get()).isEqualTo("later");

      awake.set(false);
      assertThat(loop.submit(() -> "woken").get()).isEqualTo("woken");
      // It may be about to sleep.
      await().pollDelay(Duration.ofMillis(50)).until(() -> true);
      long before = looks.get();
      await().pollDelay(Duration.ofMillis(50)).until(() -> true);
      assertThat(looks).hasValue(before);
    } finally {
      awake.set(false);
      group.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS).sync();
    }
  }
}
