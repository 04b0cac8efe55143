package com.datanadhi.echopost.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ServerLimitsTest {
  private final List<String> events = new ArrayList<>();
  private final ServerLimits limits =
      new ServerLimits(4, () -> events.add("too many"), () -> events.add("few"));

  @Test
  void too_many_streams_are_reported_once_until_less_than_half_are_open() {
    for (int n = 0; n < 5; n++) {
      limits.streamOpened();
    }
    assertThat(events).containsExactly("too many");
    assertThat(limits.hasTooManyStreams()).isTrue();
    assertThat(limits.surplusStreams()).isEqualTo(3);

    for (int n = 0; n < 3; n++) {
      limits.streamClosed();
    }
    assertThat(events).containsExactly("too many");

    limits.streamClosed();
    assertThat(events).containsExactly("too many", "few");
    assertThat(limits.hasTooManyStreams()).isFalse();
  }

  @Test
  void a_message_that_grows_beyond_the_limit_of_incomplete_bytes_is_refused() {
    assertThat(limits.addIncompleteBytes(96 << 20)).isTrue();
    assertThat(limits.addIncompleteBytes(1)).isFalse();
    // Fewer bytes are always accepted.
    assertThat(limits.addIncompleteBytes(-1)).isTrue();
    assertThat(limits.addIncompleteBytes(1)).isFalse();
    assertThat(limits.addIncompleteBytes(-2)).isTrue();
    assertThat(limits.addIncompleteBytes(1)).isTrue();
  }

  @Test
  void open_calls_of_methods_without_a_limit_of_their_own_are_limited() {
    for (int n = 0; n < 1_024; n++) {
      assertThat(limits.startOtherCall()).isTrue();
    }
    assertThat(limits.startOtherCall()).isFalse();

    limits.otherCallEnded();

    assertThat(limits.startOtherCall()).isTrue();
  }

  @Test
  void each_connection_may_queue_a_few_control_frames_beyond_the_limit() {
    for (int n = 1; n <= 32_768; n++) {
      assertThat(limits.controlFrameQueued(n)).isTrue();
    }
    assertThat(limits.controlFrameQueued(64)).isTrue();
    assertThat(limits.controlFrameQueued(65)).isFalse();

    for (int n = 0; n < 3; n++) {
      limits.controlFrameSent();
    }

    assertThat(limits.controlFrameQueued(65)).isTrue();
  }
}
