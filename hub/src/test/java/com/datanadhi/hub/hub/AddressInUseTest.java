package com.datanadhi.hub.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.BindException;
import org.junit.jupiter.api.Test;

class AddressInUseTest {
  @Test
  void the_reason_is_what_the_system_says() {
    IOException failed =
        new IOException(
            "Failed to bind to /127.0.0.1:5000", new BindException("Address already in use"));

    assertThat(HubRun.reason(failed)).isEqualTo("Address already in use");
    assertThat(HubRun.reason(new IOException())).isEqualTo("java.io.IOException");
  }
}
