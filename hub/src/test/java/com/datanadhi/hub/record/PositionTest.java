package com.datanadhi.hub.record;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PositionTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "0badcafe/events-0:0",
        "0badcafe/events-999999999:999999999999999999",
        "01234567/control:5",
        "01234567/events-1:17"
      })
  void a_position_comes_back_from_its_text(String text) {
    assertThat(Position.parse(text)).hasToString(text);
    assertThat(Position.parse(text)).isEqualTo(Position.parse(text));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ":",
        "0badcafe/events-0",
        "0badcafe/events-0:",
        "0badcafe/events-0:-1",
        "0badcafe/events-0:1x",
        "0badcafe/events-0:1:2",
        "0badcafe/events-0:1000000000000000000",
        "0badcafe/events-0:\u0661",
        "0badcafe/events-:1",
        "0badcafe/events-1234567890:1",
        "0badcafe/events-0/control:1",
        "0badcafe/:1",
        "0badcafe:1",
        "0badcaf/events-0:1",
        "0badcafe0/events-0:1",
        "0BADCAFE/events-0:1",
        "0badcafg/events-0:1",
        " 0badcafe/events-0:1"
      })
  void what_is_none_is_refused(String text) {
    assertThat(Position.parse(text)).isNull();
  }
}
