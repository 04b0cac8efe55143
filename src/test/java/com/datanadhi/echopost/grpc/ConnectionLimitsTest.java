package com.datanadhi.echopost.grpc;

import static com.datanadhi.echopost.testkit.FrameClient.ACK;
import static com.datanadhi.echopost.testkit.FrameClient.DATA;
import static com.datanadhi.echopost.testkit.FrameClient.END_HEADERS;
import static com.datanadhi.echopost.testkit.FrameClient.END_STREAM;
import static com.datanadhi.echopost.testkit.FrameClient.GOAWAY;
import static com.datanadhi.echopost.testkit.FrameClient.HEADERS;
import static com.datanadhi.echopost.testkit.FrameClient.PING;
import static com.datanadhi.echopost.testkit.RawConnection.frame;
import static com.datanadhi.echopost.testkit.RawConnection.join;
import static com.datanadhi.echopost.testkit.RawConnection.prefixed;
import static com.datanadhi.echopost.testkit.RawConnection.sendLogHeaders;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.echopost.net.Transport;
import com.datanadhi.echopost.testkit.FrameClient;
import com.datanadhi.echopost.time.ManualClock;
import io.grpc.Status;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConnectionLimitsTest {
  private static final Duration IDLE = Duration.ofMillis(1_001);

  @TempDir Path directory;
  private final Transport transport = Transport.ofThisSystem();
  private final EventLoopGroup accepting = transport.newEventLoop("accept");
  private final EventLoopGroup working = transport.newEventLoop("serve");
  private final EventLoop loop = working.next();
  private final ManualClock clock = new ManualClock();
  private final UnaryApplication application = new UnaryApplication();
  private final GrpcServer server = new GrpcServer(transport, accepting, loop, 100, clock);
  private final ExecutorService leaver = Executors.newSingleThreadExecutor();
  private Path socket;
  private SocketListener listener;

  @BeforeEach
  void listen() throws Exception {
    socket = directory.resolve("s");
    listener = server.listen(socket, application);
  }

  @AfterEach
  void close() throws Exception {
    // Its clients are closed: it does not wait by the clock, which stands still.
    listener.close(Duration.ofMillis(1));
    leaver.close();
    var _ = accepting.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
    var _ = working.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
  }

  private static byte[] headers(int stream) {
    return frame(HEADERS, END_HEADERS, stream, sendLogHeaders());
  }

  private static byte[] call(int stream) {
    return join(headers(stream), frame(DATA, END_STREAM, stream, prefixed(0, new byte[100])));
  }

  private static void assertServed(FrameClient client, int stream) throws IOException {
    client.send(call(stream));
    assertThat(client.answer(stream).status()).isZero();
  }

  /// Fails if a GOAWAY comes before the response to a ping.
  private static void assertNotAskedToLeave(FrameClient client) throws IOException {
    client.send(frame(PING, 0, 0, new byte[8]));
    assertThat(client.await(next -> next.type() == PING || next.type() == GOAWAY).type())
        .isEqualTo(PING);
  }

  /// Does the upkeep while new connections wait for room, and waits for its end.
  private void tick() throws Exception {
    CountDownLatch done = new CountDownLatch(1);
    server.tickSoon(true, done::countDown);
    assertThat(done.await(1, TimeUnit.MINUTES)).isTrue();
  }

  /// Each acknowledgement once had an effect until the end of the connection, which then overflowed
  /// the stack.
  @Test
  void only_the_first_acknowledgement_of_a_goaway_counts() throws Exception {
    try (FrameClient client = FrameClient.connect(socket)) {
      client.send(headers(1));
      // A call that starts after the GOAWAY was acknowledged would not be served.
      await().until(() -> application.openCalls() == 1);
      Future<Boolean> ended = leaver.submit(() -> listener.goAway(Duration.ofMinutes(1)));
      byte[] ack = frame(PING, ACK, 0, client.await(PING).payload());
      byte[] acks = join(Collections.nCopies(1_000, ack).toArray(byte[][]::new));
      for (int n = 0; n < 200; n++) {
        client.send(acks);
      }
      client.send(frame(DATA, END_STREAM, 1, new byte[0]));
      assertThat(client.answer(1).status()).isEqualTo(Status.Code.INVALID_ARGUMENT.value());
      assertThat(client.isClosedByTheAgent()).isTrue();
      assertThat(ended.get()).isTrue();
    }
  }

  @Test
  void a_client_whose_bytes_the_loop_has_not_read_yet_is_not_idle() throws Exception {
    try (FrameClient client = FrameClient.connect(socket)) {
      assertServed(client, 1);
      CountDownLatch busy = new CountDownLatch(1);
      CountDownLatch sent = new CountDownLatch(1);
      Future<?> work =
          loop.submit(() -> {
            busy.countDown();
            awaitUninterruptibly(sent);
            server.tickSoon(true, () -> {});
          });
      awaitUninterruptibly(busy);
      client.send(call(3));
      clock.advance(IDLE);
      sent.countDown();

      assertThat(client.answer(3).status()).isZero();

      work.get();
      tick();
      assertNotAskedToLeave(client);
      assertServed(client, 5);
    }
  }

  private static void awaitUninterruptibly(CountDownLatch latch) {
    try {
      assertThat(latch.await(1, TimeUnit.MINUTES)).isTrue();
    } catch (InterruptedException unexpected) {
      throw new IllegalStateException(unexpected);
    }
  }

  @Test
  void an_idle_client_is_asked_to_leave_and_disconnected_a_second_later() throws Exception {
    try (FrameClient client = FrameClient.connect(socket)) {
      assertServed(client, 1);
      clock.advance(IDLE);
      tick();
      assertThat(client.await(GOAWAY).number(4)).isZero();

      clock.advance(IDLE);
      tick();

      assertThat(client.isClosedByTheAgent()).isTrue();
    }
  }

  @Test
  void a_client_that_is_not_preferred_makes_room_first() throws Exception {
    application.setPrefers(true);
    try (FrameClient preferred = FrameClient.connect(socket)) {
      assertServed(preferred, 1);
      application.setPrefers(false);
      try (FrameClient other = FrameClient.connect(socket)) {
        assertServed(other, 1);
        clock.advance(IDLE);
        assertServed(other, 3);
        // The preferred one has been silent for longer.
        tick();
        assertNotAskedToLeave(other);

        clock.advance(IDLE);
        tick();
        assertThat(other.await(GOAWAY).number(4)).isZero();
        clock.advance(IDLE);
        tick();
        assertThat(other.isClosedByTheAgent()).isTrue();
      }
      clock.advance(IDLE);
      tick();
      assertNotAskedToLeave(preferred);
    }
  }

  @Test
  void preferred_clients_that_hold_most_places_make_room() throws Exception {
    application.setPrefers(true);
    List<FrameClient> clients = new ArrayList<>();
    try {
      for (int n = 0; n <= SocketListener.MAX_CONNECTIONS * 3 / 4; n++) {
        clients.add(FrameClient.connect(socket));
        assertServed(clients.getLast(), 1);
        clock.advance(Duration.ofMillis(1));
      }
      clock.advance(IDLE);
      tick();

      FrameClient longestIdle = clients.getFirst();
      assertThat(longestIdle.await(GOAWAY).number(0)).isEqualTo(Integer.MAX_VALUE);
      // A call that was started before the GOAWAY was read.
      assertServed(longestIdle, 3);
      assertNotAskedToLeave(clients.getLast());
    } finally {
      for (FrameClient client : clients) {
        client.close();
      }
    }
  }

  @Test
  void a_client_that_sends_a_byte_now_and_then_makes_room_after_5_seconds() throws Exception {
    try (FrameClient trickling = FrameClient.connect(socket)) {
      // Its time starts when the loop has accepted it.
      assertNotAskedToLeave(trickling);
      for (int second = 0; second < 5; second++) {
        clock.advance(Duration.ofMillis(900));
        tick();
        assertNotAskedToLeave(trickling);
      }
      clock.advance(Duration.ofMillis(501));
      trickling.send(frame(PING, 0, 0, new byte[8]));
      assertThat(trickling.await(PING).flags()).isEqualTo(ACK);
      tick();

      assertThat(trickling.await(GOAWAY).number(4)).isZero();
    }
  }

  @Test
  void a_client_that_waits_for_its_response_is_not_idle() throws Exception {
    application.setHolds(true);
    try (FrameClient client = FrameClient.connect(socket)) {
      client.send(call(1));
      await().until(() -> application.openCalls() == 1);
      clock.advance(Duration.ofMillis(1_900));
      tick();
      assertNotAskedToLeave(client);

      loop.submit(application::sendHeldAnswers).get();

      assertThat(client.answer(1).status()).isZero();
      tick();
      assertNotAskedToLeave(client);
      clock.advance(IDLE);
      tick();
      assertThat(client.await(GOAWAY).number(4)).isZero();
    }
  }

  @Test
  void a_client_is_not_idle_because_the_server_did_not_read_it() throws Exception {
    try (FrameClient client = FrameClient.connect(socket)) {
      assertServed(client, 1);
      loop.submit(() -> server.setReading(false)).get();
      clock.advance(IDLE);
      tick();
      loop.submit(() -> server.setReading(true)).get();
      tick();
      assertNotAskedToLeave(client);

      // It is not idle because the loop has not run, either.
      clock.advance(Duration.ofSeconds(3));
      tick();
      assertNotAskedToLeave(client);
    }
  }

  @Test
  void no_connection_is_read_while_the_application_has_stopped_reading() throws Exception {
    try (FrameClient client = FrameClient.connect(socket)) {
      assertServed(client, 1);
      loop.submit(() -> server.setReading(false)).get();
      client.send(call(3));
      try (FrameClient other = FrameClient.connect(socket)) {
        other.send(call(1));
        tick();
        assertThat(application.allCalls()).isEqualTo(1);
        loop.submit(() -> server.setReading(true)).get();
        assertThat(other.answer(1).status()).isZero();
      }
      assertThat(client.answer(3).status()).isZero();
    }
  }
}
