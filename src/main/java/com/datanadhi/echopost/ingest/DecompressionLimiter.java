package com.datanadhi.echopost.ingest;

import io.netty.channel.EventLoop;
import java.util.LinkedHashSet;
import java.util.concurrent.TimeUnit;

/// Lets few compressed messages in at a time, and each next one only in another turn of the event
/// loop. A few kilobytes that unpack to megabytes cost that loop 10 ms, and a connection can bring
/// them as fast as it can send: whoever else has something to say comes in between. Confined to the
/// event loop.
final class DecompressionLimiter {
  private static final int AT_ONCE = 4;

  private final EventLoop loop;
  private final LinkedHashSet<ClientConnection> waiting = new LinkedHashSet<>();
  private int begun;

  DecompressionLimiter(EventLoop loop) {
    this.loop = loop;
  }

  /// Whether the compressed message that is next on `connection` may be asked for; if so, [#ended]
  /// has to follow. When not, `connection` is told to go on once it is its turn.
  boolean begin(ClientConnection connection) {
    if (begun < AT_ONCE) {
      begun++;
      return true;
    }
    waiting.add(connection);
    return false;
  }

  /// One that was let in is unpacked, or will never be complete.
  void ended() {
    // The loop takes up what is scheduled when it has read what there is to read; what is merely
    // executed it would do at once.
    var _ = loop.schedule(this::next, 0, TimeUnit.NANOSECONDS);
  }

  private void next() {
    begun--;
    while (begun < AT_ONCE && !waiting.isEmpty()) {
      waiting.removeFirst().advance();
    }
  }

  void closed(ClientConnection connection) {
    waiting.remove(connection);
  }
}
