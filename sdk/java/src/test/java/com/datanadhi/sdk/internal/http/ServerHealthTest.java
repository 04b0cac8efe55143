package com.datanadhi.sdk.internal.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.sdk.internal.logging.RateLimitedLog;
import com.datanadhi.sdk.internal.time.Clock;
import com.datanadhi.sdk.internal.time.ManualTime;
import com.datanadhi.sdk.internal.time.Waiter;
import com.datanadhi.sdk.testkit.LogServer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ServerHealthTest {
  private static final Duration INTERVAL = Duration.ofHours(1);
  private static final Duration TIME_LIMIT = Duration.ofSeconds(60);

  private final ManualTime time = new ManualTime();
  private LogServer server;

  @BeforeEach
  void startServer() throws IOException {
    server = LogServer.up();
  }

  @AfterEach
  void stopServer() {
    server.close();
  }

  private ServerHealth health(Waiter waiter) {
    ServerClient client =
        new ServerClient(HttpClient.newHttpClient(), URI.create(server.url()), "test-key");
    return new ServerHealth(
        "main server", client, INTERVAL, new RateLimitedLog(Clock.system()), waiter);
  }

  @Test
  void a_server_that_is_down_is_probed_at_the_interval_until_it_is_healthy() {
    server.answer(503);
    try (ServerHealth health = health(time)) {
      assertThat(health.isUp()).isTrue();
      health.markDown("it answered 503");
      await().atMost(TIME_LIMIT).until(() -> server.requests() >= 3);
      assertThat(health.isUp()).isFalse();
      server.answer(200);
      await().atMost(TIME_LIMIT).until(health::isUp);
      assertThat(time.elapsed()).isEqualTo(INTERVAL.multipliedBy(server.requests()));
    }
  }

  @Test
  void close_interrupts_the_wait_for_the_next_probe() throws Exception {
    CountDownLatch waiting = new CountDownLatch(1);
    CountDownLatch interrupted = new CountDownLatch(1);
    ServerHealth health =
        health(time -> {
          waiting.countDown();
          try {
            new CountDownLatch(1).await();
          } catch (InterruptedException closing) {
            interrupted.countDown();
            throw closing;
          }
        });
    health.markDown("it answered 503");
    assertThat(waiting.await(60, TimeUnit.SECONDS)).isTrue();
    health.close();
    assertThat(interrupted.await(60, TimeUnit.SECONDS)).isTrue();
    assertThat(server.requests()).isZero();
  }
}
