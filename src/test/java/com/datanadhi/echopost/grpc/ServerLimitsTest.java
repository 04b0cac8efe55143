package com.datanadhi.echopost.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ServerLimitsTest {
  private final List<String> events = new ArrayList<>();
  private final ServerLimits load =
      new ServerLimits(4, () -> events.add("too many"), () -> events.add("few"));

  @Test
  void too_many_streams_are_reported_once_until_less_than_half_are_open() {
    for (int n = 0; n < 5; n++) {
      load.streamOpened();
    }
    assertThat(events).containsExactly("too many");
    assertThat(load.hasTooManyStreams()).isTrue();
    assertThat(load.surplusStreams()).isEqualTo(3);

    for (int n = 0; n < 3; n++) {
      load.streamClosed();
    }
    assertThat(events).containsExactly("too many");

    load.streamClosed();
    assertThat(events).containsExactly("too many", "few");
    assertThat(load.hasTooManyStreams()).isFalse();
  }

  @Test
  void a_message_that_grows_beyond_the_bound_of_held_bytes_is_refused() {
    assertThat(load.hold(96 << 20)).isTrue();
    assertThat(load.hold(1)).isFalse();
    // To hold less is never wrong.
    assertThat(load.hold(-1)).isTrue();
    assertThat(load.hold(1)).isFalse();
    assertThat(load.hold(-2)).isTrue();
    assertThat(load.hold(1)).isTrue();
  }

  @Test
  void open_calls_of_bounded_methods_are_bounded() {
    for (int n = 0; n < 1_024; n++) {
      assertThat(load.startBoundedCall()).isTrue();
    }
    assertThat(load.startBoundedCall()).isFalse();

    load.boundedCallEnded();

    assertThat(load.startBoundedCall()).isTrue();
  }

  @Test
  void each_connection_may_queue_a_few_control_frames_beyond_the_bound() {
    for (int n = 1; n <= 32_768; n++) {
      assertThat(load.controlFrameQueued(n)).isTrue();
    }
    assertThat(load.controlFrameQueued(64)).isTrue();
    assertThat(load.controlFrameQueued(65)).isFalse();

    for (int n = 0; n < 3; n++) {
      load.controlFrameSent();
    }

    assertThat(load.controlFrameQueued(65)).isTrue();
  }
}
