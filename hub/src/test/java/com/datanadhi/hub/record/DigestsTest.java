package com.datanadhi.hub.record;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// The expected digests are those of sha256sum.
class DigestsTest {
  private static final String A =
      "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862";
  private static final String EACH_LINE_END_A_SPACE =
      "b166df5be19826e95f5b12c994beb983f204f60fc2bff98fa133e3ba58625067";
  private static final String TWO_RECORDS =
      "6ac1039eec9f251b970d9d9d84593b65be312077d63c019e7de0531e5f0203c1";
  private static final String NO_PIPELINES =
      "df3f619804a92fdb4057192dc43dd748ea778adc52bc498ce80524c014b81119";
  private static final String TWO_PIPELINES =
      "aab005afd4b50ac5392434cf6feeda293d1caa2deda794318284d2ea6222b461";
  private static final String TWO_PIPELINES_AND_NONE =
      "e88485cdc682b1359abf68258fab57bb0ac87e6b639c21ed02f9b1d8b91e5182";

  static Stream<Arguments> oneRecord() {
    return Stream.of(
        Arguments.of("{\"a\":1}", A),
        Arguments.of(" \t\r\n{\"a\":1}\n \r", A),
        Arguments.of("{\"a\": 1,  \"b\":2}", EACH_LINE_END_A_SPACE),
        Arguments.of("{\"a\":\n1,\r\n\"b\":2}", EACH_LINE_END_A_SPACE),
        Arguments.of("\n{\"a\":\r1,\n\n\"b\":2}\r\n", EACH_LINE_END_A_SPACE));
  }

  @ParameterizedTest
  @MethodSource("oneRecord")
  void white_space_around_does_not_count_and_a_line_end_is_a_space(String text, String digest) {
    assertThat(Digests.content(List.of(record(text)))).isEqualTo(new Content(digest, NO_PIPELINES));
  }

  @Test
  void several_records_have_the_digest_of_their_digests() {
    assertThat(Digests.content(List.of(record("{\"a\":1}\n"), record(" [1,\n2]"))).digest())
        .isEqualTo(TWO_RECORDS);
  }

  @Test
  void pipelines_count_in_their_order_for_each_record() {
    RecordData two = record("1", "a", "\u00fc");
    assertThat(Digests.pipelines(List.of(two))).isEqualTo(TWO_PIPELINES);
    assertThat(Digests.pipelines(List.of(two, record("1")))).isEqualTo(TWO_PIPELINES_AND_NONE);
    assertThat(Digests.pipelines(List.of(record("1", "\u00fc", "a")))).isNotEqualTo(TWO_PIPELINES);
  }

  private static RecordData record(String text, String... pipelines) {
    return new RecordData(List.of(pipelines), text.getBytes(UTF_8));
  }
}
