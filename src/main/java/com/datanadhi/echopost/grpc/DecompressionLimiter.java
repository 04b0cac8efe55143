package com.datanadhi.echopost.grpc;

import io.netty.channel.EventLoop;
import java.util.LinkedHashSet;
import java.util.concurrent.TimeUnit;

/// Admits at most four compressed messages at a time, and the next one only in a later iteration of
/// the event loop. A few kilobytes can decompress to megabytes, which takes the loop 10 ms, and a
/// client can send them as fast as its connection allows; other connections are read in between.
/// Confined to the event loop.
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
  /// @param retry if not, runs when that connection may ask again
  public boolean begin(Runnable retry) {
    if (running < MAX_AT_ONCE) {
      running++;
      return true;
    }
    waiting.add(retry);
    return false;
  }

  /// A message that was admitted is decompressed, or will never be complete.
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

  /// Removes the retry of a connection that has ended.
  public void remove(Runnable retry) {
    waiting.remove(retry);
  }
}
