package com.datanadhi.echopost.upstream;

import com.datanadhi.echopost.time.Clock;
import java.time.Duration;

/// A [ServerState] that a test changes by hand, in place of the health probe.
public final class ManualServerState {
  private final ServerState state;

  /// Unknown at first.
  public ManualServerState(Clock clock) {
    this.state = new ServerState(() -> {}, clock);
  }

  public ServerState state() {
    return state;
  }

  /// As after a probe that succeeded.
  public void comeUp() {
    state.endProbe(state.beginProbe(), true, "");
  }

  /// As after a probe that failed.
  public void goDown() {
    state.endProbe(state.beginProbe(), false, "HTTP 503");
  }

  /// The pause of the last failed delivery that was not taken yet; zero when there is none.
  public Duration takePause() {
    return state.takePause();
  }
}
