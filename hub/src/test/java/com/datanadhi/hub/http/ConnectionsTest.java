package com.datanadhi.hub.http;

import static com.datanadhi.hub.http.RawClient.GOOD;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The bound of connections, with the standard times, so that no connection is closed by time
/// however slow the machine is.
final class ConnectionsTest {
  private static final DoorSettings FEW = DoorSettings.standard(40);

  private TestHub hub;

  @BeforeEach
  void start() throws Exception {
    hub = new TestHub(FEW);
  }

  @AfterEach
  void stop() throws Exception {
    hub.close();
    assertThat(hub.leased.get()).as("bytes still admitted").isZero();
  }

  @Test
  void too_many_silent_connections_do_not_lock_out_others() throws Exception {
    List<RawClient> silent = new ArrayList<>();
    try (RawClient good = new RawClient(hub.door.port())) {
      assertThat(good.send(GOOD).answer().status()).isEqualTo(200);
      for (int i = 0; i < 200; i++) {
        silent.add(new RawClient(hub.door.port()));
      }

      assertThat(good.send(GOOD).answer().status()).isEqualTo(200);
      // While the others are still being opened, one can be closed before its request is read.
      await()
          .ignoreExceptionsInstanceOf(IOException.class)
          .until(() -> {
            try (RawClient late = new RawClient(hub.door.port())) {
              return late.send(GOOD).answer().status() == 200;
            }
          });
      await().until(() -> hub.door.connections() <= FEW.maxConnections());
    } finally {
      for (RawClient client : silent) {
        client.close();
      }
    }
  }

  @Test
  void connections_without_a_valid_key_are_closed_before_those_of_known_senders() throws Exception {
    List<RawClient> others = new ArrayList<>();
    try (RawClient good = new RawClient(hub.door.port())) {
      assertThat(good.send(GOOD).answer().status()).isEqualTo(200);
      for (int i = 0; i < 200; i++) {
        RawClient other = new RawClient(hub.door.port());
        others.add(other);
        assertThat(other.send("GET /livez HTTP/1.1\r\nHost: h\r\n\r\n").answer().status())
            .isEqualTo(200);
      }

      assertThat(good.send(GOOD).answer().status()).isEqualTo(200);
    } finally {
      for (RawClient client : others) {
        client.close();
      }
    }
  }

  @Test
  void a_new_connection_is_served_although_known_senders_hold_all() throws Exception {
    List<RawClient> senders = new ArrayList<>();
    try {
      for (int i = 0; i <= FEW.maxConnections(); i++) {
        RawClient sender = new RawClient(hub.door.port());
        senders.add(sender);
        assertThat(sender.send(GOOD).answer().status()).isEqualTo(200);
      }

      await().until(() -> hub.door.connections() == FEW.maxConnections());
    } finally {
      for (RawClient client : senders) {
        client.close();
      }
    }
  }

  @Test
  void connections_are_bounded_although_requests_are_in_progress_on_all() throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    hub.gate = gate;
    List<RawClient> waiting = new ArrayList<>();
    try {
      for (int i = 0; i < FEW.maxConnections(); i++) {
        hub.entered = new CountDownLatch(1);
        waiting.add(new RawClient(hub.door.port()).send(GOOD));
        hub.entered.await();
      }
      try (RawClient more = new RawClient(hub.door.port())) {
        assertThat(more.isClosed()).isTrue();
      }
      gate.countDown();
      for (RawClient client : waiting) {
        assertThat(client.answer().status()).isEqualTo(200);
      }
    } finally {
      gate.countDown();
      for (RawClient client : waiting) {
        client.close();
      }
    }
  }
}
