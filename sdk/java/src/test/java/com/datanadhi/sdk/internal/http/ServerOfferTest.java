package com.datanadhi.sdk.internal.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpHeaders;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ServerOfferTest {
  private static ServerOffer of(String... acceptPost) {
    return ServerOffer.of(
        HttpHeaders.of(Map.of("accept-post", List.of(acceptPost)), (name, value) -> true));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "application/json, application/x-ndjson",
        "application/x-ndjson",
        "Application/X-NDJSON;q=0.5 , text/plain",
        "application/json,application/x-ndjson ; charset=utf-8"
      })
  void batches_are_offered_by_their_media_type(String value) {
    assertThat(of(value)).isEqualTo(new ServerOffer(true, false));
    assertThat(of("application/json", value).batches()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "application/json",
        "*/*",
        "application/x-ndjsonx",
        "application/x-ndjson;q=0",
        "text/plain;x=application/x-ndjson"
      })
  void other_values_offer_none(String value) {
    assertThat(of(value)).isEqualTo(ServerOffer.NONE);
  }

  @Test
  void gzip_is_offered_by_its_name() {
    assertThat(ServerOffer.of(encodings("br, gzip;q=0.8")).gzip()).isTrue();
    assertThat(ServerOffer.of(encodings("gzip;q=0.0, br")).gzip()).isFalse();
    assertThat(ServerOffer.of(encodings("identity")).gzip()).isFalse();
  }

  private static HttpHeaders encodings(String value) {
    return HttpHeaders.of(Map.of("Accept-Encoding", List.of(value)), (name, v) -> true);
  }
}
