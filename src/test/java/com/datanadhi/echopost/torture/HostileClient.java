package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.testkit.RawConnection;
import java.util.Random;

/// The kinds of clients that violate the protocol or waste connections.
enum HostileClient {
  /// Connects, and disconnects at once.
  DISCONNECT((connection, random) -> false),
  /// Connects, and sends nothing.
  IDLE((connection, random) -> true),
  /// Sends random bytes, which are not HTTP/2.
  NOT_HTTP2((connection, random) -> {
    boolean _ = connection.send(RawConnection.random(random, 2_000));
    return random.nextBoolean();
  }),
  /// Sends frames of random type, flags, stream and content.
  RANDOM_FRAMES((connection, random) -> {
    boolean open = connection.send(RawConnection.preface());
    for (int i = 0; i < 20 && open; i++) {
      open =
          connection.send(
              RawConnection.frame(
                  random.nextInt(12),
                  random.nextInt(256),
                  random.nextInt(8),
                  RawConnection.random(random, 60)));
    }
    return random.nextBoolean();
  }),
  /// Starts a call, and never sends its message.
  HALF_OPEN_CALL((connection, random) -> {
    boolean _ =
        connection.send(
            RawConnection.join(
                RawConnection.preface(),
                RawConnection.frame(1, 4, 1, RawConnection.sendLogHeaders())));
    return true;
  }),
  /// Sends headers without end (CVE-2024-27316 and related ones).
  ENDLESS_HEADERS((connection, random) -> {
    boolean open =
        connection.send(
            RawConnection.join(
                RawConnection.preface(),
                RawConnection.frame(1, 0, 1, RawConnection.sendLogHeaders())));
    byte[] more = RawConnection.frame(9, 0, 1, new byte[] {0x40, 1, 'a', 1, 'b'});
    for (int i = 0; i < 2_000 && open; i++) {
      open = connection.send(more);
    }
    return random.nextBoolean();
  }),
  /// Starts calls and resets each at once (CVE-2023-44487).
  RAPID_RESET((connection, random) -> {
    boolean open = connection.send(RawConnection.preface());
    for (int stream = 1; stream < 2_000 && open; stream += 2) {
      open =
          connection.send(
              RawConnection.join(
                  RawConnection.frame(1, 4, stream, RawConnection.sendLogHeaders()),
                  RawConnection.frame(3, 0, stream, new byte[] {0, 0, 0, 8})));
    }
    return false;
  }),
  /// Sends a small message that decompresses to a large one.
  DECOMPRESSION_BOMB((connection, random) -> {
    boolean _ = connection.send(DecompressionBomb.BYTES);
    return random.nextBoolean();
  });

  private interface Behaviour {
    /// @return whether to keep the connection open
    boolean send(RawConnection connection, Random random);
  }

  private static final class DecompressionBomb {
    static final byte[] BYTES = RawConnection.bomb();
  }

  @SuppressWarnings("ImmutableEnumChecker") // the lambdas have no state
  private final Behaviour behaviour;

  HostileClient(Behaviour behaviour) {
    this.behaviour = behaviour;
  }

  /// Sends what this kind of client sends; does not wait for an answer.
  ///
  /// @return whether to keep the connection open
  boolean send(RawConnection connection, Random random) {
    return behaviour.send(connection, random);
  }
}
