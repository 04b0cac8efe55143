package com.datanadhi.echopost.replay;

import java.time.Duration;

/// The main server's state as replay needs it.
public interface ServerGate {
  /// Whether it is well.
  boolean isUp();

  /// A delivery found it unavailable: it is not well until a probe after `pause` says so.
  void suspect(Duration pause, String why);
}
