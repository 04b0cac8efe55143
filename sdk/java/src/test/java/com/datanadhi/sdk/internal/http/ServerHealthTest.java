package com.datanadhi.sdk.internal.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.sdk.internal.listener.FailureReports;
import com.datanadhi.sdk.internal.logging.RateLimitedLog;
import com.datanadhi.sdk.internal.time.Clock;
import com.datanadhi.sdk.internal.time.ManualTime;
import com.datanadhi.sdk.internal.time.Waiter;
import com.datanadhi.sdk.testkit.LogServer;
import com.datanadhi.sdk.testkit.SdkLog;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ServerHealthTest {
  /** An eighth of the longest pause that the back-off makes. */
  private static final Duration INTERVAL = Duration.ofMillis(3_750);

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

  @Test
  void a_server_that_fails_again_and_again_although_it_is_healthy_gets_longer_pauses()
      throws Exception {
    try (ServerHealth health = health(time)) {
      Duration before = Duration.ZERO;
      for (int factor : new int[] {1, 2, 4, 8, 8, 8}) {
        health.markDown(answered("it answered 500", Duration.ZERO));
        await().atMost(TIME_LIMIT).until(health::isUp);
        assertThat(time.elapsed().minus(before)).isEqualTo(INTERVAL.multipliedBy(factor));
        before = time.elapsed();
      }
      health.markDelivered();
      health.markDown(answered("it answered 500", Duration.ZERO));
      await().atMost(TIME_LIMIT).until(health::isUp);
      assertThat(time.elapsed().minus(before)).isEqualTo(INTERVAL);
    }
  }

  @Test
  void a_server_that_says_when_to_come_back_is_not_used_before() throws Exception {
    try (ServerHealth health = health(time)) {
      health.markDown(answered("it answered 429", INTERVAL.multipliedBy(5)));
      await().atMost(TIME_LIMIT).until(health::isUp);
      assertThat(time.elapsed()).isEqualTo(INTERVAL.multipliedBy(5));
    }
  }

  @Test
  void a_server_that_answered_is_expected_back_for_30_s() throws Exception {
    server.answer(503);
    CountDownLatch never = new CountDownLatch(1);
    try (ServerHealth health = health(sleep -> never.await())) {
      health.markDown(answered("it answered 503", Duration.ZERO));
      assertThat(health.isExpectedBack()).isTrue();
      time.sleep(Duration.ofSeconds(31));
      assertThat(health.isExpectedBack()).isFalse();
    }
    try (ServerHealth health = health(sleep -> never.await())) {
      health.markDown(down("it cannot be reached"));
      assertThat(health.isExpectedBack()).isFalse();
    }
  }

  private static Downtime answered(String reason, Duration retryAfter) {
    return new Downtime(reason, true, retryAfter);
  }

  private static Downtime down(String reason) {
    return new Downtime(reason, false, Duration.ZERO);
  }

  private ServerHealth health(Waiter waiter) {
    ServerClient client =
        new ServerClient(
            new JdkTransport(HttpClient::newHttpClient, Proxies.none()),
            URI.create(server.url()),
            "test-key");
    RateLimitedLog log = new RateLimitedLog(Clock.system());
    return new ServerHealth(
        "main server",
        client,
        INTERVAL,
        log,
        new FailureReports(Optional.empty(), log),
        time,
        waiter);
  }

  @Test
  void a_server_that_is_down_is_probed_at_the_interval_until_it_is_healthy() {
    server.answer(503);
    try (ServerHealth health = health(time)) {
      assertThat(health.isUp()).isTrue();
      health.markDown(down("it answered 503"));
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
    health.markDown(down("it answered 503"));
    assertThat(waiting.await(60, TimeUnit.SECONDS)).isTrue();
    health.close();
    assertThat(interrupted.await(60, TimeUnit.SECONDS)).isTrue();
    assertThat(server.requests()).isZero();
  }

  /** A logging library can hold the lock for which a message waits while it closes a client. */
  @Test
  void close_does_not_wait_for_a_message() throws Exception {
    CountDownLatch logging = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    SdkLog blocked =
        new SdkLog(message -> {
          logging.countDown();
          try {
            goOn.await();
          } catch (InterruptedException impossible) {
            throw new AssertionError(impossible);
          }
        });
    try (blocked) {
      ServerHealth health = health(time);
      CompletableFuture<Void> marked =
          CompletableFuture.runAsync(() -> health.markDown(down("it answered 503")));
      assertThat(logging.await(60, TimeUnit.SECONDS)).isTrue();
      CompletableFuture.runAsync(health::close).get(60, TimeUnit.SECONDS);
      goOn.countDown();
      marked.get(60, TimeUnit.SECONDS);
    } finally {
      goOn.countDown();
    }
  }
}
