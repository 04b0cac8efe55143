package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.sdk.internal.time.Clock;
import com.datanadhi.sdk.internal.time.Waiter;
import com.datanadhi.sdk.testkit.Agents;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Records in the buffer of an agent that was killed together with its guardian. */
class BacklogTest extends AbstractSdkTest {
  /** Leaves {@code count} records in the buffer, no agent and no client. */
  private void leaveRecords(int count) throws Exception {
    main.goDown();
    fallback.goDown();
    DataNadhi client = openWithEchoPost(configuration());
    submit(client, 0, count);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    Agents.killAll(directory);
    client.close();
  }

  private DataNadhi open(DataNadhiConfiguration.Builder configuration, Waiter waiter) {
    return closeAfterTest(new DataNadhi(configuration.build(), TIMEOUTS, Clock.system(), waiter));
  }

  /** Counts the checks of the backlog thread, each of which follows a sleep. */
  private static final class CheckCounter implements Waiter {
    private final AtomicInteger sleeps = new AtomicInteger();

    @Override
    public void sleep(Duration time) throws InterruptedException {
      if (Thread.currentThread().getName().equals("datanadhi-backlog")) {
        sleeps.incrementAndGet();
      }
      Waiter.system().sleep(time);
    }

    /** Waits until {@code count} more checks are complete. */
    void awaitMore(int count) {
      // Each check is complete when the next sleep begins.
      int last = sleeps.get() + count;
      await().atMost(TIME_LIMIT).until(() -> sleeps.get() >= last);
    }
  }

  @Test
  void records_are_delivered_when_the_main_server_is_up_again_without_a_new_record()
      throws Exception {
    main.goDown();
    DataNadhi client = openWithEchoPost(configuration());
    submit(client, 0, 10);
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    Agents.killAll(directory);
    main.comeUp();
    await().atMost(TIME_LIMIT).until(() -> main.keys().size() == 10);
    assertThat(seqs(main.deliveries())).isEqualTo(range(0, 10));
    assertThat(Agents.starts(directory)).isEqualTo(2);
  }

  @Test
  void records_are_delivered_by_the_next_client() throws Exception {
    leaveRecords(10);
    main.comeUp();
    DataNadhi client = open(configuration());
    await().atMost(TIME_LIMIT).until(() -> main.keys().size() == 10);
    assertThat(client.counters().submitted()).isZero();
    assertThat(Agents.starts(directory)).isEqualTo(2);
  }

  @Test
  void records_that_are_left_in_a_damaged_buffer_are_delivered() throws Exception {
    leaveRecords(10);
    Path home = directory.resolve("echopost");
    try (SeekableByteChannel log =
        Files.newByteChannel(home.resolve("buffer.db-wal"), StandardOpenOption.WRITE)) {
      log.write(ByteBuffer.wrap(new byte[32]));
    }
    Files.deleteIfExists(home.resolve("buffer.db-shm"));
    main.comeUp();
    DataNadhi client = open(configuration());
    await().atMost(TIME_LIMIT).until(() -> main.keys().size() == 10);
    assertThat(client.counters().submitted()).isZero();
  }

  @Test
  void an_empty_buffer_is_examined_once_and_starts_no_agent() throws Exception {
    leaveRecords(10);
    main.comeUp();
    Agents.drain(directory, main.url());
    assertThat(main.keys()).hasSize(10);

    CheckCounter checks = new CheckCounter();
    DataNadhi client = open(configuration(), checks);
    await().atMost(TIME_LIMIT).until(() -> Agents.statusCalls(directory) > 0);
    checks.awaitMore(10);
    assertThat(Agents.statusCalls(directory)).isEqualTo(1);
    assertThat(Agents.starts(directory)).isEqualTo(1);
    assertThat(client.counters().echoPost().status()).isEqualTo(EchoPostState.Status.READY);
  }

  @Test
  void no_agent_is_started_if_echopost_is_disabled() throws Exception {
    leaveRecords(1);
    main.comeUp();
    CheckCounter checks = new CheckCounter();
    DataNadhi client = open(configuration().echoPostDisabled(true), checks);
    submit(client, 1, 2);
    checks.awaitMore(5);
    assertThat(Agents.statusCalls(directory)).isZero();
    assertThat(seqs(main.deliveries())).containsExactly(1);
  }
}
