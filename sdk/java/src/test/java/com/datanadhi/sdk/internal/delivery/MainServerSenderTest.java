package com.datanadhi.sdk.internal.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.sdk.DataNadhiConfiguration;
import com.datanadhi.sdk.internal.http.HttpTransports;
import com.datanadhi.sdk.internal.http.MainServer;
import com.datanadhi.sdk.internal.http.ServerClient;
import com.datanadhi.sdk.internal.http.ServerHealth;
import com.datanadhi.sdk.internal.listener.FailureReports;
import com.datanadhi.sdk.internal.logging.RateLimitedLog;
import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import com.datanadhi.sdk.internal.queue.QueueLimits;
import com.datanadhi.sdk.internal.queue.RecordQueue;
import com.datanadhi.sdk.internal.time.Clock;
import com.datanadhi.sdk.internal.time.Waiter;
import com.datanadhi.sdk.testkit.LogServer;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MainServerSenderTest {
  private static final Duration TIME_LIMIT = Duration.ofSeconds(60);

  private final Clock clock = Clock.system();
  private final RateLimitedLog log = new RateLimitedLog(clock);
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final List<OutgoingRecord> delivered = new ArrayList<>();
  private final List<OutgoingRecord> rejected = new ArrayList<>();
  private final MainServerSender.Outcomes outcomes =
      new MainServerSender.Outcomes() {
        @Override
        public void delivered(List<OutgoingRecord> records) {
          delivered.addAll(records);
        }

        @Override
        public void rejected(List<OutgoingRecord> records, int status) {
          rejected.addAll(records);
        }
      };
  private final ServerClient.Cancellation cancellation = new ServerClient.Cancellation();
  private LogServer main;
  private RecordQueue queue;
  private HttpTransports http;
  private ServerHealth health;

  @BeforeEach
  void fillQueue() throws Exception {
    main = LogServer.up();
    queue = new RecordQueue(new QueueLimits(1 << 20, 0, 500, 1 << 20), clock);
    for (int seq = 0; seq < 20; seq++) {
      assertThat(
              queue
                  .offer(new OutgoingRecord(List.of(), "{\"seq\":" + seq + "}", "k-" + seq))
                  .isAccepted())
          .isTrue();
    }
  }

  private MainServerSender sender(int requestsAtOnce) {
    URI host = URI.create(main.url());
    http =
        new HttpTransports(
            DataNadhiConfiguration.builder(Path.of("unused")).apiKey("key").build(), threads);
    ServerClient client = new ServerClient(http.to(host), host, "key");
    health =
        new ServerHealth(
            "main server",
            client,
            Duration.ofMillis(200),
            log,
            new FailureReports(Optional.empty(), log),
            clock,
            Waiter.system());
    return new MainServerSender(
        new MainServer(client, clock),
        health,
        new BatchLimits(500, 1 << 20, Duration.ZERO),
        requestsAtOnce,
        log,
        clock);
  }

  @AfterEach
  void close() {
    health.close();
    http.close();
    main.close();
    threads.shutdownNow();
  }

  private CompletableFuture<Void> send(MainServerSender sender, List<OutgoingRecord> records) {
    return CompletableFuture.runAsync(
        () -> {
          try {
            sender.send(records, cancellation, outcomes);
          } catch (InterruptedException unexpected) {
            throw new IllegalStateException(unexpected);
          }
        },
        threads);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 8})
  void so_many_records_are_sent_at_the_same_time_if_the_server_takes_no_batches(int atOnce)
      throws Exception {
    MainServerSender sender = sender(atOnce);
    main.hang();
    List<OutgoingRecord> next = sender.takeNext(queue);
    assertThat(next).hasSize(atOnce);
    CompletableFuture<Void> sent = send(sender, next);
    await().atMost(TIME_LIMIT).until(() -> main.requests() == atOnce);
    // The connections end without an answer, and each request is sent again.
    main.comeUp();
    sent.get();
    assertThat(delivered).isEqualTo(next);
    assertThat(main.keys()).hasSize(atOnce);
  }

  @Test
  void records_that_are_sent_at_the_same_time_are_delivered_rejected_or_kept() throws Exception {
    MainServerSender sender = sender(8);
    List<OutgoingRecord> first = sender.takeNext(queue);
    send(sender, first).get();
    assertThat(delivered).isEqualTo(first);
    main.answer(422);
    List<OutgoingRecord> second = sender.takeNext(queue);
    send(sender, second).get();
    assertThat(rejected).isEqualTo(second);
    main.answer(503);
    List<OutgoingRecord> third = sender.takeNext(queue);
    assertThat(third).hasSize(4);
    send(sender, third).get();
    assertThat(health.isUp()).isFalse();
    assertThat(delivered).hasSize(8);
    assertThat(rejected).hasSize(8);
  }

  @Test
  void a_cancellation_ends_all_requests() throws Exception {
    MainServerSender sender = sender(8);
    main.hang();
    CompletableFuture<Void> sent = send(sender, sender.takeNext(queue));
    await().atMost(TIME_LIMIT).until(() -> main.requests() == 8);
    cancellation.cancel();
    sent.get();
    assertThat(delivered).isEmpty();
    assertThat(health.isUp()).isTrue();
  }
}
