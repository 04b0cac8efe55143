package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.testkit.RawConnection;
import java.util.Random;

/// The kinds of clients that keep no rules.
enum Flood {
  /// Comes and goes.
  NOTHING((connection, random) -> false),
  /// Comes and stays.
  SILENCE((connection, random) -> true),
  /// Bytes that are no HTTP/2.
  NOISE((connection, random) -> {
    boolean _ = connection.send(RawConnection.random(random, 2_000));
    return random.nextBoolean();
  }),
  /// Frames of random type, flags, stream and content.
  BROKEN_FRAMES((connection, random) -> {
    boolean taken = connection.send(RawConnection.preface());
    for (int i = 0; i < 20 && taken; i++) {
      taken =
          connection.send(
              RawConnection.frame(
                  random.nextInt(12),
                  random.nextInt(256),
                  random.nextInt(8),
                  RawConnection.random(random, 60)));
    }
    return random.nextBoolean();
  }),
  /// A call that never goes on.
  HALF_OPEN((connection, random) -> {
    boolean _ =
        connection.send(
            RawConnection.join(
                RawConnection.preface(),
                RawConnection.frame(1, 4, 1, RawConnection.sendLogHeaders())));
    return true;
  }),
  /// Headers that never end (CVE-2024-27316 and its kin).
  ENDLESS_HEADERS((connection, random) -> {
    boolean taken =
        connection.send(
            RawConnection.join(
                RawConnection.preface(),
                RawConnection.frame(1, 0, 1, RawConnection.sendLogHeaders())));
    byte[] more = RawConnection.frame(9, 0, 1, new byte[] {0x40, 1, 'a', 1, 'b'});
    for (int i = 0; i < 2_000 && taken; i++) {
      taken = connection.send(more);
    }
    return random.nextBoolean();
  }),
  /// Calls that are taken back at once (CVE-2023-44487).
  RAPID_RESET((connection, random) -> {
    boolean taken = connection.send(RawConnection.preface());
    for (int stream = 1; stream < 2_000 && taken; stream += 2) {
      taken =
          connection.send(
              RawConnection.join(
                  RawConnection.frame(1, 4, stream, RawConnection.sendLogHeaders()),
                  RawConnection.frame(3, 0, stream, new byte[] {0, 0, 0, 8})));
    }
    return false;
  }),
  /// A small message that is a large one once decompressed.
  BOMB((connection, random) -> {
    boolean _ = connection.send(Bomb.BYTES);
    return random.nextBoolean();
  });

  /// What a client does with its connection, and whether it then stays.
  private interface Nuisance {
    boolean on(RawConnection connection, Random random);
  }

  private static final class Bomb {
    static final byte[] BYTES = RawConnection.bomb();
  }

  @SuppressWarnings("ImmutableEnumChecker") // it has no state
  private final Nuisance nuisance;

  Flood(Nuisance nuisance) {
    this.nuisance = nuisance;
  }

  /// One client does its worst; nothing waits.
  ///
  /// @return whether its connection is to stay open
  boolean on(RawConnection connection, Random random) {
    return nuisance.on(connection, random);
  }
}
