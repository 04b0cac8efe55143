package com.datanadhi.echopost.grpc;

import io.netty.channel.EventLoop;
import java.util.LinkedHashSet;
import java.util.concurrent.TimeUnit;

/// Lets few compressed messages in at a time, and the next one only in another turn of the event
/// loop. A few kilobytes can unpack to megabytes, which takes that loop 10 ms, and a client can
/// send them as fast as its connection allows: other connections are read in between. Confined to
/// the event loop.
public final class DecompressionLimiter {
  private static final int MAX_AT_ONCE = 4;

  private final EventLoop loop;
  private final LinkedHashSet<Runnable> waiting = new LinkedHashSet<>();
  private int running;

  public DecompressionLimiter(EventLoop loop) {
    this.loop = loop;
  }

  /// Whether the next compressed message of a connection may be requested; if so, [#ended] has to
  /// follow.
  ///
  /// @param retry if not, runs once it is that connection's turn to ask again
  public boolean begin(Runnable retry) {
    if (running < MAX_AT_ONCE) {
      running++;
      return true;
    }
    waiting.add(retry);
    return false;
  }

  /// A message that was let in is unpacked, or will never be complete.
  public void ended() {
    // A scheduled task runs after the loop has read again; an executed one would run before that.
    var _ = loop.schedule(this::next, 0, TimeUnit.NANOSECONDS);
  }

  private void next() {
    running--;
    while (running < MAX_AT_ONCE && !waiting.isEmpty()) {
      waiting.removeFirst().run();
    }
  }

  /// Forgets a connection that has ended.
  public void remove(Runnable retry) {
    waiting.remove(retry);
  }
}
