package com.datanadhi.echopost.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.echopost.agent.AgentState.Closing;
import com.datanadhi.echopost.agent.AgentState.Drained;
import com.datanadhi.echopost.agent.AgentState.Draining;
import com.datanadhi.echopost.agent.AgentState.Serving;
import com.datanadhi.echopost.agent.AgentState.Stopped;
import com.datanadhi.echopost.buffer.Appended;
import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.buffer.BufferListener;
import com.datanadhi.echopost.buffer.Sqlite;
import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.ingest.Ingest;
import com.datanadhi.echopost.ingest.UnusedStatusSource;
import com.datanadhi.echopost.proto.LogAgentGrpc;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.testkit.LoadClient;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.time.ManualClock;
import com.datanadhi.echopost.upstream.ManualServerState;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The lifecycle with a real buffer and a real socket, driven turn by turn with a clock that the
/// test moves.
class LifecycleTest {
  private static final Duration SHORT = Duration.ofMillis(1);

  @TempDir Path directory;

  private final ManualClock manual = new ManualClock();

  /// Ingest's clock: the manual one, which runs while ingest leaves, because its steps wait for
  /// time to pass.
  private final Clock ingestClock =
      new Clock() {
        @Override
        public long millis() {
          return manual.millis();
        }

        @Override
        public long nanos() {
          return manual.nanos() + (leaving ? System.nanoTime() - leavingSince : 0);
        }
      };

  private volatile boolean leaving;
  private volatile long leavingSince;

  private final ManualServerState server = new ManualServerState(manual);
  private final RunSignals signals = new RunSignals();
  private Buffer buffer;
  private Ingest ingest;
  private LoadClient client;
  private Lifecycle lifecycle;

  @BeforeEach
  void open() throws Exception {
    buffer = Buffer.open(directory, manual, BufferListener.NONE);
    ingest = new Ingest(directory, PosixFilePermissions.fromString("rw-------"), ingestClock);
    ingest.acceptInto(buffer, new UnusedStatusSource());
    client = new LoadClient(DirectoryLayout.socket(directory));
    lifecycle = new Lifecycle(buffer, ingest, server.state(), manual, signals);
  }

  @AfterEach
  void close() throws Exception {
    client.close();
    ingest.close();
    buffer.close();
  }

  private boolean isPublished() {
    return Files.exists(DirectoryLayout.socket(directory));
  }

  private void send(long seq) {
    assertThat(client.send(LoadClient.request(0, seq, 100)).getSuccess()).isTrue();
  }

  /// As replay does after the server has accepted all pending records.
  private void deliverAll() throws Exception {
    buffer.acknowledge(buffer.totals().lastId());
  }

  /// A turn in which ingest leaves, with a clock that runs.
  private AgentState leave() throws Exception {
    leavingSince = System.nanoTime();
    leaving = true;
    try {
      return lifecycle.turn();
    } finally {
      leaving = false;
    }
  }

  /// An agent with nothing to do that has withdrawn its socket's name.
  private void drain() throws Exception {
    AgentState _ = lifecycle.turn();
    server.comeUp();
    manual.advance(Linger.SHORTEST);
    assertThat(lifecycle.turn()).isInstanceOf(Draining.class);
  }

  @Test
  void the_first_turn_publishes_the_socket() throws Exception {
    assertThat(isPublished()).isFalse();
    assertThat(lifecycle.turn()).isInstanceOf(Serving.class);
    assertThat(isPublished()).isTrue();
    send(1);
  }

  @Test
  void an_agent_with_nothing_to_do_drains_after_two_seconds() throws Exception {
    AgentState _ = lifecycle.turn();
    server.comeUp();
    manual.advance(Linger.SHORTEST.minus(SHORT));
    assertThat(lifecycle.turn()).isInstanceOf(Serving.class);
    manual.advance(SHORT);
    assertThat(lifecycle.turn()).isInstanceOf(Draining.class);
    assertThat(isPublished()).isFalse();
    assertThat(leave()).isEqualTo(new Closing(true, 0));
    assertThat(lifecycle.turn()).isInstanceOf(Drained.class);
  }

  @Test
  void the_two_seconds_start_with_the_publication_not_with_the_process() throws Exception {
    server.comeUp();
    manual.advance(Duration.ofHours(1));
    AgentState _ = lifecycle.turn();
    assertThat(lifecycle.turn()).isInstanceOf(Serving.class);
  }

  @Test
  void the_two_seconds_start_again_with_each_record() throws Exception {
    AgentState _ = lifecycle.turn();
    server.comeUp();
    manual.advance(Duration.ofMillis(1_900));
    send(1);
    deliverAll();
    manual.advance(Linger.SHORTEST.minus(SHORT));
    assertThat(lifecycle.turn()).isInstanceOf(Serving.class);
    manual.advance(SHORT);
    assertThat(lifecycle.turn()).isInstanceOf(Draining.class);
  }

  @Test
  void for_a_client_that_sends_occasionally_it_waits_for_twice_the_gap() throws Exception {
    AgentState _ = lifecycle.turn();
    server.comeUp();
    send(1);
    manual.advance(Duration.ofSeconds(3));
    send(2);
    deliverAll();
    manual.advance(Duration.ofSeconds(6).minus(SHORT));
    assertThat(lifecycle.turn()).isInstanceOf(Serving.class);
    manual.advance(SHORT);
    assertThat(lifecycle.turn()).isInstanceOf(Draining.class);
  }

