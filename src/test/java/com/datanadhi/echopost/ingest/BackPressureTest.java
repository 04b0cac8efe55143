package com.datanadhi.echopost.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.echopost.buffer.AppendRequest;
import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.buffer.BufferListener;
import com.datanadhi.echopost.buffer.Sqlite;
import com.datanadhi.echopost.grpc.GrpcServer;
import com.datanadhi.echopost.net.Transport;
import com.datanadhi.echopost.record.NewRecord;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.time.ManualClock;
import io.netty.channel.EventLoopGroup;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The server has no connections here, so that the test's thread may stand in for its event loop.
class BackPressureTest {
  private static final int MAX_WAITING = 8_192;
  private static final int MAX_CALLS = 12_288;
  private static final Duration STALL = Duration.ofMillis(5_001);

  @TempDir Path directory;
  private final Transport transport = Transport.ofThisSystem();
  private final EventLoopGroup loops = transport.newEventLoop("ingest");
  private final ManualClock clock = new ManualClock();
  private final Availability availability = new Availability();
  private final BackPressure pressure =
      new BackPressure(
          new GrpcServer(transport, loops, loops.next(), BackPressure.MAX_STREAMS, clock),
          availability,
          clock);

  private Buffer buffer;
  private int retries;

  @BeforeEach
  void open() throws Exception {
    buffer = Buffer.open(directory, Clock.system(), BufferListener.NONE);
    availability.start(buffer, new UnusedStatusSource());
  }

  @AfterEach
  void close() throws Exception {
    buffer.close();
    var _ = loops.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
  }

  private boolean acceptsMessage() {
    return pressure.acceptsMessage(() -> retries++);
  }

  /// Appends `count` records at once.
  ///
  /// @return counted down when they are completed
  private CountDownLatch append(int count) {
    byte[] json = "{}".getBytes(StandardCharsets.UTF_8);
    byte[] none = "[]".getBytes(StandardCharsets.UTF_8);
    List<NewRecord> records =
        Collections.nCopies(count, new NewRecord(0, json, none, new byte[0], null));
    CountDownLatch completed = new CountDownLatch(1);
    buffer.append(
        new AppendRequest() {
          @Override
          public List<NewRecord> records() {
            return records;
          }

          @Override
          public void completed(Outcome outcome) {
            completed.countDown();
          }
        });
    return completed;
  }

  @Test
  void messages_wait_once_the_limit_of_waiting_records_is_reached() {
    pressure.accepted(MAX_WAITING - 1, 0);
    assertThat(acceptsMessage()).isTrue();

    pressure.accepted(MAX_WAITING, 0);
    assertThat(acceptsMessage()).isFalse();
    assertThat(retries).isZero();

    pressure.completed();
    assertThat(retries).isEqualTo(1);
    assertThat(acceptsMessage()).isTrue();
  }

  @Test
  void messages_wait_once_the_limit_of_waiting_bytes_is_reached() {
    pressure.accepted(1, (16 << 20) - 1);
    assertThat(acceptsMessage()).isTrue();

    pressure.accepted(1, 16 << 20);
    assertThat(acceptsMessage()).isFalse();
  }

  @Test
  void a_connection_that_has_ended_is_not_resumed() {
    Runnable retry = () -> retries++;
    pressure.accepted(MAX_WAITING, 0);
    assertThat(pressure.acceptsMessage(retry)).isFalse();
    pressure.remove(retry);

    pressure.completed();

    assertThat(retries).isZero();
  }

  @Test
  void records_are_refused_when_no_commit_has_ended_for_5_seconds() {
    pressure.accepted(MAX_WAITING, 0);
    assertThat(acceptsMessage()).isFalse();
    clock.advance(Duration.ofSeconds(5));
    assertThat(pressure.tick()).isFalse();
    assertThat(pressure.isRefusing()).isFalse();

    clock.advance(Duration.ofMillis(1));
    assertThat(pressure.tick()).isFalse();

    assertThat(pressure.isRefusing()).isTrue();
    assertThat(retries).isEqualTo(1);
    assertThat(acceptsMessage()).isTrue();

    pressure.completed();
    assertThat(pressure.isRefusing()).isFalse();
    assertThat(acceptsMessage()).isTrue();
  }

  @Test
  void after_a_commit_messages_wait_again_while_half_of_the_limit_is_waiting() throws Exception {
    CountDownLatch completed;
    try (Sqlite foreign = new Sqlite(directory)) {
      foreign.execute("BEGIN IMMEDIATE");
      completed = append(MAX_WAITING / 2);
      pressure.accepted(MAX_WAITING / 2, 0);
      assertThat(acceptsMessage()).isFalse();
      clock.advance(STALL);
      pressure.tick();
      assertThat(pressure.isRefusing()).isTrue();

      pressure.completed();

      assertThat(pressure.isRefusing()).isFalse();
      assertThat(acceptsMessage()).isFalse();
      foreign.execute("ROLLBACK");
    }
    completed.await();
    await().until(() -> availability.waitingRecords() == 0);
    pressure.completed();
    assertThat(acceptsMessage()).isTrue();
  }

  @Test
  void incomplete_requests_are_refused_when_no_commit_ends_the_pause_for_5_seconds()
      throws Exception {
    try (Sqlite foreign = new Sqlite(directory)) {
      foreign.execute("BEGIN IMMEDIATE");
      CountDownLatch completed = append(1);
      for (int n = 0; n < MAX_CALLS; n++) {
        pressure.callStarted();
      }
      clock.advance(Duration.ofSeconds(5));
      assertThat(pressure.tick()).isFalse();
      clock.advance(Duration.ofMillis(1));
      assertThat(pressure.tick()).isTrue();
      // It has 5 s to take effect.
      assertThat(pressure.tick()).isFalse();
      foreign.execute("ROLLBACK");
      completed.await();
    }
  }

  @Test
  void incomplete_requests_are_refused_at_once_when_no_record_waits_for_a_commit() {
    for (int n = 0; n < MAX_CALLS; n++) {
      pressure.callStarted();
    }
    // A commit can have ended just now, and its calls are not answered yet.
    clock.advance(Duration.ofMillis(100));
    assertThat(pressure.tick()).isFalse();
    clock.advance(Duration.ofMillis(1));
    assertThat(pressure.tick()).isTrue();
    assertThat(pressure.hasTooManyOpenCalls()).isTrue();

    for (int n = MAX_CALLS; n >= MAX_WAITING; n--) {
      pressure.callEnded();
    }
    assertThat(pressure.hasTooManyOpenCalls()).isFalse();
    clock.advance(STALL);
    assertThat(pressure.tick()).isFalse();
    assertThat(pressure.hasOpenCalls()).isTrue();
  }
}
