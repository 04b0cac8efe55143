package com.datanadhi.hub.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import org.junit.jupiter.api.Test;

class OutputTest {
  @Test
  void characters_that_control_a_terminal_are_escaped() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    Output out = new Output(bytes);
    out.line("a\u001b]0;owned\u0007 \u009b31m \u202eb ü");
    out.json("{\"a\":\"\u009b31m\"}");
    out.flush();

    assertThat(bytes.toString(UTF_8))
        .isEqualTo("a\\u001b]0;owned\\u0007 \\u009b31m \\u202eb ü\n{\"a\":\"\\u009b31m\"}\n");
  }
}