  @Test
  void it_keeps_serving_while_the_server_is_unknown_or_down() throws Exception {
    AgentState _ = lifecycle.turn();
    manual.advance(Duration.ofHours(1));
    assertThat(lifecycle.turn()).isInstanceOf(Serving.class);
    server.goDown();
    assertThat(lifecycle.turn()).isInstanceOf(Serving.class);
    server.comeUp();
    assertThat(lifecycle.turn()).isInstanceOf(Draining.class);
  }

  @Test
  void it_keeps_serving_while_a_record_is_pending() throws Exception {
    AgentState _ = lifecycle.turn();
    server.comeUp();
    Appended.store(buffer, "1");
    manual.advance(Duration.ofHours(1));
    assertThat(lifecycle.turn()).isInstanceOf(Serving.class);
    deliverAll();
    assertThat(lifecycle.turn()).isInstanceOf(Draining.class);
  }

  @Test
  void it_keeps_serving_while_a_call_waits_for_its_commit() throws Exception {
    AgentState _ = lifecycle.turn();
    server.comeUp();
    try (Sqlite other = new Sqlite(directory)) {
      other.execute("BEGIN IMMEDIATE");
      var call =
          LogAgentGrpc.newFutureStub(client.newChannel()).sendLog(LoadClient.request(0, 1, 100));
      org.awaitility.Awaitility.await().until(ingest::hasUnansweredCalls);
      manual.advance(Duration.ofHours(1));
      assertThat(lifecycle.turn()).isInstanceOf(Serving.class);
      other.execute("ROLLBACK");
      assertThat(call.get(1, TimeUnit.MINUTES).getSuccess()).isTrue();
    }
  }

  @Test
  void the_wal_is_emptied_before_the_name_is_withdrawn() throws Exception {
    Appended.store(buffer, "1");
    deliverAll();
    Path wal = DirectoryLayout.wal(DirectoryLayout.buffer(directory));
    assertThat(wal).isNotEmptyFile();
    drain();
    assertThat(wal).isEmptyFile();
  }

  @Test
  void a_record_that_arrives_while_draining_resumes_serving_and_is_delivered() throws Exception {
    drain();
    Appended.store(buffer, "late");
    assertThat(leave()).isEqualTo(new Closing(true, 1));
    assertThat(lifecycle.turn()).isInstanceOf(Serving.class);
    assertThat(isPublished()).isTrue();
    send(2);
    assertThat(buffer.totals().pending()).isEqualTo(2);
    deliverAll();
    manual.advance(Linger.SHORTEST);
    assertThat(lifecycle.turn()).isInstanceOf(Draining.class);
    assertThat(leave()).isEqualTo(new Closing(true, 0));
    assertThat(lifecycle.turn()).isInstanceOf(Drained.class);
  }

  @Test
  void a_server_that_goes_down_while_draining_does_not_keep_an_agent_with_nothing_pending()
      throws Exception {
    drain();
    server.goDown();
    assertThat(leave()).isEqualTo(new Closing(true, 0));
    assertThat(lifecycle.turn()).isInstanceOf(Drained.class);
  }

  @Test
  void a_record_that_arrives_while_draining_resumes_serving_when_the_server_is_down_too()
      throws Exception {
    drain();
    server.goDown();
    Appended.store(buffer, "late");
    AgentState _ = leave();
    assertThat(lifecycle.turn()).isInstanceOf(Serving.class);
    assertThat(isPublished()).isTrue();
  }

  @Test
  void a_stop_request_ends_serving_with_records_pending() throws Exception {
    AgentState _ = lifecycle.turn();
    Appended.store(buffer, "1");
    signals.requestStop("signal");
    assertThat(leave()).isInstanceOf(Stopped.class);
    assertThat(isPublished()).isFalse();
    assertThat(buffer.totals().pending()).isEqualTo(1);
  }

  @Test
  void a_stop_request_while_draining_ends_the_run_with_a_late_record_pending() throws Exception {
    drain();
    Appended.store(buffer, "late");
    signals.requestStop("signal");
    assertThat(leave()).isEqualTo(new Closing(true, 1));
    assertThat(leave()).isInstanceOf(Stopped.class);
    assertThat(isPublished()).isFalse();
  }

  @Test
  void a_stop_request_while_draining_with_nothing_pending_still_drains() throws Exception {
    drain();
    signals.requestStop("signal");
    assertThat(leave()).isEqualTo(new Closing(true, 0));
    assertThat(lifecycle.turn()).isInstanceOf(Drained.class);
  }

  @Test
  void a_stop_request_wakes_the_loop() throws Exception {
    CompletableFuture<AgentState> ended = new CompletableFuture<>();
    leavingSince = System.nanoTime();
    leaving = true;
    Thread loop =
        Thread.ofPlatform()
            .start(() -> {
              try {
                ended.complete(lifecycle.run());
              } catch (Exception failed) {
                ended.completeExceptionally(failed);
              }
            });
    org.awaitility.Awaitility.await().until(this::isPublished);
    signals.requestStop("signal");
    assertThat(ended.get(1, TimeUnit.MINUTES)).isInstanceOf(Stopped.class);
    loop.join();
  }

  @Test
  void a_failure_of_the_buffer_ends_the_run() throws Exception {
    AgentState _ = lifecycle.turn();
    try (Sqlite other = new Sqlite(directory)) {
      other.execute("DROP TABLE records");
    }
    assertThat(Appended.to(buffer, Appended.record("1", "", null)).outcome()).isNotNull();
    assertThatThrownBy(
            () -> {
              for (int turn = 0; turn < 100; turn++) {
                AgentState _ = lifecycle.turn();
              }
            })
        .isInstanceOf(StorageException.class);
  }
}
