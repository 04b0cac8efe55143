package com.datanadhi.echopost.upstream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

/// Line ends are found in texts of each length, at each place.
class LineEndsTest {
  @Test
  void a_line_end_is_found_at_each_place() {
    for (int length = 0; length <= 40; length++) {
      byte[] text = "x".repeat(length).getBytes(UTF_8);
      assertThat(LineEnds.areIn(text)).isFalse();
      for (int at = 0; at < length; at++) {
        for (char end : new char[] {'\n', '\r'}) {
          text[at] = (byte) end;
          assertThat(LineEnds.areIn(text)).as("at %d of %d", at, length).isTrue();
        }
        text[at] = 'x';
      }
    }
  }

  @Test
  void no_other_byte_is_a_line_end() {
    Random random = new Random(1);
    for (int b = -128; b < 128; b++) {
      byte[] text = new byte[24];
      random.nextBytes(text);
      for (int i = 0; i < text.length; i++) {
        text[i] = text[i] == '\n' || text[i] == '\r' ? 11 : text[i];
      }
      text[b & 15] = (byte) b;
      assertThat(LineEnds.areIn(text)).as("byte %d", b).isEqualTo(b == '\n' || b == '\r');
    }
  }
}
