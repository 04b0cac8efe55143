package com.datanadhi.echopost.replay;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.upstream.ServerResponse;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The table of the answers to batches.
class BatchOutcomeTest {
  private static final String STORED = "{\"stored\":2,\"errors\":[]}";

  private static BatchOutcome of(int status, String body) {
    return BatchOutcome.of(new ServerResponse.Answered(status, Duration.ofSeconds(7), body), 2);
  }

  @Test
  void a_sound_200_settles_the_batch() {
    assertThat(of(200, STORED)).isEqualTo(new BatchOutcome.Settled(new BatchAnswer(List.of())));
  }

  @Test
  void another_200_is_unreadable() {
    assertThat(of(200, "")).isInstanceOf(BatchOutcome.Unreadable.class);
    assertThat(of(200, "{\"stored\":1,\"errors\":[]}")).isInstanceOf(BatchOutcome.Unreadable.class);
  }

  @Test
  void the_reason_has_the_start_of_an_answer_that_is_unreadable() {
    assertThat(of(200, "(gzip-encoded, 70 bytes)" + "x".repeat(10_000)))
        .isInstanceOfSatisfying(
            BatchOutcome.Unreadable.class,
            unreadable ->
                assertThat(unreadable.reason())
                    .contains("\"(gzip-encoded, 70 bytes)xx")
                    .hasSizeLessThan(400));
  }

  @ParameterizedTest
  @ValueSource(ints = {407, 408, 425, 429, 501, 502, 503, 504, 507, 511, 599, 600, 999})
  void the_server_is_unavailable(int status) {
    assertThat(of(status, STORED))
        .isEqualTo(
            new BatchOutcome.Unavailable(
                new DeliveryOutcome.Unavailable("HTTP " + status, Duration.ofSeconds(7))));
  }

  @Test
  void no_answer_is_unavailable() {
    assertThat(BatchOutcome.of(new ServerResponse.NoAnswer("reset"), 2))
        .isEqualTo(new BatchOutcome.Unavailable(new DeliveryOutcome.Unavailable("reset", null)));
  }

  @Test
  void a_413_is_too_large() {
    assertThat(of(413, "")).isEqualTo(new BatchOutcome.TooLarge());
  }

  @ParameterizedTest
  @ValueSource(
      ints = {
        201, 202, 204, 206, 301, 302, 304, 307, 400, 401, 403, 404, 405, 406, 409, 415, 422, 500
      })
  void any_other_answer_refuses_the_batch(int status) {
    assertThat(of(status, STORED)).isEqualTo(new BatchOutcome.Refused(status));
  }
}
