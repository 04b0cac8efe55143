package com.datanadhi.sdk.internal.echopost;

import java.time.Duration;

/** The result of an attempt to make sure that an agent runs. */
sealed interface StartResult {
  /** An agent accepts connections, or at least its socket exists; none was started. */
  record Running() implements StartResult {}

  /** This process started an agent, which accepts connections. */
  record Started(long pid, Duration after) implements StartResult {}

  /** This process started an agent, which does not accept connections yet. */
  record NotReady(Duration after) implements StartResult {}

  /** The program ended at once, so that no agent runs. */
  record Ended(String reason) implements StartResult {}

  /** No agent could be started, for a reason that lies outside the program. */
  record Failed(String reason) implements StartResult {}
}
