package com.datanadhi.sdk.internal.echopost;

import java.time.Duration;

/** How it ended to see to it that an agent runs. */
sealed interface StartResult {
  /** One answers on the socket, or its name at least is there. */
  record Running() implements StartResult {}

  /** We started one, and it answers. */
  record Started(long pid, Duration after) implements StartResult {}

  /** We started one, which lives and does not answer yet. */
  record NotReady(Duration after) implements StartResult {}

  /** There is none, and this is why. */
  record Failed(String why) implements StartResult {}
}
