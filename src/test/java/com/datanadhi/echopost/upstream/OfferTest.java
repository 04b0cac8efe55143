package com.datanadhi.echopost.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OfferTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "application/json, application/x-ndjson | gzip | true | true",
        "application/x-ndjson | '' | true | false",
        "APPLICATION/X-NDJSON;charset=utf-8 | deflate, GZIP;q=0.5 | true | true",
        "text/plain;q=1 ,application/x-ndjson | gzip;q=0 | true | false",
        "application/x-ndjson | gzip; q=0.00, br | true | false",
        "application/x-ndjson;q=0 | gzip | false | false",
        "application/json | gzip | false | false",
        "application/x-ndjson2 | gzip | false | false",
        "'' | gzip | false | false",
        "*/* | gzip | false | false",
        "';;,;=' | gzip | false | false",
      })
  void an_offer_lists_what_the_server_takes(
      String post, String encoding, boolean batches, boolean gzip) {
    assertThat(Offer.of(List.of(post), List.of(encoding))).isEqualTo(new Offer(batches, gzip));
  }

  @ParameterizedTest
  @CsvSource({"true", "false"})
  void an_offer_can_be_in_several_lines(boolean first) {
    List<String> lines =
        first
            ? List.of("application/x-ndjson", "application/json")
            : List.of("application/json", "application/x-ndjson");
    assertThat(Offer.of(lines, List.of()).batches()).isTrue();
  }
}
